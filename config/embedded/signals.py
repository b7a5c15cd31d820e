"""Signals to the launcher, as an exception while it starts and as a wake-up while it serves."""

import select
import signal
import socket
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self

Handler = Callable[[int, FrameType | None], Any] | int | signal.Handlers | None
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """A signal asked for the end before all was up; no Exception, like KeyboardInterrupt."""


class Signals:
    """Within this context, SIGINT, SIGTERM and SIGHUP ask for the end.

    They raise `Interrupted` at once until `defer` is called; from then on they, and the end of a
    child, end `wait`, and `asked` tells whether the end was asked for.
    """

    def __init__(self) -> None:
        self.asked = False
        self._raises = True
        self._reader, self._writer = socket.socketpair()
        self._former: dict[signal.Signals, Handler] = {}

    def __enter__(self) -> Self:
        """Take the signals over."""
        self._reader.settimeout(0)
        self._writer.settimeout(0)
        for number in (*STOPPING, signal.SIGCHLD):
            self._former[number] = signal.signal(number, self._handle)
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the signals back."""
        signal.set_wakeup_fd(-1)
        for number, handler in self._former.items():
            signal.signal(number, handler)
        self._reader.close()
        self._writer.close()

    def defer(self) -> None:
        """From now on remember a signal instead of raising."""
        self._raises = False

    def wait(self, seconds: float) -> None:
        """Sleep until a signal comes, at most `seconds`."""
        ready, _, _ = select.select([self._reader], [], [], seconds)
        if ready:
            self._reader.recv(4096)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGCHLD:
            return
        first, self.asked = not self.asked, True
        if self._raises and first:
            raise Interrupted
