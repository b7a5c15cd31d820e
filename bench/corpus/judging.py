"""Whether an answer is the one that a body of the corpus must get."""

from dataclasses import dataclass

import msgspec

from bench.corpus.case import Case

MOST_GROWTH = 64 << 20
"""Bytes that a process may grow by, whatever it is sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a server said to a body."""

    status: int
    content: bytes

    @property
    def members(self) -> dict[str, object]:
        """The members of the answer's JSON object, none if it is not one."""
        try:
            found = msgspec.json.decode(self.content)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return {}
        return found if isinstance(found, dict) else {}


def fault_of(case: Case, answer: Answer) -> str:
    """Say what is wrong with an answer, ``""`` if nothing is."""
    members = answer.members
    if answer.status != case.status:
        return f"{answer.status} where {case.status} is due: {answer.content[:120]!r}"
    if case.status != 200:
        says = isinstance(members.get("message"), str) and members["message"]
        return "" if says else "an answer without a message"
    due = {"received": case.received, "accepted": case.accepted, "rejected": dict(case.rejected)}
    found = {name: members.get(name) for name in due}
    return "" if found == due else f"{found} where {due} is due"
