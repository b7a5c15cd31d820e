"""Who may approve, in a world of a few people, and what was done in it."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from audit.actors import Actor
from tenants import approvals
from tenants.approvals import Circle, Pending

ANA, BEA, CID, EVE = (Actor(kind="staff", id=str(UUID(int=n))) for n in range(1, 5))
SHELL = Actor(kind="shell", id="root")
ENVELOPE = Actor(kind="staff", id=str(UUID(int=9)))


class Circled:
    """Who the owners are, and what was done."""

    def __init__(self) -> None:
        self.owners = [ANA, BEA]
        self.new: list[Actor] = []
        self.done: list[tuple[str, datetime]] = []
        self.refusal: Exception | None = None
        self.circle: Callable[[datetime], Circle] = self._circle

    def _circle(self, _now: datetime) -> Circle:
        ids = frozenset(each.id for each in self.owners)
        everybody = frozenset(each.id for each in (ANA, BEA, CID, EVE, ENVELOPE))
        return Circle(
            counting=ids, owners=ids, sealed=frozenset({ENVELOPE.id}),
            settled=everybody - {each.id for each in self.new},
        )  # fmt: skip

    def carry_out(self, pending: Pending, now: datetime) -> dict[str, str | int]:
        if self.refusal is not None:
            raise self.refusal
        self.done.append((pending.subject, now))
        return {"times": len(self.done)}


def ask(now: datetime, *, kind: str = "slow", subject: str = "x", actor: Actor = ANA) -> Pending:
    return approvals.ask(kind=kind, subject=subject, actor=actor, reason="because", now=now)


def state(pending: Pending) -> str:
    return Pending.objects.get(pk=pending.pk).state
