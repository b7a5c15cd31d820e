"""Seconds and bytes of this process and of the database's, as the operating system counts them.

CPU seconds, not wall seconds, are what compares: they hold still while others use the machine.
"""

import os
import platform
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

_PROC = Path("/proc")
_STATUS = _PROC / "self" / "status"


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """What a figure was measured on."""

    cpu: str
    cores: int
    python: str
    system: str


@dataclass(slots=True, kw_only=True)
class Spent:
    """Seconds spent: this process's CPU over all its threads, wall, and the database's CPU."""

    cpu: float = 0.0
    wall: float = 0.0
    database: float = 0.0


class Meter:
    """Adds up what stretches of work cost; `postmaster` is the database's first process, if any."""

    def __init__(self, postmaster: int | None) -> None:
        self._postmaster = postmaster

    @contextmanager
    def on(self, spent: Spent) -> Iterator[None]:
        """Add what happens inside to `spent`."""
        database = self._database()
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            spent.cpu += time.process_time() - cpu
            spent.wall += time.perf_counter() - wall
            spent.database += self._database() - database

    def _database(self) -> float:
        return 0.0 if self._postmaster is None else cpu_of_tree(self._postmaster)


def machine() -> Machine:
    """Return the facts of this machine."""
    return Machine(
        cpu=_cpu_model(),
        cores=os.cpu_count() or 1,
        python=f"{platform.python_implementation()} {platform.python_version()}",
        system=f"{platform.system()} {platform.machine()}",
    )


def _cpu_model() -> str:
    try:
        lines = (_PROC / "cpuinfo").read_text("utf-8", "replace").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.processor() or "unknown")


def cpu_of_tree(root: int) -> float:
    """Return the CPU seconds of a process, its descendants, and those of them that have ended.

    0.0 where there is no ``/proc``; the clock's grain is a hundredth of a second.
    """
    parents: dict[int, int] = {}
    ticks: dict[int, int] = {}
    for folder in _PROC.glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text("ascii", "replace").rpartition(")")[2].split()
        except OSError:  # it ended meanwhile
            continue
        parents[int(folder.name)] = int(fields[1])
        ticks[int(folder.name)] = sum(int(each) for each in fields[11:15])
    family = {root}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(ticks.get(pid, 0) for pid in family) / os.sysconf("SC_CLK_TCK")


def begin_peak() -> int:
    """Forget the largest resident size so far where the system can; return the present one."""
    try:
        (_PROC / "self" / "clear_refs").write_text("5", "ascii")
        return _kibibytes("VmRSS")
    except OSError:
        return peak()


def peak() -> int:
    """Return the largest resident size, in bytes, since `begin_peak`, or since the start."""
    try:
        return _kibibytes("VmHWM")
    except OSError:
        scale = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale


def _kibibytes(name: str) -> int:
    lines = _STATUS.read_text("ascii", "replace").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))
