"""What can go wrong with the state that a sending run keeps on this machine.

StateError           state             the folder with the state cannot be used
 ├── StateInUse      state_in_use      another run holds it
 └── DiskFull        disk_full         it could not be written to the end of the run
"""

# ruff: noqa: N818 -- the names say what happened; the root says that they are errors

from tawny.errors import TawnyError


class StateError(TawnyError):
    """The folder with the state cannot be used."""

    code = "state"


class StateInUse(StateError):
    """Another run sends the same format to the same service with the same key."""

    code = "state_in_use"


class DiskFull(StateError):
    """What was read could not be kept: it lies in the logs still, and the next run reads it."""

    code = "disk_full"
