"""Lines for whoever started the launcher: each step with its seconds."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO


class Progress:
    """Writes steps and remarks to a stream, each a line at once."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._mid_line = False

    @property
    def is_terminal(self) -> bool:
        """Whether a person reads along, and nobody else."""
        return self._stream.isatty()

    def say(self, line: str) -> None:
        """Write a line of its own."""
        self._write(f"{line}\n")

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Write the step's name when it begins, and its seconds when it is done."""
        begun = time.monotonic()
        self._write(f"{name} ... ")
        self._mid_line = True
        try:
            yield
        except BaseException:
            self._close_line("failed")
            raise
        self._close_line(f"{time.monotonic() - begun:.1f} s")

    def _close_line(self, text: str) -> None:
        if self._mid_line:
            self._mid_line = False
            self._write(f"{text}\n")

    def _write(self, text: str) -> None:
        if self._mid_line:
            self._mid_line = False
            text = f"\n{text}"
        self._stream.write(text)
        self._stream.flush()


def on_stdout() -> Progress:
    """Report to standard output."""
    return Progress(sys.stdout)


def on_stderr() -> Progress:
    """Report to standard error: standard output belongs to the command's own result."""
    return Progress(sys.stderr)
