"""Requests over a connection that stays, each with the seconds that it took."""

import http.client
import json
import time
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

SECONDS = 60.0
"""Wait for an answer: nothing that is measured here takes as long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer; `status` 0 is a connection that broke."""

    status: int
    content: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0


class Line:
    """A connection to the product with one key."""

    def __init__(self, url: str, key: str = "") -> None:
        self._place = urlsplit(url).netloc
        self._key = key
        self._open = http.client.HTTPConnection(self._place, timeout=SECONDS)

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Reply:
        """Ask; a header's underscores stand for hyphens."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self._key:
            sent.setdefault("Authorization", basic(self._key))
        begun = time.perf_counter()
        try:
            self._open.request(method, path, body, sent)
            answer = self._open.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            self.close()
            return Reply(status=0, seconds=time.perf_counter() - begun)
        return Reply(
            status=answer.status,
            content=content,
            headers={name.lower(): value for name, value in answer.getheaders()},
            seconds=time.perf_counter() - begun,
        )

    def close(self) -> None:
        """Close; the next request opens it again."""
        self._open.close()


def basic(key: str) -> str:
    """Write HTTP Basic with the key as user name, as every existing client does."""
    return "Basic " + b64encode(f"{key}:".encode()).decode()


def lines(count: int, *, first: int = 0, second: int = 1_777_636_800) -> bytes:
    """Write connections of documentation's addresses, each another one."""
    return b"".join(
        json.dumps(_event(number, second), separators=(",", ":")).encode() + b"\n"
        for number in range(first, first + count)
    )


def _event(number: int, second: int) -> dict[str, Any]:
    return {
        "ts": second + number % 3_000,
        "srcIP": f"10.1.{number // 250 % 250}.{number % 250 + 1}",
        "destIP": "198.51.100.7",
        "destPort": 443,
        "proto": "tcp",
        "connID": f"C{number}",
    }
