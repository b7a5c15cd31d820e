"""One question and its answer over a Unix socket."""

import socket
from pathlib import Path

SECONDS = 1.0
ANSWER_BYTES = 512


def ask(path: Path, question: bytes) -> bytes:
    """Send `question` and return the first bytes of the answer; empty where nobody answers."""
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(SECONDS)
            line.connect(str(path))
            line.sendall(question)
            return line.recv(ANSWER_BYTES)
    except OSError:
        return b""
