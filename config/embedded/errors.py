"""What can go wrong while the embedded servers start, run or stop.

EmbeddedError
├── AlreadyRunning  another process holds this home
├── PortTaken       the web port cannot be had
├── WrongSetting    a TAWNY_ variable cannot be used as it is
├── NoIdentity      PostgreSQL refuses root, and this root may become nobody else
├── ServerFailed    a server or a preparing step ended instead of getting ready
├── Damaged         the home lacks something that cannot be made again
└── Held            a lock stayed with another process
"""

from typing import ClassVar


class EmbeddedError(Exception):
    """The embedded deployment cannot go on; the message says why and what to do."""

    code: ClassVar[str] = "embedded"
    exit_status: ClassVar[int] = 1


class AlreadyRunning(EmbeddedError):  # noqa: N818 -- reads as a fact, like Django's DoesNotExist
    """Another process holds this home; nothing was started."""

    code = "already_running"
    exit_status = 3


class PortTaken(EmbeddedError):  # noqa: N818 -- see AlreadyRunning
    """The address for the web server is in use or not ours; nothing was started."""

    code = "port_taken"
    exit_status = 3


class WrongSetting(EmbeddedError):  # noqa: N818 -- see AlreadyRunning
    """An environment variable has a value that cannot be used."""

    code = "wrong_setting"
    exit_status = 2


class NoIdentity(EmbeddedError):  # noqa: N818 -- see AlreadyRunning
    """PostgreSQL refuses to run as root, and no other identity is permitted here."""

    code = "no_identity"


class ServerFailed(EmbeddedError):  # noqa: N818 -- see AlreadyRunning
    """A server or a preparing step ended instead of getting ready."""

    code = "server_failed"


class Damaged(EmbeddedError):  # noqa: N818 -- see AlreadyRunning
    """The home lacks something that cannot be made again."""

    code = "damaged"


class Held(EmbeddedError):  # noqa: N818 -- see AlreadyRunning
    """A lock stayed with another process for longer than the caller would wait."""

    code = "held"
