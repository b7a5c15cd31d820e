"""Fetch one URL: resolve once, check every address, connect to the one that was checked."""

import http.client
import queue
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urljoin

from destinations import addresses
from egress.errors import (
    BrokenAnswer,
    ConnectFailed,
    RedirectRefused,
    TimedOut,
    TlsFailed,
    TooLarge,
    Unresolvable,
)
from egress.policy import Policy, Target, target_of
from egress.wire import Wire

Resolver = Callable[[str, int], Sequence[str]]

_CHUNK = 65_536
_KEPT_HEADERS = ("content-type", "etag", "last-modified", "retry-after", "date", "content-length")
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_TRIED = 4  # addresses of one name that are tried before giving up
_GZIP = 16 + zlib.MAX_WBITS


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long and how much.

    Seconds: ``connect`` for name and TCP and TLS each, ``read`` between two bytes, ``total`` for
    everything. Octets: ``body`` as sent, ``inflated`` after gzip.
    """

    connect: float = 5.0
    read: float = 10.0
    total: float = 60.0
    body: int = 64 << 20
    inflated: int = 512 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """An answer: its status, the few headers worth keeping (lower-case), its body, inflated."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    final_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    policy: Policy
    limits: Limits
    resolve: Resolver
    deadline: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "deadline", time.monotonic() + self.limits.total)

    def left(self, most: float) -> float:
        """Seconds that a step may take; ``TimedOut`` when the whole is over."""
        left = min(most, self.deadline - time.monotonic())
        if left <= 0:
            raise TimedOut(f"more than {self.limits.total} s in all")
        return left


def system_addresses(host: str, port: int) -> Sequence[str]:
    """Resolve a name as the system does; ``OSError`` when it has no address."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def fetch(
    url: str,
    *,
    policy: Policy,
    limits: Limits,
    etag: str = "",
    last_modified: str = "",
    headers: Mapping[str, str] | None = None,
    resolve: Resolver = system_addresses,
) -> Fetched:
    """Fetch a URL under a policy; any status but a redirect's is an answer.

    Each name is resolved once, every address it has must pass, and the connection goes to an
    address that passed, with the name kept for TLS and the Host header. No proxy is used, no
    cookie is kept, and ``headers`` do not follow a redirect to another origin.

    Parameters
    ----------
    etag, last_modified
        Validators of an earlier answer: the status is then perhaps 304, with an empty body.
    headers
        Further request headers, for example a source's own key.

    Raises
    ------
    EgressError
        One of its kinds; see ``egress.errors``.

    """
    sent = dict(headers or {})
    if etag:
        sent["If-None-Match"] = etag
    if last_modified:
        sent["If-Modified-Since"] = last_modified
    call = _Call(policy=policy, limits=limits, resolve=resolve)
    first = target = target_of(url)
    for _ in range(policy.redirects + 1):
        answer, location = _ask(call, target, sent if target.origin == first.origin else {})
        if location is None:
            return answer
        target = target_of(urljoin(target.url, location))
    raise RedirectRefused(f"{policy.redirects} redirects are followed, not one more")


def send(
    url: str,
    *,
    method: Literal["POST", "PUT"],
    body: bytes,
    policy: Policy,
    limits: Limits,
    headers: Mapping[str, str] | None = None,
    resolve: Resolver = system_addresses,
) -> Fetched:
    """Send a body to a URL under a policy, as `fetch` does; no redirect is followed.

    Any status but a redirect's is an answer. A body that has begun to leave is never sent again.
    """
    call = _Call(policy=policy, limits=limits, resolve=resolve)
    sent = {**(headers or {}), "Content-Length": str(len(body))}
    answer, location = _ask(call, target_of(url), sent, method=method, body=body)
    if location is not None:
        raise RedirectRefused("what is sent follows no redirect")
    return answer


def _ask(
    call: _Call,
    target: Target,
    headers: Mapping[str, str],
    *,
    method: str = "GET",
    body: bytes = b"",
) -> tuple[Fetched, str | None]:
    call.policy.check_target(target)
    request = _request(target, headers, method) + body
    pinned = _pinned(call, target)
    connection = _connect(call, target, pinned)
    wire = Wire(connection, left=lambda: call.left(call.limits.read))
    try:
        wire.send(request)
        response = http.client.HTTPResponse(wire, method=method)  # type: ignore[arg-type]  # makefile is all it asks of a socket
        response.begin()
        if response.status in _REDIRECTS:
            location = response.getheader("Location")
            if location is None or call.policy.redirects == 0:
                raise RedirectRefused(f"status {response.status} from {target.authority}")
            return _answer(target, response, b""), location
        return _answer(target, response, _body(call, response)), None
    except TimeoutError as error:
        raise TimedOut(f"{target.authority} fell silent") from error
    except (http.client.HTTPException, OSError, ValueError) as error:
        raise BrokenAnswer(f"{target.authority}: {type(error).__name__}") from error
    finally:
        connection.close()


def _answer(target: Target, response: http.client.HTTPResponse, body: bytes) -> Fetched:
    kept = {name: response.getheader(name) for name in _KEPT_HEADERS}
    return Fetched(
        status=response.status,
        headers={name: value for name, value in kept.items() if value is not None},
        body=body,
        final_url=target.url,
    )


def _pinned(call: _Call, target: Target) -> list[bytes]:
    """Resolve a target once and check all that came back."""
    if target.literal is not None:
        packed = [target.literal]
    else:
        packed = [addresses.parse(text) for text in _resolved(call, target)]
    if not packed:
        raise Unresolvable(f"{target.host} has no address")
    for address in packed:
        call.policy.check_address(target, address)
    return packed


def _resolved(call: _Call, target: Target) -> Sequence[str]:
    """Ask the resolver in a thread of its own: the system's knows no time-out."""
    answer: queue.SimpleQueue[Sequence[str] | OSError | UnicodeError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answer.put(call.resolve(target.host, target.port))
        except (OSError, UnicodeError) as error:
            answer.put(error)

    threading.Thread(target=ask, daemon=True, name="egress-resolve").start()
    try:
        found = answer.get(timeout=call.left(call.limits.connect))
    except queue.Empty as error:
        raise TimedOut(f"resolving {target.host}") from error
    if isinstance(found, Exception):
        raise Unresolvable(f"{target.host} does not resolve") from found
    return found


def _connect(call: _Call, target: Target, pinned: Sequence[bytes]) -> socket.socket:
    failure: Exception | None = None
    for packed in pinned[:_TRIED]:
        try:
            connection = socket.create_connection(
                (addresses.render(packed), target.port), timeout=call.left(call.limits.connect)
            )
        except OSError as error:
            failure = error
        else:
            return connection if target.scheme == "http" else _secured(call, target, connection)
    if isinstance(failure, TimeoutError):
        raise TimedOut(f"connecting to {target.authority}") from failure
    raise ConnectFailed(f"{target.authority} cannot be reached") from failure


def _secured(call: _Call, target: Target, connection: socket.socket) -> socket.socket:
    try:
        connection.settimeout(call.left(call.limits.connect))
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context.wrap_socket(connection, server_hostname=target.host)
    except TimeoutError as error:
        connection.close()
        raise TimedOut(f"TLS with {target.authority}") from error
    except (OSError, ValueError) as error:
        connection.close()
        reason = error.reason if isinstance(error, ssl.SSLError) else type(error).__name__
        raise TlsFailed(f"{target.authority}: {reason}") from error
    except TimedOut:
        connection.close()
        raise


def _request(target: Target, headers: Mapping[str, str], method: str) -> bytes:
    lines = [f"{method} {target.path} HTTP/1.1", f"Host: {target.authority}"]
    every = {"User-Agent": "tawny", "Accept": "*/*", "Accept-Encoding": "gzip"}
    every |= {"Connection": "close", **headers}
    for name, value in every.items():
        if not (name + value).isprintable():
            raise ValueError(f"header {name!r} holds a control character")
        lines.append(f"{name}: {value}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _body(call: _Call, response: http.client.HTTPResponse) -> bytes:
    encoding = (response.getheader("Content-Encoding") or "identity").strip().lower()
    if encoding not in ("identity", "gzip", "x-gzip"):
        raise BrokenAnswer(f"content encoding {encoding[:32]!r} was not asked for")
    if (response.length or 0) > call.limits.body:
        raise TooLarge(f"{response.length} octets announced, {call.limits.body} let in")
    sent = bytearray()
    while chunk := response.read1(_CHUNK):
        sent += chunk
        if len(sent) > call.limits.body:
            raise TooLarge(f"more than {call.limits.body} octets")
        call.left(call.limits.read)
    if response.length:  # read1 takes an early end for the end
        raise BrokenAnswer(f"cut short: {response.length} octets are missing")
    return (
        bytes(sent) if encoding == "identity" else inflate(bytes(sent), most=call.limits.inflated)
    )


def inflate(body: bytes, *, most: int) -> bytes:
    """Inflate gzip, all its members, up to ``most`` octets.

    Raises
    ------
    TooLarge
        When more would come out; nothing beyond the cap is ever held.
    BrokenAnswer
        When it is not gzip or ends too early.

    """
    out = bytearray()
    rest = body
    try:
        while rest:
            member = zlib.decompressobj(_GZIP)
            out += member.decompress(rest, most + 1 - len(out))
            if len(out) > most:
                raise TooLarge(f"more than {most} octets inflated")
            if not member.eof:
                raise BrokenAnswer("gzip that ends too early")
            rest = member.unused_data
    except zlib.error as error:
        raise BrokenAnswer("not gzip") from error
    return bytes(out)
