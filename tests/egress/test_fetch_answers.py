"""Answers, time limits and TLS, against servers of our own."""

import gzip
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from egress import (
    Allow,
    BrokenAnswer,
    ConnectFailed,
    EgressError,
    Policy,
    TimedOut,
    TlsFailed,
    TooLarge,
    Unresolvable,
    fetch,
)
from tests.egress.servers import QUICK, Server, certificate, plain, raw, serving, to

# -- answers


def test_validators_are_sent_and_not_modified_is_an_answer() -> None:
    with serving(raw(b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n')) as server:
        got = fetch(
            server.url, policy=server.policy, limits=QUICK, etag='"a"', last_modified="yesterday"
        )
        assert (got.status, got.body, got.headers["etag"]) == (304, b"", '"a"')
        assert b'If-None-Match: "a"' in server.requests[0]
        assert b"If-Modified-Since: yesterday" in server.requests[0]


def test_an_error_status_is_an_answer_too() -> None:
    with serving(plain(b"no", status="503 Unavailable")) as server:
        assert fetch(server.url, policy=server.policy, limits=QUICK).status == 503


def test_chunked_bodies_and_gzip_of_several_members_are_read_whole() -> None:
    body = gzip.compress(b"one\n") + gzip.compress(b"two\n")
    chunked = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in (body[:9], body[9:])) + b"0\r\n\r\n"
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n"
    with serving(raw(head + chunked)) as server:
        assert fetch(server.url, policy=server.policy, limits=QUICK).body == b"one\ntwo\n"


@pytest.mark.parametrize(
    "text",
    [
        b"220 ready\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfour",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"abc" * 99)[:-9],
        b"HTTP/1.1 200 OK\r\n" + b"X-Y: z\r\n" * 200 + b"\r\n",
        b"",
    ],
)
def test_a_broken_answer_is_named_as_such(text: bytes) -> None:
    with serving(raw(text)) as server, pytest.raises(BrokenAnswer):
        fetch(server.url, policy=server.policy, limits=QUICK)


def test_a_body_announced_too_large_is_not_read() -> None:
    with (
        serving(raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n")) as server,
        pytest.raises(TooLarge),
    ):
        fetch(server.url, policy=server.policy, limits=QUICK)


def test_a_body_that_never_ends_is_cut_at_the_cap() -> None:
    def flood(connection: socket.socket, _request: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"a" * 65_536)

    with serving(flood) as server, pytest.raises(TooLarge):
        fetch(server.url, policy=server.policy, limits=QUICK)


def test_a_small_body_that_inflates_past_the_cap_is_refused() -> None:
    bomb = gzip.compress(bytes(32 << 20))
    assert len(bomb) < 64_000
    with serving(plain(bomb, "Content-Encoding: gzip")) as server, pytest.raises(TooLarge):
        fetch(server.url, policy=server.policy, limits=QUICK)


# -- time


def test_a_silent_server_times_out() -> None:
    with serving(lambda _c, _r: time.sleep(1.2)) as server, pytest.raises(TimedOut):
        fetch(server.url, policy=server.policy, limits=QUICK)


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\n\r\n"], ids=["headers", "body"])
def test_a_server_that_drips_a_byte_at_a_time_meets_the_deadline(head: bytes) -> None:
    def drip(connection: socket.socket, _request: bytes) -> None:
        connection.sendall(head)
        for _ in range(60):
            connection.sendall(b"a")
            time.sleep(0.05)

    with serving(drip) as server, pytest.raises(TimedOut):
        fetch(server.url, policy=server.policy, limits=QUICK)


def test_a_resolver_that_hangs_times_out() -> None:
    done = threading.Event()

    def hang(_host: str, _port: int) -> Sequence[str]:
        done.wait(5)
        return ["8.8.8.8"]

    with pytest.raises(TimedOut):
        fetch("https://list.example/", policy=Policy(), limits=QUICK, resolve=hang)
    done.set()


def test_nobody_listening_and_no_such_name_are_told_apart() -> None:
    with serving(plain(b"")) as server:
        policy, url = server.policy, server.url
    with pytest.raises(ConnectFailed):
        fetch(url, policy=policy, limits=QUICK)

    def unknown(_host: str, _port: int) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    with pytest.raises(Unresolvable):
        fetch("https://nowhere.example/", policy=Policy(), limits=QUICK, resolve=unknown)
    with pytest.raises(Unresolvable):
        fetch("https://nowhere.example/", policy=Policy(), limits=QUICK, resolve=to())


# -- TLS


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[tuple[Server, Path]]:
    file = certificate(tmp_path, "list.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    with serving(plain(b"over tls"), context) as server:
        yield server, file


def policy_for(server: Server) -> Policy:
    rule = Allow.of_network("127.0.0.0/8", scheme="https", port=server.port)
    return Policy(allow=(rule,))


def test_tls_is_checked_for_the_name_while_the_address_is_pinned(
    secured: tuple[Server, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, file = secured
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    url = f"https://list.example:{server.port}/"
    got = fetch(url, policy=policy_for(server), limits=QUICK, resolve=to("127.0.0.1"))
    assert got.body == b"over tls"
    assert server.server_names == ["list.example"]


def test_another_name_and_an_unknown_issuer_fail(
    secured: tuple[Server, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, file = secured
    with pytest.raises(TlsFailed):
        fetch(
            f"https://list.example:{server.port}/",
            policy=policy_for(server),
            limits=QUICK,
            resolve=to("127.0.0.1"),
        )
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    for host in ("other.example", "127.0.0.1"):
        with pytest.raises(TlsFailed):
            fetch(
                f"https://{host}:{server.port}/",
                policy=policy_for(server),
                limits=QUICK,
                resolve=to("127.0.0.1"),
            )


def test_every_failure_has_a_code_of_its_own() -> None:
    codes = [kind.code for kind in EgressError.__subclasses__()]
    assert len(set(codes)) == len(codes) == 9
