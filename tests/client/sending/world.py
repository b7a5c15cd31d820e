"""A sensor with logs, a service that counts as ours does, and a run that can be killed."""

import errno
import gzip
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest

from tawny.answers import Receipt
from tawny.cli.send import formats
from tawny.errors import Overloaded, Unreachable
from tawny.formats.events import Kind
from tawny.sending import folders, runs
from tawny.sending.account import Account
from tawny.sending.parcels import Part
from tawny.sending.runs import Run
from tests.client.zeek_logs import CONN_FIELDS, conn_row, header

ROUNDS = 5  # a rotated log is read, then the new one, then put away, then found compressed

Identity = tuple[Kind, bytes]


@dataclass
class CountingService:
    """Holds of equal events as many as the request with most of them had."""

    held: Counter[Identity] = field(default_factory=Counter)
    requests: list[Part] = field(default_factory=list)
    mood: str = "good"  # or: gone, busy, mute (takes, but its answer is lost)

    def deliver(self, kind: Kind, part: Part) -> Receipt:
        if self.mood == "gone":
            raise Unreachable("connection refused")
        if self.mood == "busy":
            raise Overloaded(503, "later", "1")
        self.requests.append(part)
        events = Counter((kind, line) for line in part.body.splitlines())
        self.held |= events
        if self.mood == "mute":
            raise Unreachable("cut off in the answer")
        return Receipt(received=part.events, accepted=part.events)

    @property
    def ids(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for (_, line), count in self.held.items():
            found[_id(line)] += count
        return found

    @property
    def distinct(self) -> list[str]:
        """The events of all requests, those that are repeated byte for byte once."""
        return [
            _id(line)
            for body in {part.body for part in self.requests}
            for line in body.splitlines()
        ]

    @property
    def order(self) -> list[str]:
        return [_id(line) for request in self.requests for line in request.body.splitlines()]


def _id(line: bytes) -> str:
    return line.partition(b'"connID":"')[2].partition(b'"')[0].decode()


class Disk:
    """Makes the state's disk full: half of a file is written, then there is no more room."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full = False
        written = folders._written

        def write(path: Path, pieces: Iterator[bytes]) -> int:
            if not self.full:
                return written(path, pieces)
            content = b"".join(pieces)
            path.write_bytes(content[: len(content) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(folders, "_written", write)


@dataclass
class World:
    """Time passes only when it is told to."""

    root: Path
    disk: Disk
    service: CountingService = field(default_factory=CountingService)
    limits: dict[str, int] = field(default_factory=dict)
    now: float = 1_800_000_000.0
    said: list[str] = field(default_factory=list)
    written: Counter[str] = field(default_factory=Counter)
    account: Account = field(default_factory=Account)
    _run: Run | None = None
    _stack: ExitStack = field(default_factory=ExitStack)
    _opened: int = 0
    _rotated: int = 0

    def __post_init__(self) -> None:
        self.logs.mkdir()
        self.create()

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def log(self) -> Path:
        return self.logs / "conn.log"

    @property
    def state(self) -> Path:
        return self.root / "state"

    # The sensor

    def _touch(self, path: Path) -> None:
        os.utime(path, (self.now, self.now))

    def _header(self) -> str:
        self._opened += 1
        return header("conn", CONN_FIELDS).replace("00-00-01", f"00-{self._opened:02d}-01")

    def create(self) -> None:
        self.log.write_text(self._header())
        self._touch(self.log)

    def append(self, count: int = 1, *, path: Path | None = None) -> None:
        path = path or self.log
        for _ in range(count):
            self._line(path)
        self._touch(path)

    def _line(self, path: Path) -> None:
        number = self.written.total()
        uid = f"C{number}"
        self.written[uid] += 1
        row = conn_row(uid=uid, ts=f"{1713484795 + number // 3}.5")
        with path.open("a") as file:
            file.write(row)

    def append_half(self) -> None:
        """Write a line without its end, which comes with the next call of ``end_half``."""
        self._half = conn_row(uid=f"C{self.written.total()}", ts=f"{1713484795 + 10_000}.5")
        self.written[f"C{self.written.total()}"] += 1
        with self.log.open("a") as file:
            file.write(self._half[:40])
        self._touch(self.log)

    def end_half(self) -> None:
        with self.log.open("a") as file:
            file.write(self._half[40:])
        self._touch(self.log)

    def rename(self) -> Path:
        self._rotated += 1
        rotated = self.logs / f"conn.{self._rotated:03d}.log"
        self.log.rename(rotated)
        self.create()
        return rotated

    def copy_and_truncate(self) -> Path:
        self._rotated += 1
        rotated = self.logs / f"conn.{self._rotated:03d}.log"
        shutil.copyfile(self.log, rotated)
        self._touch(rotated)
        os.truncate(self.log, 0)
        with self.log.open("a") as file:
            file.write(self._header())
        self._touch(self.log)
        return rotated

    def compress(self, path: Path) -> Path:
        packed = path.with_name(f"{path.name}.gz")
        packed.write_bytes(gzip.compress(path.read_bytes()))
        self._touch(packed)
        path.unlink()
        return packed

    @property
    def rotated(self) -> list[Path]:
        return sorted(self.logs.glob("conn.*.log"))

    # The run

    @property
    def run(self) -> Run:
        if self._run is None:
            self._stack = ExitStack()
            self.account = Account()
            self._run = self._stack.enter_context(
                runs.opened(
                    state=self.state,
                    paths=[str(self.logs)],
                    log_format=formats.zeek(),
                    deliver=self.service.deliver,
                    account=self.account,
                    said=self.said.append,
                    random=Random(1),
                    clock=lambda: self.now,
                    **self.limits,  # type: ignore[arg-type]  # names of `opened` with numbers alone
                )
            )
        return self._run

    def kill(self) -> None:
        """Lose everything that is not on the disk."""
        run, self._run = self._run, None
        if run is not None:
            for tail in run.reader.watch.tails.values():
                tail.close()  # as the system does for a process that has gone
            run.checkpoint.close()

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def poll(self) -> None:
        while self.run.reader.poll(now=self.now, tick=self.now):
            self.send(1)

    def flush(self) -> bool:
        return self.run.reader.flush(now=self.now, tick=self.now)

    def send(self, steps: int = 1000) -> None:
        for _ in range(steps):
            if self.run.sender.step(tick=self.now) != 0:
                return

    def settle(self) -> None:
        """Let everything be well, and bring what there is to the service."""
        self.service.mood = "good"
        self.disk.full = False
        quiet = 0
        while quiet < ROUNDS:
            self.wait(1000)
            self.poll()
            self.flush()
            self.send()
            quiet = 0 if self.run.spool.waiting or not self.run.reader.caught_up else quiet + 1
