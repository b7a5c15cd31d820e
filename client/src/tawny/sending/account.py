"""What a run read, sent and was refused, and the exit code that follows from it."""

from collections import Counter
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from tawny.answers import Receipt
from tawny.errors import Forbidden, InvalidUrl, TawnyError, Unauthenticated
from tawny.formats.events import Kind
from tawny.formats.parsing import Tally


class Exit(IntEnum):
    """Exit codes of the ``tawny`` command."""

    DONE = 0
    PARTLY = 2  # some rows were malformed or rejected, or a file was damaged
    FAILED = 3  # the service was not reached, or failed to the end
    USAGE = 4  # the command line or the key is wrong
    INTERRUPTED = 130


def exit_for(error: TawnyError) -> Exit:
    """Give the exit code of an error of the service."""
    if isinstance(error, Unauthenticated | Forbidden | InvalidUrl):
        return Exit.USAGE
    return Exit.FAILED


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


@dataclass(slots=True, kw_only=True)
class Account:
    """Everything a run has to tell at its end.

    ``foreign`` names the files that are no log of the format, ``clockless`` those with times that
    were counted from the log's opening, ``damaged`` says why a file could not be read to its end;
    ``failure`` is what stopped the run.
    """

    files: int = 0
    tally: Tally = field(default_factory=Tally)
    sent: dict[Kind, Delivered] = field(default_factory=dict)
    foreign: list[str] = field(default_factory=list)
    damaged: dict[str, str] = field(default_factory=dict)
    clockless: list[str] = field(default_factory=list)
    failure: TawnyError | None = None

    def deliver(self, kind: Kind, receipt: Receipt) -> None:
        """Enter the receipt of one request."""
        self.sent.setdefault(kind, Delivered()).add(receipt)

    @property
    def exit(self) -> Exit:
        """The exit code of the run."""
        if self.failure:
            return exit_for(self.failure)
        rejected = any(delivered.rejected.total() for delivered in self.sent.values())
        if rejected or self.tally.reasons or self.damaged:
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
        if self.failure:
            told["error"] = {"code": self.failure.code, "message": str(self.failure)}
        return told


def _sorted(counts: Counter[str]) -> dict[str, int]:
    return {name: count for name, count in sorted(counts.items()) if count}
