"""Send captured requests of existing clients again, and say what each client makes of the answer.

    python -m bench.replay PATH... --url URL --key KEY [--ca FILE] [--json]

A capture is one request in a file as it went over the wire: request line, headers, an empty line,
the body. The captured key is replaced by KEY in the Authorization header, whose scheme and shape
stay; every other byte is sent as it was captured. Folders are searched for files named ``*.http``.
"""

import argparse
import base64
import binascii
import http.client
import re
import socket
import ssl
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

SCHEMA = 1
NOT_ALL_OK, NO_INPUT = 1, 2
PATIENCE_SECONDS = 60.0
"""How long an answer may take: no capture is larger than what the product reads in seconds."""
BLANK = b"\r\n\r\n"
EVENTS = "/v1/events/"
RESENDS = "AlphaSOC NFR/"
"""How the agent that sends every refused batch again names itself; any other client drops it."""
_AUTHORIZATION = re.compile(rb"^(authorization:[ \t]*)(\S+)([ \t]+)(\S+)", re.IGNORECASE)

OK = "ok"
AGAIN = "would send again later"
FOR_EVER = "would resend for ever"
DROPS = "would drop the batch"
STOPS = "would stop sending"
SHOWS = "shows the error"
UNREADABLE = "cannot read the answer"


class NotACapture(ValueError):  # noqa: N818 -- reads as a fact
    """A file that does not hold one HTTP request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """One request as it is sent: its request line's parts, who sent it, and all of its bytes."""

    method: str
    path: str
    agent: str
    content: bytes


class Replayed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one capture; `status` is 0 where no answer came, `reading` the client's."""

    file: str
    request: str
    status: int
    received: int | None = None
    accepted: int | None = None
    rejected: dict[str, int] = {}
    message: str = ""
    reading: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A whole run."""

    schema: int
    url: str
    files: list[Replayed]


class _Said(msgspec.Struct):
    """The members of an answer that are shown."""

    received: int | None = None
    accepted: int | None = None
    rejected: dict[str, int] = {}
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where captures are sent; `tls` says whom to trust where the address is HTTPS."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None

    @classmethod
    def of(cls, url: str, *, ca: Path | None = None) -> "Target":
        """Read an address; raise `ValueError` for one that is not HTTP or HTTPS."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"{url!r} is no http or https address")
        secure = parts.scheme == "https"
        return cls(
            host=parts.hostname,
            port=parts.port or (443 if secure else 80),
            tls=ssl.create_default_context(cafile=ca) if secure else None,
        )

    def send(self, capture: Capture) -> tuple[int, bytes]:
        """Send a capture's bytes on a connection of its own; return status and body.

        Raises ``OSError`` or ``http.client.HTTPException`` where no whole answer comes.
        """
        with socket.create_connection((self.host, self.port), timeout=PATIENCE_SECONDS) as plain:
            if self.tls is None:
                return _exchange(plain, capture)
            with self.tls.wrap_socket(plain, server_hostname=self.host) as line:
                return _exchange(line, capture)


def _exchange(line: socket.socket, capture: Capture) -> tuple[int, bytes]:
    line.sendall(capture.content)
    response = http.client.HTTPResponse(line, method=capture.method)
    response.begin()
    return response.status, response.read()


def read_capture(content: bytes, *, key: str) -> Capture:
    """Read a captured request and put `key` in the place of the one that it was captured with."""
    head, blank, body = content.partition(BLANK)
    if not blank:
        raise NotACapture("no empty line ends the headers")
    lines = head.split(b"\r\n")
    words = lines[0].split(b" ")
    if len(words) != 3 or not words[2].startswith(b"HTTP/1."):
        raise NotACapture("the first line is no request line of HTTP/1")
    lines[1:] = [_rekeyed(line, key) for line in lines[1:]]
    agent = next((line for line in lines if line.lower().startswith(b"user-agent:")), b":")
    return Capture(
        method=words[0].decode("ascii", "replace"),
        path=words[1].decode("ascii", "replace"),
        agent=agent.partition(b":")[2].strip().decode("latin-1"),
        content=b"\r\n".join(lines) + blank + body,
    )


def _rekeyed(line: bytes, key: str) -> bytes:
    """Replace the key of an Authorization header; its scheme, blanks and password stay."""
    match = _AUTHORIZATION.match(line)
    if match is None:
        return line
    name, scheme, gap, value = match.groups()
    if scheme.lower() == b"basic":
        try:
            _, colon, password = base64.b64decode(value, validate=True).partition(b":")
        except binascii.Error:
            return line
        value = base64.b64encode(key.encode() + colon + password)
    else:
        value = key.encode()
    return name + scheme + gap + value + line[match.end() :]


def replay(files: Iterable[Path], target: Target, *, key: str) -> list[Replayed]:
    """Send each file's request; raise `NotACapture` for a file that holds none."""
    replayed = []
    for file in files:
        try:
            capture = read_capture(file.read_bytes(), key=key)
        except NotACapture as error:
            raise NotACapture(f"{file.name}: {error}") from None
        replayed.append(_replayed(file.name, capture, target))
    return replayed


def _replayed(name: str, capture: Capture, target: Target) -> Replayed:
    request = f"{capture.method} {capture.path}"
    try:
        status, body = target.send(capture)
    except (OSError, http.client.HTTPException) as failure:
        return Replayed(file=name, request=request, status=0, message=str(failure), reading=AGAIN)
    try:
        said = msgspec.json.decode(body, type=_Said)
    except (msgspec.DecodeError, UnicodeDecodeError):
        said = None
    return Replayed(
        file=name,
        request=request,
        status=status,
        received=said.received if said else None,
        accepted=said.accepted if said else None,
        rejected=said.rejected if said else {},
        message=said.message if said else "",
        reading=reading(capture, status, said.message if said else None),
    )


def reading(capture: Capture, status: int, message: str | None) -> str:
    """Say what the client does; `message` is ``None`` where the body is no object of JSON.

    Every client takes exactly 200. What was refused at the events' door the agent sends again until
    it is taken, and the other senders keep only after an error of the server's.
    """
    if status == 200:
        return OK if message is not None else UNREADABLE
    if capture.path.startswith(EVENTS):
        if status >= 500:
            return AGAIN
        if capture.agent.startswith(RESENDS):
            return FOR_EVER
        return STOPS if status == 403 else DROPS
    return SHOWS if message else UNREADABLE


def as_text(report: Report) -> str:
    """Write a report as a table."""
    rows = [("file", "status", "received", "accepted", "rejected", "the client")]
    rows += [
        (
            each.file,
            str(each.status or "none"),
            _number(each.received),
            _number(each.accepted),
            ", ".join(f"{n} {reason}" for reason, n in sorted(each.rejected.items())) or "-",
            f"{each.reading}{': ' if each.message else ''}{each.message}",
        )
        for each in report.files
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = (
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[5]])
        for row in rows
    )
    return "\n".join(lines) + "\n"


def _number(count: int | None) -> str:
    return "-" if count is None else str(count)


def captures(paths: Iterable[Path]) -> list[Path]:
    """Return the files of paths, a folder's in the order of their names."""
    found: list[Path] = []
    for path in paths:
        found += sorted(path.rglob("*.http")) if path.is_dir() else [path]
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Replay as the command line says; return the exit status: 0 where every client is content."""
    options = _options(arguments)
    try:
        files = captures(options.paths)
        if not files:
            raise FileNotFoundError("no file named *.http is there")
        target = Target.of(options.url, ca=options.ca)
        report = Report(
            schema=SCHEMA, url=options.url, files=replay(files, target, key=options.key)
        )
    except (OSError, ValueError) as error:
        sys.stderr.write(f"replay: {error}\n")
        return NO_INPUT
    if options.json:
        sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
    else:
        sys.stdout.write(as_text(report))
    return 0 if all(each.reading == OK for each in report.files) else NOT_ALL_OK


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.replay",
        description="Send captured requests again and say what each client makes of the answer.",
        epilog="Exit status: 0 every client is content, 1 one is not, 2 nothing could be sent.",
    )
    parser.add_argument(
        "paths", nargs="+", type=Path, metavar="PATH", help="captured requests, or folders of them"
    )
    parser.add_argument("--url", required=True, help="where the product listens")
    parser.add_argument(
        "--key", required=True, help="the API key to put in the captured one's place"
    )
    parser.add_argument("--ca", type=Path, metavar="FILE", help="certificates to trust, for https")
    parser.add_argument(
        "--json", action="store_true", help="write one JSON object, the last line of stdout"
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
