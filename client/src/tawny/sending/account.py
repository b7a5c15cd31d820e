"""What a run read, sent and was refused, and the exit code that follows from it."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tawny.answers import Receipt
from tawny.errors import TawnyError
from tawny.exits import Exit, exit_for
from tawny.formats.events import Kind
from tawny.formats.parsing import Tally


@dataclass(slots=True, kw_only=True)
class Delivered:
    """The receipts of one event kind, added up."""

    received: int = 0
    accepted: int = 0
    rejected: Counter[str] = field(default_factory=Counter)

    def add(self, receipt: Receipt) -> None:
        """Add the receipt of one request."""
        self.received += receipt.received
        self.accepted += receipt.accepted
        self.rejected.update(receipt.rejected)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What lies in the state of a run at its end: parcels for the next one, and their bytes."""

    folder: str
    parcels: int
    bytes: int


@dataclass(slots=True, kw_only=True)
class Account:
    """Everything a run has to tell at its end.

    ``foreign`` names the files that are no log of the format, ``clockless`` those with times that
    were counted from the log's opening, ``damaged`` says why a file could not be read to its end;
    ``set_aside`` counts the events of requests that the service will never take, by its reason;
    ``failure`` is what stopped the run, ``kept`` what it leaves to the next one. ``no_log`` says
    that of all the files none was a log of the format: that is no success.
    """

    files: int = 0
    tally: Tally = field(default_factory=Tally)
    sent: dict[Kind, Delivered] = field(default_factory=dict)
    foreign: list[str] = field(default_factory=list)
    damaged: dict[str, str] = field(default_factory=dict)
    clockless: list[str] = field(default_factory=list)
    set_aside: Counter[str] = field(default_factory=Counter)
    no_log: bool = False
    kept: Kept | None = None
    failure: TawnyError | None = None

    def deliver(self, kind: Kind, receipt: Receipt) -> None:
        """Enter the receipt of one request."""
        self.sent.setdefault(kind, Delivered()).add(receipt)

    @property
    def exit(self) -> Exit:
        """The exit code of the run."""
        if self.failure:
            code = exit_for(self.failure)
            partly = code is not Exit.KEY and any(each.received for each in self.sent.values())
            return Exit.PARTLY if partly else code
        rejected = any(delivered.rejected.total() for delivered in self.sent.values())
        damaged = self.damaged or self.set_aside or self.no_log
        if rejected or self.tally.reasons or damaged:
            return Exit.PARTLY
        return Exit.DONE

    def as_json(self) -> dict[str, Any]:
        """Give the account as one JSON object; ``logs`` counts mapped rows by log kind."""
        told: dict[str, Any] = {
            "files": self.files,
            "logs": _sorted(self.tally.mapped),
            "sent": {
                kind: {
                    "received": delivered.received,
                    "accepted": delivered.accepted,
                    "rejected": _sorted(delivered.rejected),
                }
                for kind, delivered in sorted(self.sent.items())
            },
            "skipped": _sorted(self.tally.skipped),
            "malformed": _sorted(self.tally.reasons),
            "foreign": self.foreign,
            "damaged": self.damaged,
            "clockless": self.clockless,
        }
        if self.set_aside:
            told["setAside"] = _sorted(self.set_aside)
        if self.kept:
            told["state"] = {
                "folder": self.kept.folder,
                "waiting": self.kept.parcels,
                "bytes": self.kept.bytes,
            }
        if self.failure:
            told["error"] = {"code": self.failure.code, "message": str(self.failure)}
        return told


def _sorted(counts: Counter[str]) -> dict[str, int]:
    return {name: count for name, count in sorted(counts.items()) if count}
