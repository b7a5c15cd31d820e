"""DNS records of EVE joined: a request is an event, its answer gives it ``rcode`` and answers.

A request waits for its answer while the log goes on by a minute, or ``WAITING`` others wait. Dns v1
writes a line for each answer, so its requests wait the whole time; from v2 on one line has them
all. An answer whose request the log does not have is an event itself, from client to server.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

import msgspec

from tawny.formats.eve.rows import Dns, Question, Row
from tawny.formats.events import DnsEvent
from tawny.formats.parsing import Skipped

WAITING = 1024  # a second of 20,000 questions a second answered within 50 ms, and some MB

PORT = 53
LOCAL_NAME_PORTS = frozenset({5353, 5355})
"""mDNS and LLMNR: questions to the neighbours and not to a name server."""

REQUESTS = frozenset({"query", "request"})
ANSWERS = frozenset({"answer", "response"})
ONE_LINE_FROM = 2  # the version from which one record has all answers
MINUTE = 16  # characters of RFC 3339 up to the minute


Told: TypeAlias = tuple[Row, Dns, str, str]  # what ``take`` takes
Key: TypeAlias = tuple[int | None, int | None]  # the flow and the message's number in it


@dataclass(slots=True, kw_only=True)
class _Waiting:
    """A question, what is known of its answer, and the numbered lines that told it."""

    ts: str
    row: Row
    question: Question
    key: Key
    place: tuple[int, int]  # its line's number, and which of its questions it is
    lines: dict[int, str]
    rcode: str | None = None
    answers: list[str] = field(default_factory=list)

    def event(self) -> DnsEvent:
        row = self.row
        return DnsEvent(
            ts=self.ts,
            src_ip=row.src_ip,
            src_port=row.src_port,
            dest_ip=row.dest_ip or None,
            query=self.question.rrname,
            qtype=self.question.rrtype,
            rcode=self.rcode,
            answers=self.answers or None,
            conn_id=row.conn_id,
            sensor=row.host,
        )


class Questions:
    """The questions of one log that wait for an answer, in the order they were put."""

    __slots__ = ("_by_key", "_lines", "_minute", "_old", "_young", "changes")

    def __init__(self) -> None:
        self._by_key: dict[Key, list[_Waiting]] = {}
        self._young: dict[tuple[int, int], _Waiting] = {}
        self._old: dict[tuple[int, int], _Waiting] = {}
        self._minute = ""
        self._lines = 0
        self.changes = 0  # of what ``state`` would give

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def advance(self, ts: str) -> list[DnsEvent]:
        """Hear of a record at ``ts``; give the events that have waited long enough."""
        if ts[:MINUTE] <= self._minute:
            return []
        self._minute = ts[:MINUTE]
        return self._turn()

    def _turn(self) -> list[DnsEvent]:
        self.changes += 1
        waited, self._old, self._young = self._old, self._young, {}
        return [self._close(each) for each in waited.values()]

    def finish(self) -> list[DnsEvent]:
        """Give the events that still wait, at the end of the log."""
        waited = [*self._old.values(), *self._young.values()]
        self._old, self._young = {}, {}
        return [self._close(each) for each in waited]

    def take(self, row: Row, dns: Dns, ts: str, line: str) -> tuple[list[DnsEvent], bool]:
        """Take a record at ``ts``; give the events it completes and whether it was only lent.

        Skipped where it asks nothing, or only the neighbours.
        """
        if row.dest_port in LOCAL_NAME_PORTS or row.src_port in LOCAL_NAME_PORTS:
            raise Skipped
        questions = dns.queries or [Question(dns.rrname, dns.rrtype)]
        questions = [question for question in questions if question.rrname]
        if not questions:
            raise Skipped
        self._lines += 1
        self.changes += 1
        if dns.type in REQUESTS:
            for place, question in enumerate(questions):
                self._put(row, question, ts, line, place)
            return self._overflow(), False
        if dns.type not in ANSWERS:
            raise Skipped
        return self._take_answer(row, dns, questions, ts, line)

    def _put(self, row: Row, question: Question, ts: str, line: str, place: int = 0) -> _Waiting:
        key = (row.flow_id, row.dns.id if row.dns else None)
        waiting = _Waiting(
            ts=ts,
            row=row,
            question=question,
            key=key,
            place=(self._lines, place),
            lines={self._lines: line},
        )
        self._young[waiting.place] = waiting
        self._by_key.setdefault(key, []).append(waiting)
        return waiting

    def _overflow(self) -> list[DnsEvent]:
        events = []
        while len(self) > WAITING:
            oldest = self._old or self._young
            events.append(self._close(oldest.pop(next(iter(oldest)))))
        return events

    def _take_answer(
        self, row: Row, dns: Dns, questions: list[Question], ts: str, line: str
    ) -> tuple[list[DnsEvent], bool]:
        whole = (dns.version or 1) >= ONE_LINE_FROM or dns.answers is not None or bool(dns.grouped)
        found = self._asked(row, dns, questions, whole=whole)
        lent = bool(found)
        if not found:
            row = _from_client(row)
            found = [
                self._put(row, question, ts, line, place)
                for place, question in enumerate(questions)
            ]
        found[0].answers += _texts(dns)
        for waiting in found:
            waiting.rcode = dns.rcode or waiting.rcode
            waiting.lines[self._lines] = line
        if not whole:
            return self._overflow(), lent
        for waiting in found:
            self._young.pop(waiting.place, None)
            self._old.pop(waiting.place, None)
        return [self._close(waiting) for waiting in found], lent

    def _asked(
        self, row: Row, dns: Dns, questions: list[Question], *, whole: bool
    ) -> list[_Waiting]:
        """Find who waits for this answer: the oldest of each name, for a part whoever asked.

        In a part (v1) the name is that of the record, which may be one that the question's name is
        an alias of.
        """
        waiting = self._by_key.get((row.flow_id, dns.id), [])
        names = {each.question.rrname.lower(): each for each in reversed(waiting)}
        found = [names[name] for each in questions if (name := each.rrname.lower()) in names]
        return found if found or whole else waiting[:1]

    def _close(self, waiting: _Waiting) -> DnsEvent:
        asked = self._by_key[waiting.key]
        asked.remove(waiting)
        if not asked:
            del self._by_key[waiting.key]
        return waiting.event()

    def restore(self, minute: str, old: Iterable[Told], young: Iterable[Told]) -> None:
        """Take up what ``state`` gave, its lines read again."""
        for half in (old, young):
            self._turn()
            for row, dns, ts, line in half:
                self.take(row, dns, ts, line)
        self._minute = minute

    def state(self) -> tuple[str, list[str], list[str]]:
        """Give the newest minute and the lines of what waits, old and young, for ``restore``."""
        old, young = (
            dict(sorted(line for each in half.values() for line in each.lines.items()))
            for half in (self._old, self._young)
        )
        return self._minute, list(old.values()), list(young.values())


def _from_client(row: Row) -> Row:
    """Turn a record of the server's packet round; later versions have it so already."""
    if row.src_port != PORT or row.dest_port == PORT:
        return row
    return msgspec.structs.replace(
        row,
        src_ip=row.dest_ip,
        src_port=row.dest_port,
        dest_ip=row.src_ip,
        dest_port=row.src_port,
    )


def _texts(dns: Dns) -> list[str]:
    """Give the answers as texts: of each record, else of the groups by type, else of the line."""
    if dns.answers:
        return [answer.rdata for answer in dns.answers if answer.rdata]
    if dns.grouped:
        return [text for group in dns.grouped.values() for text in group if isinstance(text, str)]
    return [dns.rdata] if dns.rdata else []
