"""A socket whose every read has a time-out and whose whole has a deadline."""

import io
import socket
from collections.abc import Callable


class Wire(io.RawIOBase):
    """Reads from a socket; before each read it asks how many seconds are ``left``.

    A server that sends one byte at a time stays inside any time-out between two reads, so the
    deadline has to be asked for at each of them, in headers and in the body alike.
    """

    def __init__(self, connection: socket.socket, *, left: Callable[[], float]) -> None:
        self._connection = connection
        self._left = left

    def makefile(self, mode: str) -> io.BufferedReader:
        """Give the stream that ``http.client`` reads an answer from."""
        if mode != "rb":
            raise ValueError(f"mode {mode!r}: an answer is only read")
        return io.BufferedReader(self)

    def readable(self) -> bool:
        """Say yes, as the stream protocol wants."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # Buffer has no public name before 3.12
        """Read what has arrived; ``TimeoutError`` or ``egress.TimedOut`` when nothing does."""
        self._connection.settimeout(self._left())
        return self._connection.recv_into(buffer)

    def send(self, request: bytes) -> None:
        """Send a whole request; ``TimeoutError`` when the peer does not take it."""
        self._connection.settimeout(self._left())
        self._connection.sendall(request)
