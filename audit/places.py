"""Where else a signed checkpoint is kept, so that a rewritten database contradicts it.

A place is named by a URL: ``file:/PATH`` is replaced by the newest checkpoint, atomically;
``syslog:`` (the local socket), ``syslog:/SOCKET`` and ``syslog://HOST:PORT`` (UDP) get each one as
a line of RFC 5424. What lies there proves something only as far as whoever can write to our
database cannot write to it: a file on another machine's share, a syslog server of somebody else.
"""

import contextlib
import json
import logging
import os
import socket
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from audit.checkpoints import TreeHead, write_atomically
from audit.errors import AheadOfUs, AuditError, NoSuchCheckpoint, NotTaken, UnknownPlace
from audit.events import EventType
from audit.leaves import instant

DELIVER_EVERY = timedelta(seconds=60)
"""How often a place is tried, whether the last try went well or not: a checkpoint's own pace."""

STALE_AFTER = timedelta(seconds=180)
"""For how long no place may have taken the newest checkpoint before that is an alarm (AUD-2)."""

SYSLOG_SOCKET = "/dev/log"
SYSLOG_PORT = 514
SYSLOG_SECONDS = 5.0
"""How long a socket may take; only resolving a name can take longer."""
SYSLOG_PRIORITY = 13 * 8 + 5
"""Facility 13 (log audit), severity 5 (notice)."""

_log = logging.getLogger(__name__)


class Place(Protocol):
    """Somewhere a checkpoint can be kept."""

    @property
    def name(self) -> str:
        """What log and audit call the place: see `shown`."""

    def keep(self, note: str, *, now: datetime) -> None:
        """Keep a checkpoint; `OSError` or `AuditError` when it cannot be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePlace:
    """A file that holds the newest checkpoint."""

    name: str
    path: Path

    def keep(self, note: str, *, now: datetime) -> None:  # noqa: ARG002 -- see Place
        """Replace the file, unless it holds a checkpoint of more leaves: then `AheadOfUs`."""
        size = _size(note)
        with contextlib.suppress(FileNotFoundError, NoSuchCheckpoint, UnicodeDecodeError):
            kept = _size(self.path.read_text("utf-8"))
            if kept > size:
                raise AheadOfUs(f"{self.name} knows of {kept} leaves, we of {size}")
        write_atomically(self.path, note)


@dataclass(frozen=True, slots=True, kw_only=True)
class SyslogPlace:
    """A syslog daemon: a path is its local socket, a host and port its UDP door."""

    name: str
    address: str | tuple[str, int]

    def keep(self, note: str, *, now: datetime) -> None:
        """Send one datagram."""
        with _connected(self.address) as connection:
            connection.send(syslog_line(note, now=now))


def syslog_line(note: str, *, now: datetime) -> bytes:
    """Return a checkpoint as one line: the note is a JSON string in ASCII, so that it stays one."""
    host = socket.gethostname().encode("ascii", "ignore").decode() or "-"
    head = f"<{SYSLOG_PRIORITY}>1 {instant(now)} {host} tawny {os.getpid()} checkpoint -"
    return f"{head} {json.dumps({'checkpoint': note})}".encode("ascii")


def _connected(address: str | tuple[str, int]) -> socket.socket:
    if isinstance(address, str):
        family, target = socket.AF_UNIX, address
    else:
        found = socket.getaddrinfo(*address, type=socket.SOCK_DGRAM)
        family, target = found[0][0], found[0][4]  # type: ignore[assignment]  # each its own shape
    connection = socket.socket(family, socket.SOCK_DGRAM)
    try:
        connection.settimeout(SYSLOG_SECONDS)
        connection.connect(target)
    except OSError:
        connection.close()
        raise
    return connection


def _size(note: str) -> int:
    return TreeHead.parse(note).size


def shown(text: str) -> str:
    """Return what log, audit and packs may call a place: scheme and host, of a file its path.

    A path at a host may be a secret (a webhook's); user, password and query are never shown.
    """
    try:
        url = urlsplit(text)
        host, port = url.hostname, url.port
    except ValueError:
        return "a place that is no URL"
    if not host:
        return f"{url.scheme}:{url.path}" if url.scheme in {"file", "syslog"} else "a place"
    host = f"[{host}]" if ":" in host else host
    return f"{url.scheme}://{host}" + (f":{port}" if port else "")


def place_of(text: str) -> Place:
    """Return the place that an operator named, or raise `UnknownPlace`."""
    refuse_secrets(text)
    name, url = shown(text), urlsplit(text)
    host, port = url.hostname, url.port or SYSLOG_PORT
    if url.scheme == "file" and not url.netloc and url.path.startswith("/"):
        return FilePlace(name=name, path=Path(url.path))
    if url.scheme == "syslog" and host:
        return SyslogPlace(name=name, address=(host, port))
    if url.scheme == "syslog" and (not url.path or url.path.startswith("/")):
        return SyslogPlace(name=name, address=url.path or SYSLOG_SOCKET)
    raise UnknownPlace(
        f"{name}: checkpoints are kept at file:/PATH, syslog:/SOCKET or syslog://HOST:PORT"
    )


def refuse_secrets(text: str) -> None:
    """Raise `UnknownPlace` for a URL with a query, a fragment or a user: they carry secrets."""
    try:
        url = urlsplit(text)
        _ = url.port
    except ValueError:  # its text may quote what it could not read
        raise UnknownPlace(f"{shown(text)} can be no place") from None
    if "?" in text or "#" in text or "@" in url.netloc:
        raise UnknownPlace(f"{shown(text)}: a place has no query, no fragment and no user")


def _reason(error: Exception) -> str:
    """Say why a place failed: its own words; of anything else the kind, as texts quote URLs."""
    if isinstance(error, NotTaken | AheadOfUs):
        return str(error)
    if isinstance(error, AuditError):
        return error.code
    number = error.errno if isinstance(error, OSError) else None
    return f"{type(error).__name__}: {os.strerror(number)}" if number else type(error).__name__


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What the log should say of places: an event, of which place, and why."""

    event: EventType
    place: str
    reason: str = ""


class _Standing:
    """A place, what it was given last, and when it was tried."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.kept = ""
        self.tried_at: datetime | None = None
        self.running: threading.Thread | None = None
        self._works: bool | None = None

    def is_due(self, note: str, now: datetime) -> bool:
        if note == self.kept or (self.running is not None and self.running.is_alive()):
            return False
        tried = self.tried_at
        return tried is None or not timedelta(0) <= now - tried < DELIVER_EVERY

    def try_keeping(self, note: str, now: datetime, news: "deque[News]") -> None:
        try:
            self.place.keep(note, now=now)
        except (OSError, AuditError, UnicodeDecodeError) as error:
            reason = _reason(error)
            _log.error("checkpoint not kept at %s: %s", self.place.name, reason)
            if self._works is not False:
                said = News(event=EventType.CHECKPOINT_FAILED, place=self.place.name, reason=reason)
                news.append(said)
            self._works = False
        else:
            self.kept = note
            if self._works is not True:
                news.append(News(event=EventType.CHECKPOINT_KEPT, place=self.place.name))
            self._works = True


class Places:
    """Keeps the newest checkpoint at every place, each in a thread of its own.

    A place that is away or slow is tried again every `DELIVER_EVERY` with whatever is newest then;
    it holds up neither the others nor the sequencer. When a place begins or ceases to work is news,
    and so is that none took anything for `STALE_AFTER`: one each, so that no entry begets the next.
    """

    def __init__(self, places: Sequence[Place]) -> None:
        self._standings = [_Standing(place) for place in places]
        self._news: deque[News] = deque()
        self._behind_since: datetime | None = None
        self._seen: set[str] = set()
        self._alarmed = False

    def offer(self, note: str, *, now: datetime) -> None:
        """Begin to keep `note` wherever it is not kept yet and a try is due; returns at once."""
        for each in self._standings:
            if note and each.is_due(note, now):
                each.tried_at = now
                each.running = threading.Thread(
                    target=each.try_keeping,
                    args=(note, now, self._news),
                    daemon=True,
                    name="checkpoint-place",
                )
                each.running.start()
        self._watch(note, now)

    def _watch(self, note: str, now: datetime) -> None:
        """Raise the alarm once when no place has taken anything newer for too long."""
        kept = {each.kept for each in self._standings}
        if not note or not self._standings or note in kept:
            self._behind_since, self._alarmed, self._seen = None, False, kept
            return
        if self._behind_since is None or kept != self._seen or now < self._behind_since:
            self._behind_since, self._alarmed, self._seen = now, False, kept
        elif not self._alarmed and now - self._behind_since >= STALE_AFTER:
            self._alarmed = True
            seconds = int(STALE_AFTER.total_seconds())
            _log.critical("no checkpoint was kept outside for %d s", seconds)
            reason = f"no place took a checkpoint for {seconds} s"
            self._news.append(News(event=EventType.CHECKPOINT_STALE, place="", reason=reason))

    def news(self) -> list[News]:
        """Return what is new since the last call."""
        return [self._news.popleft() for _ in range(len(self._news))]

    def wait(self, seconds: float) -> None:
        """Give what is under way at most so many seconds each."""
        for each in self._standings:
            if each.running is not None:
                each.running.join(seconds)
