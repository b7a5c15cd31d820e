"""Ask Wisdom in bulk, within a time, and say what is owed when it does not answer."""

import ssl
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Self

import httpx
import msgspec
import structlog

from analytics.wisdom_client.breaker import Breaker
from analytics.wisdom_client.cache import Cache
from analytics.wisdom_client.local import answered_here
from destinations.report import (
    Destination,
    Report,
    decode_response,
    encode_request,
)

CHUNK = 1_000  # destinations a request, of 10,000 allowed: each answered in milliseconds
MAX_ANSWER = 64 << 20  # octets: a thousand destinations, each on dozens of lists
PATH = "/v1/wisdom/reports"
_HEADERS = {"Content-Type": "application/json", "User-Agent": "tawny-engine"}

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is known, and for which destinations nobody answered, so that they are asked later."""

    reports: Mapping[Destination, Report]
    owed: frozenset[Destination]


class _NoAnswer(Exception):  # noqa: N818 -- never leaves this module
    """Wisdom did not answer as agreed; ``code`` says how, and names no destination."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class WisdomClient:
    """One engine's connection to Wisdom, kept alive between batches; used by any thread."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        timeout: float = 5.0,
        cache: Cache,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        """Prepare to ask at ``url`` with the engine's key.

        ``timeout`` is seconds for a call; ``trust`` says whose certificate Wisdom may show, by
        default the public authorities'.
        """
        self._timeout = timeout
        self._cache = cache
        self._breaker = Breaker()
        self._http = httpx.Client(
            base_url=url,
            auth=httpx.BasicAuth(key, ""),
            headers=_HEADERS,
            timeout=timeout,
            verify=trust or ssl.create_default_context(),
            trust_env=False,
            follow_redirects=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def reports(
        self,
        destinations: Iterable[Destination],
        *,
        now: datetime,
        deadline: float | None = None,
    ) -> Answer:
        """Report on destinations: from here, from memory, and by asking for the rest.

        What is asked is deduplicated and sorted, so that its order tells nothing of the traffic.
        After the first failure the rest is owed; nothing is raised for a Wisdom that is down.

        Parameters
        ----------
        now
            The time by which remembered reports are judged.
        deadline
            Monotonic seconds by which to be done; the client's own time-out holds as well.

        """
        begun = time.monotonic()
        end = begun + self._timeout if deadline is None else min(deadline, begun + self._timeout)
        wanted = dict.fromkeys(destinations)
        known = {
            destination: report
            for destination in wanted
            if (report := answered_here(destination)) is not None
        }
        known |= self._cache.get((each for each in wanted if each not in known), now=now)
        missing = sorted((each for each in wanted if each not in known), key=msgspec.json.encode)
        for chunk in _chunks(missing):
            if not self._breaker.may_ask(at=time.monotonic()):
                break
            try:
                fresh = self._ask(chunk, end=end)
            except _NoAnswer as failure:
                self._breaker.failed(at=time.monotonic())
                log.warning("wisdom", no_answer=failure.code, owed=len(missing))
                break
            self._breaker.succeeded()
            self._cache.put(fresh, now=now)
            known |= {report.destination: report for report in fresh}
        return Answer(reports=known, owed=frozenset(each for each in missing if each not in known))

    def _ask(self, chunk: Sequence[Destination], *, end: float) -> tuple[Report, ...]:
        try:
            response = decode_response(self._post(encode_request(chunk), end=end))
        except (msgspec.DecodeError, RecursionError):  # the latter for endless nesting
            raise _NoAnswer("invalid_body") from None
        if tuple(report.destination for report in response.reports) != tuple(chunk):
            raise _NoAnswer("other_destinations")
        return response.reports

    def _post(self, body: bytes, *, end: float) -> bytes:
        answer = bytearray()
        try:
            with self._http.stream("POST", PATH, content=body, timeout=_left(end)) as response:
                if response.status_code != httpx.codes.OK:
                    raise _NoAnswer(f"status_{response.status_code}")
                for piece in response.iter_bytes():
                    answer += piece
                    _left(end)
                    if len(answer) > MAX_ANSWER:
                        raise _NoAnswer("too_large")
        except httpx.TimeoutException:
            raise _NoAnswer("timed_out") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _NoAnswer(type(error).__name__) from None
        return bytes(answer)


def _left(end: float) -> float:
    left = end - time.monotonic()
    if left <= 0:
        raise _NoAnswer("timed_out")
    return left


def _chunks(wanted: Sequence[Destination]) -> Iterator[Sequence[Destination]]:
    return (wanted[start : start + CHUNK] for start in range(0, len(wanted), CHUNK))
