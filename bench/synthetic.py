"""A made-up network's telemetry: seeded, so that two runs measure the same bytes.

A few thousand sources, destinations and names by Zipf's law, Zeek's connection ids, times to the
microsecond over two hours, and one event in a hundred from a beacon, so that the detectors have
something to weigh. Destinations are of the benchmarking range (RFC 2544), names below reserved
suffixes (RFC 2606): nobody's.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from bench.bodies import KINDS, Body, Kind, pack
from tawny.formats import DnsEvent, Event, IpEvent

SHARE: dict[str, float] = {"dns": 0.6, "ip": 0.4}
"""Of a mixed stream's events: a client asks a name more often than it opens a connection."""

SOURCES = 3_000
DESTINATIONS = 40_000
NAMES = 30_000
NEVER_SEEN = 0.03
"""Share of questions for a name that nobody asked before: trackers and look-up services."""
SECONDS = 7_200
START = np.datetime64("2024-05-01T10:00:00", "us")
BEACON_PERIOD = 60.0
BEACON_SHARE = 0.01
BEACON_JITTER = 1.0
"""Seconds of standard deviation: a loop that sleeps a minute on a busy machine."""

_LETTERS = np.frombuffer(
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", dtype=np.uint8
)
_RESOLVERS = ("10.0.0.2", "10.0.0.3", "198.18.0.53")
_QTYPES = ("A", "AAAA", "HTTPS", "PTR", "TXT")
_SERVICES = (
    (443, "tcp", "ssl"),
    (443, "udp", "quic"),
    (80, "tcp", "http"),
    (53, "udp", "dns"),
    (123, "udp", "ntp"),
    (22, "tcp", "ssh"),
    (8443, "tcp", None),
)
_STATES = ("SF", "S0", "REJ", "RSTO", "S1", "OTH")
_SILENT = frozenset({"S0", "REJ"})

Numbers = NDArray[np.int64]


def bodies(kind: Kind, *, events: int, seed: int, batch: int) -> Iterator[Body]:
    """Make `events` events of one kind, ordered by time, as bodies of `batch` events."""
    random = np.random.default_rng([seed, KINDS.index(kind)])
    times, who, where = _contacts(random, events)
    make = _dns(random) if kind == "dns" else _ip(random)
    for first in range(0, events, batch):
        rows = slice(first, first + batch)
        yield pack(kind, make(times[rows], who[rows], where[rows]))


def _contacts(random: np.random.Generator, events: int) -> tuple[Numbers, Numbers, Numbers]:
    """Return the times in microseconds from the start, the sources and the destinations."""
    beats = int(SECONDS / BEACON_PERIOD)
    beacons = max(1, round(events * BEACON_SHARE / beats))
    beating = min(beacons * beats, events // 2)
    chance = events - beating
    source, target = random.integers(SOURCES, size=beacons), random.integers(NAMES, size=beacons)
    phase = random.uniform(0, BEACON_PERIOD, size=beacons)
    number = np.arange(beating)
    loop, beat = number % beacons, number // beacons
    regular = phase[loop] + beat * BEACON_PERIOD + random.normal(0, BEACON_JITTER, size=beating)
    seconds = np.concatenate([random.uniform(0, SECONDS, size=chance), regular])
    who = np.concatenate([_zipf(random, SOURCES, 0.9, chance), source[loop]])
    where = np.concatenate([_zipf(random, NAMES, 1.1, chance), target[loop]])
    times = (np.clip(seconds, 0, SECONDS - 1e-3) * 1e6).astype(np.int64)
    order = np.argsort(times, kind="stable")
    return times[order], who[order], where[order]


def _zipf(random: np.random.Generator, count: int, exponent: float, size: int) -> Numbers:
    weights = np.arange(1, count + 1) ** -exponent
    steps = np.cumsum(weights) / weights.sum()
    return np.searchsorted(steps, random.random(size)).clip(0, count - 1)


class _Common:
    """What an event of either kind has, drawn for some rows at a time."""

    def __init__(self, random: np.random.Generator) -> None:
        self.random = random
        self.sources = [f"10.{1 + at // 250}.{at % 7}.{1 + at % 250}" for at in range(SOURCES)]

    def stamps(self, times: Numbers) -> list[str]:
        moments = START + times.astype("m8[us]")
        return [f"{each}Z" for each in np.datetime_as_string(moments, unit="us").tolist()]

    def conn_ids(self, count: int) -> list[str]:
        """Return ids like Zeek's: ``C`` and 17 characters of base 62."""
        letters = np.full((count, 18), ord("C"), dtype=np.uint8)
        letters[:, 1:] = _LETTERS[self.random.integers(62, size=(count, 17))]
        ids: list[str] = letters.view("S18")[:, 0].astype(str).tolist()
        return ids

    def ports(self, count: int) -> list[int]:
        ports: list[int] = self.random.integers(32_768, 61_000, size=count).tolist()
        return ports

    def chosen(self, weights: Sequence[float], count: int) -> list[int]:
        steps = np.cumsum(weights) / np.sum(weights)
        numbers: list[int] = np.searchsorted(steps, self.random.random(count)).tolist()
        return numbers


def _address(number: int) -> str:
    return f"198.{18 + (number >> 16 & 1)}.{number >> 8 & 255}.{number & 255}"


class _dns(_Common):  # noqa: N801 -- called as the function that makes a batch
    """Makes ``dns`` events."""

    def __init__(self, random: np.random.Generator) -> None:
        super().__init__(random)
        labels = ("www", "api", "cdn", "img", "mail", "update", "static", "login")
        suffixes = ("com", "net", "org", "test")
        self.names = [
            f"{labels[at % 8]}.site{at // 3}.example"
            if at % 4 == 3
            else f"{labels[at % 8]}{at}.example.{suffixes[at % 3]}"
            for at in range(NAMES)
        ]
        self.answers = [
            ([f"edge{at % 97}.cdn.example"] if at % 3 == 0 else [])
            + [_address(at * 7 + each) for each in range(1 + at % 3)]
            for at in range(NAMES)
        ]

    def __call__(self, times: Numbers, who: Numbers, where: Numbers) -> list[Event]:
        count = len(times)
        fresh = (self.random.random(count) < NEVER_SEEN).tolist()
        unique = self.random.integers(1 << 62, size=count).tolist()
        failed = (self.random.random(count) < 0.08).tolist()
        qtypes = self.chosen((65, 22, 8, 3, 2), count)
        resolvers = self.chosen((60, 35, 5), count)
        ids, ports, stamps = self.conn_ids(count), self.ports(count), self.stamps(times)
        return [
            DnsEvent(
                ts=stamps[row],
                src_ip=self.sources[source],
                src_port=ports[row],
                dest_ip=_RESOLVERS[resolvers[row]],
                query=f"{unique[row]:016x}.look.example.net" if fresh[row] else self.names[name],
                qtype=_QTYPES[qtypes[row]],
                rcode="NXDOMAIN" if failed[row] else "NOERROR",
                answers=None if failed[row] or qtypes[row] > 2 else self.answers[name],
                conn_id=ids[row],
            )
            for row, (source, name) in enumerate(zip(who.tolist(), where.tolist(), strict=True))
        ]


class _ip(_Common):  # noqa: N801 -- as above
    """Makes ``ip`` events."""

    def __init__(self, random: np.random.Generator) -> None:
        super().__init__(random)
        self.destinations = [_address(at * 3) for at in range(DESTINATIONS)]

    def __call__(self, times: Numbers, who: Numbers, where: Numbers) -> list[Event]:
        count = len(times)
        inside = (self.random.random(count) < 0.1).tolist()
        services = self.chosen((45, 15, 12, 10, 5, 3, 10), count)
        states = self.chosen((78, 7, 4, 5, 3, 3), count)
        durations = np.round(self.random.lognormal(0.5, 1.8, size=count), 6).tolist()
        sent = self.random.lognormal(7, 1.5, size=count).astype(np.int64)
        got = self.random.lognormal(8.5, 2.0, size=count).astype(np.int64)
        ids, ports, stamps = self.conn_ids(count), self.ports(count), self.stamps(times)
        packets = [(1 + sent // 900).tolist(), (1 + got // 1_200).tolist()]
        sizes = [sent.tolist(), got.tolist()]
        made: list[Event] = []
        for row, (source, target) in enumerate(zip(who.tolist(), where.tolist(), strict=True)):
            port, proto, app = _SERVICES[services[row]]
            state = _STATES[states[row]]
            silent = state in _SILENT
            made.append(
                IpEvent(
                    ts=stamps[row],
                    src_ip=self.sources[source],
                    src_port=ports[row],
                    dest_ip=f"10.0.1.{1 + target % 40}" if inside[row] else self._target(target),
                    dest_port=port,
                    proto=proto,
                    app=None if silent else app,
                    duration=None if silent else durations[row],
                    bytes_out=0 if silent else sizes[0][row],
                    bytes_in=0 if silent else sizes[1][row],
                    pkts_out=1 if silent else packets[0][row],
                    pkts_in=0 if silent else packets[1][row],
                    conn_state=state,
                    local_orig=True,
                    local_resp=inside[row],
                    conn_id=ids[row],
                )
            )
        return made

    def _target(self, number: int) -> str:
        return self.destinations[number % DESTINATIONS]
