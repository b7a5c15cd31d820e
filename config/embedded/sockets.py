"""Where sockets lie: in the home, or in a shorter folder that the home links to."""

import os
import stat
import tempfile
from pathlib import Path

from config.embedded.become import NOBODY
from config.embedded.errors import Damaged
from config.embedded.files import make_private_folder
from config.embedded.state import POSTGRES_PORT
from crypto.digests import sha256

PATH_BYTES = 107 if os.uname().sysname == "Linux" else 103
"""What fits into sockaddr_un, its closing zero byte apart."""
LONGEST_NAME = f".s.PGSQL.{POSTGRES_PORT}"


def place(home: Path) -> Path:
    """Make the folder for `home`'s sockets, and return it.

    Raises
    ------
    Damaged
        No folder is short enough, or the one for this home belongs to somebody else.
    """
    near = home / "sockets"
    if near.is_symlink():
        near.unlink()
    if fits(near):
        return make_private_folder(near)
    name = f"tawny-{os.geteuid()}-{sha256(os.fsencode(home)).hex()[:16]}"
    for base in (os.environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir(), "/tmp"):  # noqa: S108 -- checked below
        if base and Path(base).is_dir() and fits(Path(base, name)):
            far = make_private_folder(Path(base, name))
            _refuse_strangers(far)
            near.symlink_to(far)
            return far
    raise Damaged(
        f"{home} is too long for a socket, and there is no short folder for temporary files"
    )


def fits(folder: Path) -> bool:
    """Tell whether the sockets' paths in `folder` are short enough for the kernel."""
    return len(os.fsencode(folder / LONGEST_NAME)) <= PATH_BYTES


def _refuse_strangers(folder: Path) -> None:
    """Refuse a folder that another user made to have our sockets in it."""
    found = folder.lstat()
    ours = {os.geteuid()} | ({NOBODY} if os.geteuid() == 0 else set())
    private = stat.S_ISDIR(found.st_mode) and not stat.S_IMODE(found.st_mode) & 0o077
    if found.st_uid not in ours or not private:
        raise Damaged(f"{folder} exists and is not a private folder of this user: remove it")
