"""Children: started in a session of their own, tied to our life, ended with all they forked."""

import contextlib
import io
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from config.embedded import become
from config.embedded.errors import ServerFailed
from config.embedded.files import make_private_folder
from config.embedded.locks import take_from_survivors

LOG_ROTATE_BYTES = 10 * 1024 * 1024
SURVIVOR_SECONDS = 12.0
"""How long what a former launcher left may take to end: PostgreSQL's last checkpoint, a task."""
POLL_SECONDS = 0.02


class Identity(StrEnum):
    """As whom a program runs; see `config.embedded.become`."""

    SELF = "self"
    NAMESPACE = "namespace"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What is started: an absolute command, its surroundings, and the signals it understands."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    directory: Path
    home: Path
    stop_signal: signal.Signals = signal.SIGTERM
    orphan_signal: signal.Signals = signal.SIGTERM
    identity: Identity = Identity.SELF

    @property
    def log(self) -> Path:
        """The file that takes what the program prints."""
        return self.home / "logs" / f"{self.name}.log"

    @property
    def lifeline(self) -> Path:
        """The file that the program and its descendants keep locked while they live."""
        return self.home / "alive" / self.name

    def launch(self) -> "Process":
        """Start the program; see the function `launch`."""
        return launch(self)


class Process:
    """A started program: the leader of a session and process group of its own."""

    def __init__(self, popen: subprocess.Popen[bytes], program: Program) -> None:
        self._popen = popen
        self.program = program
        self.pid = popen.pid
        self.started = time.monotonic()

    def ended(self) -> int | None:
        """Return the exit status, negative for a signal, or None while it lives.

        What is left of its process group ends with it: a web server's worker would keep the port.
        """
        if self._popen.returncode is None:
            # Seen before it is reaped: until then the group's number cannot be another's.
            if os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                return None
            self._signal_group(signal.SIGKILL)
            self._popen.wait()
        return self._popen.returncode

    def ask_to_stop(self) -> None:
        """Send the program's own stop signal."""
        if self.ended() is None:
            self._popen.send_signal(self.program.stop_signal)

    def wait(self, *, until: float) -> bool:
        """Wait for the end until the monotonic instant `until`; tell whether it came."""
        while self.ended() is None:
            if time.monotonic() >= until:
                return False
            time.sleep(POLL_SECONDS)
        return True

    def kill(self) -> None:
        """End the whole process group at once."""
        if self.ended() is None:
            self._signal_group(signal.SIGKILL)
            self.wait(until=time.monotonic() + SURVIVOR_SECONDS)

    def _signal_group(self, number: signal.Signals) -> None:
        try:
            os.killpg(self.pid, number)
        except (ProcessLookupError, PermissionError):
            # None is left, or (PermissionError) only a zombie that macOS will not signal.
            return


def launch(
    program: Program,
    *,
    feed: bytes = b"",
    clear: Callable[[], None] | None = None,
    output: int | None = None,
) -> Process:
    """Start `program` with `feed` on its standard input.

    First what is left of its former life ends; then `clear` may remove what that left. Standard
    output goes to the log like standard error, or to the descriptor `output`.
    """
    make_private_folder(program.lifeline.parent)
    make_private_folder(program.log.parent)
    lifeline = take_from_survivors(program.lifeline, patience=SURVIVOR_SECONDS)
    try:
        if clear:
            clear()
        _rotate(program.log)
        with program.log.open("ab") as log:
            popen = subprocess.Popen(  # noqa: S603 -- a list of our own arguments, no shell
                _wrapped(program),
                stdin=subprocess.PIPE if feed else subprocess.DEVNULL,
                stdout=log if output is None else output,
                stderr=log,
                cwd=program.directory,
                env=dict(program.environment),
                start_new_session=True,
                pass_fds=(lifeline,),
            )
    finally:
        os.close(lifeline)
    if popen.stdin:
        with contextlib.suppress(BrokenPipeError), popen.stdin as pipe:
            pipe.write(feed)  # where it ended already, its exit status says why
    return Process(popen, program)


def run(program: Program, *, feed: bytes = b"", seconds: float) -> bytes:
    """Run `program` to its end; return what it wrote to standard output, which no log keeps.

    Raises
    ------
    ServerFailed
        It failed, or took longer than `seconds`.
    """
    until = time.monotonic() + seconds
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb", buffering=0) as answer:
        try:
            process = launch(program, feed=feed, output=writer)
        finally:
            os.close(writer)
        try:
            written = _read_until_closed(answer, until=until)
            done = process.wait(until=until)
        finally:
            process.kill()
    if not done:
        raise ServerFailed(f"{program.name}: not done in {seconds:.0f} s{last_words(program.log)}")
    if process.ended() != 0:
        why = f"status {process.ended()}{last_words(program.log)}"
        raise ServerFailed(f"{program.name} ended with {why}")
    return written


def is_permitted(identity: Identity, command: tuple[str, ...]) -> bool:
    """Tell whether `command`, which must end by itself, works under `identity`."""
    wrapped = (*_become(identity, signal.SIGKILL), *command)
    done = subprocess.run(  # noqa: S603 -- a list of our own arguments, no shell
        wrapped, check=False, capture_output=True, cwd="/", timeout=SURVIVOR_SECONDS
    )
    return done.returncode == 0


def last_words(log: Path, *, lines: int = 8) -> str:
    """Return the end of a log as an indented block, led by its path."""
    try:
        tail = log.read_bytes()[-4096:].decode(errors="replace").splitlines()[-lines:]
    except FileNotFoundError:
        tail = []
    return "".join(f"\n    {line}" for line in (f"{log}:", *tail))


def _become(identity: Identity, orphan_signal: signal.Signals) -> tuple[str, ...]:
    own = (str(os.getpid()), str(int(orphan_signal)), identity.value)
    return (sys.executable, "-I", "-S", become.__file__, *own)


def _wrapped(program: Program) -> tuple[str, ...]:
    return (*_become(program.identity, program.orphan_signal), *program.command)


def _read_until_closed(pipe: io.FileIO, *, until: float) -> bytes:
    written = b""
    while select.select([pipe], [], [], max(0.0, until - time.monotonic()))[0]:
        piece = pipe.read(65536)
        if not piece:
            break
        written += piece
    return written


def _rotate(log: Path) -> None:
    if log.exists() and log.stat().st_size > LOG_ROTATE_BYTES:
        log.replace(log.with_name(f"{log.name}.1"))
