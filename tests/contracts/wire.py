"""Bytes to a server and its answer back, with nothing added, followed or forgiven between."""

import base64
import gzip
import http.client
import io
import socket
import ssl
from collections.abc import Iterable
from dataclasses import dataclass

PATIENCE_SECONDS = 60.0
"""Until a server that does not answer fails the test."""
Headers = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back; header names in lower case, the body without its content encoding."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where the product listens; `tls` says whom a client trusts where it speaks HTTPS."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None

    @property
    def authority(self) -> str:
        return f"{self.host}:{self.port}"

    def send(self, request: bytes) -> Answer:
        """Send one request on a connection of its own; return its answer."""
        with self._connected() as line:
            line.sendall(request)
            return _read(line, request.partition(b" ")[0].decode("ascii"))

    def _connected(self) -> socket.socket:
        line = socket.create_connection((self.host, self.port), timeout=PATIENCE_SECONDS)
        if self.tls is None:
            return line
        return self.tls.wrap_socket(line, server_hostname=self.host)


def request(method: str, target: str, headers: Headers, body: bytes = b"") -> bytes:
    """Write a request with its headers in the order given."""
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def basic(key: str, password: str | None = "") -> str:
    """Write HTTP Basic with the key as user name; ``None`` leaves the colon out too."""
    text = key if password is None else f"{key}:{password}"
    return "Basic " + base64.b64encode(text.encode()).decode()


def _read(line: socket.socket, method: str) -> Answer:
    response = http.client.HTTPResponse(line, method=method)
    response.begin()
    body = response.read()
    headers = {name.lower(): value for name, value in response.getheaders()}
    if headers.get("content-encoding", "").lower() == "gzip":
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as packed:
            body = packed.read()
    return Answer(status=response.status, headers=headers, body=body)
