"""``nfr``, the vendor's Go agent: what it sends and how it decodes, per the client API's facts.

It sends everything again that was not answered with exactly 200, asks again at once while ``more``
is true, and keeps a bookmark only of a page that had alerts and a new one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.contracts import go
from tests.contracts.wire import Answer, Server, basic, request

AGENT = "AlphaSOC NFR/1.10.0"
MOST_PAGES = 50
"""Pages in a row after which a poll is taken for one that never ends."""

ERROR = go.struct(message=go.STRING)
STATUS = go.struct(
    registered=go.BOOL,
    expired=go.BOOL,
    messages=go.listed(go.struct(level=go.INT, body=go.STRING)),
)
EVENTS = go.struct(received=go.INT, accepted=go.INT, rejected=go.mapped(go.INT))
KEY = go.struct(key=go.STRING)
_SOURCE = {"ts": go.TIME, "srcIP": go.ADDRESS, "srcPort": go.UINT16}
_TARGET = {"destIP": go.ADDRESS, "destPort": go.UINT16}
_OCTETS = {"bytesIn": go.INT64, "bytesOut": go.INT64}


def _texts(*names: str) -> dict[str, go.Type]:
    return dict.fromkeys(names, go.STRING)


ECHOES = {
    "dns": go.struct(**_SOURCE, **_texts("query", "qtype")),
    "ip": go.struct(**_SOURCE, **_TARGET, **_OCTETS, **_texts("proto", "ja3")),
    "http": go.struct(
        **_SOURCE,
        **_OCTETS,
        status=go.INT32,
        **_texts("url", "method", "action", "contentType", "referrer", "userAgent"),
    ),
    "tls": go.struct(
        **_SOURCE,
        **_TARGET,
        validFrom=go.TIME,
        validTo=go.TIME,
        **_texts("certHash", "issuer", "subject", "ja3", "ja3s"),
    ),
}
ALERT = go.struct(
    eventType=go.STRING,
    event=go.ANY,
    threats=go.STRINGS,
    wisdom=go.struct(flags=go.STRINGS, labels=go.STRINGS, domain=go.STRING),
)
THREAT = go.struct(title=go.STRING, severity=go.INT, policy=go.BOOL)
PAGE = go.struct(
    follow=go.STRING,
    more=go.BOOL,
    after=go.STRING,
    before=go.STRING,
    alerts=go.listed(ALERT),
    threats=go.mapped(THREAT),
)


class ApiError(Exception):
    """What ``nfr`` logs: the text of the error's body."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A line of its output: one alert with the worst of its threats."""

    kind: str
    event: dict[str, Any]
    threats: list[str]
    severity: int
    flags: list[str]


@dataclass(slots=True, kw_only=True)
class Nfr:
    """One agent: its key, its buffers by type, its bookmark and what it wrote out."""

    server: Server
    key: str = ""
    follow: str = ""
    buffers: dict[str, list[bytes]] = field(default_factory=dict)
    written: list[Written] = field(default_factory=list)

    def request_key(self) -> str:
        """Ask for a key, without one; use it from then on."""
        body = go.encode({"platform": {"name": "nfr-linux-amd64"}, "token": ""}) + b"\n"
        answer = self._ask("POST", "/v1/key/request", body, authorized=False)
        self.key = _taken(answer, KEY)["key"]
        return self.key

    def register(self, name: str, email: str) -> None:
        """Name the key's holder."""
        body = go.encode({"details": {"name": name, "email": email}}) + b"\n"
        _taken(self._ask("POST", "/v1/account/register", body), go.ANY)

    def reset(self, email: str) -> None:
        """Ask for a mail that replaces a lost key."""
        _taken(self._ask("POST", "/v1/key/reset", go.encode({"email": email}) + b"\n"), go.ANY)

    def status(self) -> dict[str, Any]:
        """Ask what it asks on every start."""
        answered: dict[str, Any] = _taken(self._ask("GET", "/v1/account/status"), STATUS)
        return answered

    def buffer(self, kind: str, events: Sequence[dict[str, Any]]) -> None:
        """Take events up, each as the line that is sent."""
        self.buffers.setdefault(kind, []).extend(go.encode(each) + b"\n" for each in events)

    def flush(self, kind: str) -> dict[str, Any]:
        """Send a type's buffer whole; it is emptied by a 200 alone."""
        answer = self._ask("POST", f"/v1/events/{kind}", b"".join(self.buffers[kind]))
        counts: dict[str, Any] = _taken(answer, EVENTS)
        self.buffers[kind].clear()
        return counts

    def poll(self) -> None:
        """Read pages until there are no more, as it does every five minutes."""
        for _ in range(MOST_PAGES):
            page = self.page()
            self.written += [_written(alert, page["threats"]) for alert in page["alerts"] or ()]
            if page["alerts"] and page["follow"] != self.follow:
                self.follow = page["follow"]
            if not page["more"]:
                return
        raise AssertionError("it would ask for ever, without a pause")

    def page(self) -> dict[str, Any]:
        """Read the page after the bookmark; the first call has a bare question mark."""
        query = f"follow={self.follow}" if self.follow else ""
        page: dict[str, Any] = _taken(self._ask("GET", f"/v1/alerts?{query}"), PAGE)
        for alert in page["alerts"] or ():
            assert alert["eventType"] in ECHOES
            alert["event"] = ECHOES[alert["eventType"]].of(alert["event"], "event")
        return page

    def _ask(
        self, method: str, target: str, body: bytes = b"", *, authorized: bool = True
    ) -> Answer:
        headers = [("Host", self.server.authority), ("User-Agent", AGENT)]
        if body:
            headers.append(("Content-Length", str(len(body))))
        if authorized:
            headers.append(("Authorization", basic(self.key)))
        if body:
            headers.append(("Content-Type", "application/json"))
        headers.append(("Accept-Encoding", "gzip"))
        return self.server.send(request(method, target, headers, body))


def dns(ts: datetime, source: str, query: str, qtype: str = "A") -> dict[str, Any]:
    """Make a question as the agent does: always all four members."""
    return {"ts": stamp(ts), "srcIP": source, "query": query, "qtype": qtype}


def ip(ts: datetime, source: str, target: str, **fields: Any) -> dict[str, Any]:
    """Make a connection as the agent does: always all members, zeros included."""
    usual = {"srcPort": 50_000, "destPort": 443, "proto": "tcp", "bytesIn": 0, "bytesOut": 0}
    given = usual | fields
    return {
        "ts": stamp(ts), "srcIP": source, "srcPort": given["srcPort"], "destIP": target,
        "destPort": given["destPort"], "proto": given["proto"], "bytesIn": given["bytesIn"],
        "bytesOut": given["bytesOut"], "ja3": given.get("ja3", ""),
    }  # fmt: skip


def http(ts: datetime, source: str, url: str, **fields: Any) -> dict[str, Any]:
    """Make a request as the agent does: always all members, ``action`` always empty."""
    return {
        "ts": stamp(ts), "srcIP": source, "srcPort": 50_001, "url": url, "method": "GET",
        "status": 0, "action": "", "bytesIn": 0, "bytesOut": 0, "contentType": "",
        "referrer": "", "userAgent": "", **fields,
    }  # fmt: skip


def tls(ts: datetime, source: str, **fields: Any) -> dict[str, Any]:
    """Make a handshake as the agent does: dates that are unset are Go's zero time."""
    unset = {"validFrom": go.ZERO_TIME, "validTo": go.ZERO_TIME}
    return {"ts": stamp(ts), "srcIP": source, "srcPort": 0, **unset, **fields}


def stamp(moment: datetime) -> str:
    """Write a time as Go's RFC3339Nano: no trailing zeros, the offset with a colon."""
    fraction = f".{moment.microsecond:06d}".rstrip("0").rstrip(".")
    offset = f"{moment:%z}"
    zone = "Z" if offset == "+0000" else f"{offset[:3]}:{offset[3:]}"
    return f"{moment:%Y-%m-%dT%H:%M:%S}{fraction}{zone}"


def _taken(answer: Answer, kind: go.Type) -> Any:
    """Decode a 200; anything else is an error whose body must be JSON with a message."""
    if answer.status != 200:
        raise ApiError(answer.status, go.decode(answer.body, ERROR)["message"])
    return go.decode(answer.body, kind)


def _written(alert: dict[str, Any], threats: dict[str, Any]) -> Written:
    return Written(
        kind=alert["eventType"],
        event=alert["event"],
        threats=alert["threats"],
        severity=max(threats[threat]["severity"] for threat in alert["threats"]),
        flags=alert["wisdom"]["flags"] or [],
    )
