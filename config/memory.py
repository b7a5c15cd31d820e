"""What of a process's memory may leave it: no core file, and nothing for others to read.

CPython cannot wipe what it frees, so a key may lie in memory after it was dropped. What is left is
to let no copy be made: core files are off, and the kernel lets no other process of the same account
trace this one or read its memory (Linux: ``PR_SET_DUMPABLE``). Signals, sockets and locks are not
touched by it, and a program that is started from here is dumpable again, as ``execve`` has it.
"""

import contextlib
import ctypes
import os
import resource
import sys

PR_SET_DUMPABLE = 4
KEPT_DUMPABLE = "TAWNY_DUMPABLE"
"""Set to 1 by whoever must trace a process of ours, and is its account: a profiler, a debugger."""


def keep_private() -> None:
    """Forbid core files and tracing of this process and of what it forks."""
    if os.environ.get(KEPT_DUMPABLE) == "1":
        return
    with contextlib.suppress(ValueError, OSError):  # a lower hard limit serves as well
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
