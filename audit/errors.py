"""What the audit log refuses.

AuditError
├── Unrecordable        an entry is of a shape or size that the log does not take
├── AnotherSequencer    another process is sequencing this log at this moment
├── Inconsistent        what would be signed does not continue what was signed before
│   └── RolledBack      the database is older than the checkpoint outside it
└── NoSuchCheckpoint    a file that should hold a checkpoint holds none
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
