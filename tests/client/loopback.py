"""A service on the loopback that answers from a script and keeps what it was sent."""

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "twy_0123456789_notarealkey"


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in gzip.decompress(self.body).splitlines()]


@dataclass
class Answer:
    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    hang_up: bool = False


@dataclass
class Service:
    url: str = ""
    requests: list[Request] = field(default_factory=list)
    script: list[Answer] = field(default_factory=list)  # the next answers, then the usual ones
    usual: Callable[[Request], Answer] | None = None

    def answer(self, request: Request) -> Answer:
        self.requests.append(request)
        if self.script:
            scripted = self.script.pop(0)
            if scripted.status != 200 or scripted.hang_up or scripted.body is not None:
                return scripted
        if self.usual:
            return self.usual(request)
        count = len(request.events)
        return Answer(body={"received": count, "accepted": count, "rejected": {}})


class Server(ThreadingHTTPServer):
    daemon_threads = True
    service: Service

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is part of some tests."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet for an answer, or Nagle's algorithm costs 40 ms each
    server: Server

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        request = Request(self.command, self.path, dict(self.headers.items()), body)
        answer = self.server.service.answer(request)
        if answer.hang_up:
            self.close_connection = True
            return
        content = (
            answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        )
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    do_GET = do_POST = _serve  # noqa: N815 -- the names that http.server looks for

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the parent's name
        """Stay silent."""
