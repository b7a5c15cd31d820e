"""What the audit log refuses.

AuditError
├── Unrecordable        an entry is of a shape or size that the log does not take
├── AnotherSequencer    another process is sequencing this log at this moment
├── Inconsistent        what would be signed does not continue what was signed before
│   └── RolledBack      the database is older than the checkpoint outside it
├── NoSuchCheckpoint    a file that should hold a checkpoint holds none
├── UnknownPlace        a place for checkpoints is of no kind that we can write to
├── NotTaken            a place could not be reached, or did not take a checkpoint
├── AheadOfUs           a place holds a checkpoint of more leaves than the one to be kept there
├── UnknownBookmark     where a reader says to stand is no place in the log
├── NotSealed           leaves may not be taken away: not signed, or not what was signed
├── UnderHold           leaves may not be taken away: a tenant of theirs is under a legal hold
├── NotTheOwner         only the owning role can drop a partition of the log
└── ArchiveRefused      an archive does not hold what the kept tree says
"""


class AuditError(Exception):
    """The audit log refused something."""

    code = "audit"


class Unrecordable(AuditError):  # noqa: N818 -- reads as a fact, like Django's DoesNotExist
    """An entry is of a shape or size that the log does not take; the message names which."""

    code = "unrecordable"


class AnotherSequencer(AuditError):  # noqa: N818 -- see Unrecordable
    """Another process is sequencing this log at this moment."""

    code = "another_sequencer"


class Inconsistent(AuditError):  # noqa: N818 -- see Unrecordable
    """What would be signed does not continue what was signed before; nothing was signed."""

    code = "inconsistent"


class RolledBack(Inconsistent):
    """The database is older than the checkpoint that lies outside it."""

    code = "rolled_back"


class NoSuchCheckpoint(AuditError):  # noqa: N818 -- see Unrecordable
    """A file that should hold a checkpoint holds none."""

    code = "no_such_checkpoint"


class UnknownPlace(AuditError):  # noqa: N818 -- see Unrecordable
    """A place for checkpoints is of no kind that we can write to; the message names it."""

    code = "unknown_place"


class NotTaken(AuditError):  # noqa: N818 -- see Unrecordable
    """A place could not be reached, or did not take a checkpoint; the message says why."""

    code = "not_taken"


class AheadOfUs(AuditError):  # noqa: N818 -- see Unrecordable
    """A place holds a checkpoint of more leaves than the one to be kept there; it was left alone.

    Either the database is older than the place, or another log is kept there.
    """

    code = "ahead_of_us"


class UnknownBookmark(AuditError):  # noqa: N818 -- see Unrecordable
    """Where a reader says to stand is no place in the log."""

    code = "unknown_bookmark"


class NotSealed(AuditError):  # noqa: N818 -- see Unrecordable
    """Leaves may not be taken away: not signed, not what was signed, or not proved any more."""

    code = "not_sealed"


class UnderHold(AuditError):  # noqa: N818 -- see Unrecordable
    """Leaves may not be taken away: a tenant of theirs is under a legal hold."""

    code = "under_hold"


class NotTheOwner(AuditError):  # noqa: N818 -- see Unrecordable
    """Only the role that owns the tables can drop a partition of the log."""

    code = "not_the_owner"


class ArchiveRefused(AuditError):  # noqa: N818 -- see Unrecordable
    """An archive of retired leaves does not hold what the kept tree says."""

    code = "archive_refused"
