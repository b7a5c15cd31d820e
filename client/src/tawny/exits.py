"""Exit codes of the ``tawny`` command, the same for every one of its commands."""

from enum import IntEnum

from tawny.errors import Forbidden, InvalidUrl, Overloaded, TawnyError, Unauthenticated


class Exit(IntEnum):
    """What became of a command; ``USAGE`` is 2 as well, as it is for most programs."""

    DONE = 0
    FAILED = 1  # the service was not reached, answered something else or failed to the end
    PARTLY = 2  # something was rejected, malformed or damaged, or a part was sent before a failure
    USAGE = 2
    KEY = 3  # the key is unknown, revoked, expired or not allowed to do this
    BUSY = 4  # a quota is used up or the service overloaded, to the last attempt
    INTERRUPTED = 130


def exit_for(error: TawnyError) -> Exit:
    """Give the exit code of an error that ended a command before anything was done."""
    match error:
        case InvalidUrl():
            return Exit.USAGE
        case Unauthenticated() | Forbidden():
            return Exit.KEY
        case Overloaded():
            return Exit.BUSY
        case _:
            return Exit.FAILED
