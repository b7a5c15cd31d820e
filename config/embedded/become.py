"""Become a program whose life is tied to its parent's, perhaps under another identity.

Run by path with the standard library only::

    become.py PARENT SIGNAL IDENTITY PROGRAM ARGUMENT...

The process number stays the same, so whoever started this script has started the program.

``namespace`` enters a user namespace in which the caller is an ordinary user with a name:
PostgreSQL refuses effective user 0, and initdb a number without a name. For everyone outside, the
process and its files stay the caller's, so that it works below a folder that only root may enter.
``nobody`` is for root where that is not permitted: the user nobody, with the one capability that
it takes to pass such a folder.
"""

import contextlib
import ctypes
import errno
import os
import pwd
import signal
import sys

PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION_3 = 0x20080522
CLONE_NEWUSER = 0x10000000
NAMED_USERS = ("daemon", "bin", "nobody")
"""Every system has one of these; which it is matters to nobody."""
NOBODY = 65534
REFUSED = 126
"""Exit status where the identity is not permitted, as a shell has it for 'cannot execute'."""


def enter_namespace(libc: ctypes.CDLL) -> None:
    """Enter a user namespace that maps the caller to an ordinary user."""
    uid, gid, inner = os.geteuid(), os.getegid(), named_id()
    if libc.unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "no user namespace")
    for name, content in (
        ("setgroups", "deny"),
        ("uid_map", f"{inner} {uid} 1"),
        ("gid_map", f"{inner} {gid} 1"),
    ):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:  # noqa: PTH123 -- start-up
            file.write(content)


def named_id() -> int:
    """Return the number of an ordinary user that the system has a name for."""
    for name in NAMED_USERS:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_uid
    raise OSError(errno.ENOENT, "no ordinary user is known by name")


def become_nobody(libc: ctypes.CDLL) -> None:
    """Drop to the user nobody; keep CAP_DAC_OVERRIDE where the caller has it."""
    libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    mask = 1 << CAP_DAC_OVERRIDE
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    # effective, permitted, inheritable; twice, for the low and the high 32 capabilities
    sets = (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)
    if libc.capset(header, sets) == 0:
        libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0)


def main(arguments: list[str]) -> None:
    """Take the identity, tie the process to its parent, and execute the program."""
    parent, orphan_signal, identity, *command = arguments
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        try:
            if identity == "namespace":
                enter_namespace(libc)
            elif identity == "nobody":
                become_nobody(libc)
        except OSError as refused:
            sys.stderr.write(f"{refused}\n")
            sys.exit(REFUSED)
        # Last, because a change of credentials clears it.
        libc.prctl(PR_SET_PDEATHSIG, int(orphan_signal), 0, 0, 0)
    if os.getppid() != int(parent):  # it ended before the line above could take effect
        signal.raise_signal(signal.SIGKILL)
    os.execv(command[0], command)  # noqa: S606 -- a list of arguments, no shell


if __name__ == "__main__":
    main(sys.argv[1:])
