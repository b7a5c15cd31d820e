"""Reports remembered for as long as they say they hold: in this process, and sealed in Valkey.

What lies outside the process names no destination: the key is a keyed hash, the value is sealed
under it.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Protocol, Self

import msgspec
import structlog
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from crypto import mac
from crypto.errors import CryptoError
from destinations.report import Destination, Report

Seal = Callable[[bytes, bytes], bytes]
"""From bytes and the context they belong to, to bytes; and back for the opposite."""

log = structlog.get_logger(__name__)


class Cache(Protocol):
    """What remembers reports."""

    def get(self, wanted: Iterable[Destination], *, now: datetime) -> dict[Destination, Report]:
        """Give the reports that are remembered and still hold."""
        ...

    def put(self, reports: Iterable[Report], *, now: datetime) -> None:
        """Remember reports for their ttl from now."""
        ...


class Memory:
    """A bounded map of this process; the report used longest ago goes first."""

    SIZE = 100_000  # reports: about 100 MB when all are listed, 60 when few are

    def __init__(self, *, size: int = SIZE) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._kept: OrderedDict[Destination, tuple[float, Report]] = OrderedDict()

    def get(self, wanted: Iterable[Destination], *, now: datetime) -> dict[Destination, Report]:
        """Give the reports that are remembered and still hold."""
        found: dict[Destination, Report] = {}
        at = now.timestamp()
        with self._lock:
            for destination in wanted:
                kept = self._kept.get(destination)
                if kept is None:
                    continue
                if kept[0] <= at:
                    del self._kept[destination]
                    continue
                self._kept.move_to_end(destination)
                found[destination] = kept[1]
        return found

    def put(self, reports: Iterable[Report], *, now: datetime) -> None:
        """Remember reports for their ttl from now."""
        at = now.timestamp()
        self.put_until((at + report.ttl, report) for report in reports)

    def put_until(self, reports: Iterable[tuple[float, Report]]) -> None:
        """Remember reports until the Unix time given with each."""
        with self._lock:
            for until, report in reports:
                self._kept[report.destination] = (until, report)
                self._kept.move_to_end(report.destination)
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)


class _Kept(msgspec.Struct, frozen=True, array_like=True):
    until: float
    report: Report


class Shared:
    """Valkey, shared by the engine's processes; when it is away nothing is remembered there."""

    PREFIX = b"wisdom:"
    TAG = 16  # octets of the keyed hash: no two destinations of a deployment will meet
    PATIENCE = 0.2  # seconds for one answer: beyond that, asking Wisdom is as quick

    def __init__(self, client: Redis, *, key: bytes, seal: Seal, unseal: Seal) -> None:
        """Use a client; ``key`` names the entries, ``seal`` and ``unseal`` guard their values."""
        self._client = client
        self._key = key
        self._seal = seal
        self._unseal = unseal
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(_Kept).decode

    @classmethod
    def at(cls, url: str, *, key: bytes, seal: Seal, unseal: Seal) -> Self:
        """Use the server at a URL, without waiting for one that is away."""
        client = Redis.from_url(
            url,
            socket_timeout=cls.PATIENCE,
            socket_connect_timeout=cls.PATIENCE,
            retry=Retry(NoBackoff(), retries=0),
        )
        return cls(client, key=key, seal=seal, unseal=unseal)

    def get_until(
        self, wanted: Sequence[Destination], *, now: datetime
    ) -> list[tuple[float, Report]]:
        """Give the reports that are remembered and still hold, each with its Unix time of end."""
        if not wanted:
            return []
        names = [self._name(destination) for destination in wanted]
        try:
            values = self._client.mget(names)
        except RedisError as error:
            log.warning("wisdom_cache", away=type(error).__name__)
            return []
        at = now.timestamp()
        opened = (
            self._opened(name, value, destination)
            for name, value, destination in zip(names, values, wanted, strict=True)
            if isinstance(value, bytes)
        )
        return [(kept.until, kept.report) for kept in opened if kept and kept.until > at]

    def put(self, reports: Iterable[Report], *, now: datetime) -> None:
        """Remember reports for their ttl from now."""
        at = now.timestamp()
        try:
            pipeline = self._client.pipeline(transaction=False)
            for report in reports:
                name = self._name(report.destination)
                kept = _Kept(at + report.ttl, report)
                pipeline.set(name, self._seal(self._encode(kept), name), ex=max(1, report.ttl))
            pipeline.execute()
        except RedisError as error:
            log.warning("wisdom_cache", away=type(error).__name__)

    def _name(self, destination: Destination) -> bytes:
        tag = mac.tag(self._key, msgspec.json.encode(destination), length=self.TAG)
        return self.PREFIX + tag

    def _opened(self, name: bytes, value: bytes, destination: Destination) -> _Kept | None:
        try:
            kept = self._decode(self._unseal(value, name))
        except (CryptoError, msgspec.DecodeError):  # another key's or another version's: ask anew
            return None
        return kept if kept.report.destination == destination else None


class Tiers:
    """The memory of one process first, then what all processes share."""

    def __init__(self, memory: Memory, shared: Shared | None = None) -> None:
        self._memory = memory
        self._shared = shared

    def get(self, wanted: Iterable[Destination], *, now: datetime) -> dict[Destination, Report]:
        """Give the reports that are remembered and still hold."""
        asked = list(wanted)
        found = self._memory.get(asked, now=now)
        if self._shared is not None:
            missing = [destination for destination in asked if destination not in found]
            further = self._shared.get_until(missing, now=now)
            self._memory.put_until(further)
            found |= {report.destination: report for _, report in further}
        return found

    def put(self, reports: Iterable[Report], *, now: datetime) -> None:
        """Remember reports for their ttl from now."""
        kept = list(reports)
        self._memory.put(kept, now=now)
        if self._shared is not None:
            self._shared.put(kept, now=now)
