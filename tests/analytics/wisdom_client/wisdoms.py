"""A Wisdom of our own: answers over loopback as a test tells it to, and remembers what it heard."""

import contextlib
import http.server
import threading
from collections.abc import Callable, Iterator
from typing import Any

from destinations.report import (
    Destination,
    Report,
    ReportsResponse,
    decode_request,
    encode_response,
)

Answer = Callable[["Handler", bytes], None]


def report(destination: Destination, *, ttl: int = 3_600, flags: tuple[str, ...] = ()) -> Report:
    """Make a report, empty unless told otherwise."""
    return Report(
        destination=destination,
        flags=flags,
        labels=(),
        domain="",
        score=0,
        verdict="noted" if flags else "unlisted",
        reasons=(),
        ttl=ttl,
        snapshot="v1",
        psl="p",
    )


def honest(handler: "Handler", body: bytes) -> None:
    """Answer as agreed."""
    asked = decode_request(body).destinations
    found = tuple(report(each, ttl=handler.server.ttl, flags=("c2",)) for each in asked)
    handler.reply(200, encode_response(ReportsResponse(reports=found)))


class Wisdom(http.server.ThreadingHTTPServer):
    """Hears and answers."""

    ttl = 3_600

    def __init__(self, answer: Answer) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer = answer
        self.heard: list[bytes] = []
        self.heads: list[dict[str, str]] = []
        self.connections: set[Any] = set()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def destinations(self) -> list[Destination]:
        """Everything asked so far, in order."""
        return [each for body in self.heard for each in decode_request(body).destinations]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that leave."""


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection."""

    server: Wisdom
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Hear a request and let the test's function answer it."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append(body)
        self.server.heads.append(dict(self.headers.items()) | {":path": self.path})
        self.server.connections.add(self.client_address)
        self.server.answer(self, body)

    def reply(self, status: int, body: bytes) -> None:
        """Send a whole answer."""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the library's name
        """Say nothing."""


@contextlib.contextmanager
def serving(answer: Answer) -> Iterator[Wisdom]:
    """Serve until the block ends."""
    with Wisdom(answer) as server:
        server.daemon_threads = True
        server.block_on_close = False
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join(3)
