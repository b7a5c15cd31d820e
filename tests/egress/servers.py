"""Servers that answer each connection by a function, on loopback."""

import contextlib
import datetime as dt
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from egress import Allow, Limits, Policy

QUICK = Limits(connect=0.4, read=0.4, total=1.5, body=1 << 20, inflated=1 << 20)
Answer = Callable[[socket.socket, bytes], None]


class Server:
    """Answers each connection by a function and remembers the requests."""

    def __init__(self, answer: Answer, context: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self.server_names: list[str | None] = []
        self._answer = answer
        self._context = context
        if context is not None:
            context.sni_callback = lambda _s, name, _c: self.server_names.append(name)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), connection:
                if self._context is not None:
                    with self._context.wrap_socket(connection, server_side=True) as secured:
                        self._one(secured)
                else:
                    self._one(connection)

    def _one(self, connection: socket.socket) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            piece = connection.recv(4096)
            if not piece:
                return
            request += piece
        self.requests.append(request)
        self._answer(connection, request)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(3)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/list"

    @property
    def policy(self) -> Policy:
        return self.open()

    def open(self, redirects: int = 0) -> Policy:
        rule = Allow.of_network("127.0.0.0/8", scheme="http", port=self.port)
        return Policy(allow=(rule,), redirects=redirects)


@contextlib.contextmanager
def serving(answer: Answer, context: ssl.SSLContext | None = None) -> Iterator[Server]:
    server = Server(answer, context)
    try:
        yield server
    finally:
        server.close()


def plain(body: bytes, *headers: str, status: str = "200 OK") -> Answer:
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    raw = "\r\n".join(head).encode() + b"\r\n\r\n" + body
    return lambda connection, _request: connection.sendall(raw)


def raw(text: bytes) -> Answer:
    return lambda connection, _request: connection.sendall(text)


def to(*texts: str) -> Callable[[str, int], Sequence[str]]:
    return lambda _host, _port: texts


def certificate(folder: Path, name: str) -> Path:
    """Write a self-signed certificate with its key for a name and an address that never fits."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("192.0.2.1"))]
            ),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    file.write_bytes(
        built.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return file
