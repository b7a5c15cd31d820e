"""Keeping children alive, and stopping them in order."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from config.embedded.errors import EmbeddedError
from config.embedded.processes import Process

FIRST_DELAY_SECONDS = 1.0
LONGEST_DELAY_SECONDS = 30.0
STEADY_SECONDS = 60.0
"""A child that lived this long was well: its next restart comes after the first delay again."""


class Charge(Protocol):
    """Something that can be started, and started again."""

    @property
    def name(self) -> str:
        """The name that people know it by."""

    def launch(self) -> Process:
        """Start it."""


@dataclass(slots=True, kw_only=True)
class _Kept:
    charge: Charge
    process: Process | None = None
    delay: float = FIRST_DELAY_SECONDS
    due: float = 0.0
    ends: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Charges that stop together, within `seconds` of being asked; then they are killed."""

    charges: Sequence[Charge]
    seconds: float


class Supervisor:
    """Keeps the charges of all stages alive; stops one stage after the other.

    `say` takes a line for people; `changed` is called after a child was started, with the
    process number of each that runs.
    """

    def __init__(
        self,
        stages: Sequence[Stage],
        *,
        say: Callable[[str], None],
        changed: Callable[[dict[str, int]], None],
    ) -> None:
        self._stages = stages
        self._kept = {
            charge.name: _Kept(charge=charge) for stage in stages for charge in stage.charges
        }
        self._say = say
        self._changed = changed

    @property
    def pids(self) -> dict[str, int]:
        """The process number of each child that was started and is not known to have ended."""
        return {name: kept.process.pid for name, kept in self._kept.items() if kept.process}

    def ends(self) -> dict[str, int]:
        """How often each charge ended, or could not be started, without being asked."""
        return {name: kept.ends for name, kept in self._kept.items()}

    def adopt(self, processes: dict[str, Process]) -> None:
        """Take over children that already run, by their charge's name."""
        for name, process in processes.items():
            self._kept[name].process = process

    def tend(self) -> float:
        """Start what is due, note what ended; return the seconds until something is due."""
        before = self.pids
        for kept in self._kept.values():
            self._notice_end(kept)
            if kept.process is None and kept.due <= time.monotonic():
                self._start(kept)
        if self.pids != before:
            self._changed(self.pids)
        waiting = [kept.due for kept in self._kept.values() if kept.process is None]
        return max(0.0, min(waiting, default=float("inf")) - time.monotonic())

    def stop(self) -> None:
        """Stop all children, stage by stage, each in the order of its charges."""
        for stage in self._stages:
            kept = [self._kept[charge.name] for charge in stage.charges]
            processes = [each.process for each in kept if each.process]
            until = time.monotonic() + stage.seconds
            for process in processes:
                process.ask_to_stop()
            for process in processes:
                if not process.wait(until=until):
                    name, seconds = process.program.name, stage.seconds
                    self._say(f"{name} did not stop within {seconds:.0f} s and was ended")
                    process.kill()
            for each in kept:
                each.process = None

    def _notice_end(self, kept: _Kept) -> None:
        status = kept.process.ended() if kept.process else None
        if kept.process is None or status is None:
            return
        if time.monotonic() - kept.process.started >= STEADY_SECONDS:
            kept.delay = FIRST_DELAY_SECONDS
        how = f"signal {-status}" if status < 0 else f"status {status}"
        self._retry_later(kept, f"ended with {how} (log: {kept.process.program.log})")
        kept.process = None

    def _start(self, kept: _Kept) -> None:
        try:
            kept.process = kept.charge.launch()
        except (EmbeddedError, OSError) as failure:
            self._retry_later(kept, f"could not start: {failure}")

    def _retry_later(self, kept: _Kept, why: str) -> None:
        self._say(f"{kept.charge.name} {why}; starting it again in {kept.delay:.0f} s")
        kept.ends += 1
        kept.due = time.monotonic() + kept.delay
        kept.delay = min(kept.delay * 2, LONGEST_DELAY_SECONDS)
