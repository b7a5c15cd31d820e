"""When to try again, and after how long: exponential back-off with full jitter.

Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
"""

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from random import Random


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How often to try again and how long to wait; times in seconds.

    The n-th wait is uniform between 0 and ``base * 2**n``, at most ``ceiling``. An answer with
    ``Retry-After`` comes from a service that lives and asks for patience: it costs no attempt, and
    is waited for until ``patience`` seconds have been spent on one request.
    """

    retries: int = 6  # 16 s of waiting on average, 32 s at most: a restart of the service
    base: float = 0.5
    ceiling: float = 30.0
    patience: float = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Told before each wait: what went wrong and for how many seconds the client waits."""

    reason: str
    seconds: float


@dataclass(slots=True, kw_only=True)
class Attempts:
    """The attempts at one request: what was used up, how long to wait for the next."""

    retry: Retry
    random: Random
    used: int = 0
    waited: float = 0.0
    asked: int = 0

    def delay(self, *, retry_after: float | None) -> float | None:
        """Give the seconds to wait before the next attempt, or None to give up."""
        if retry_after is None:
            if self.used >= self.retry.retries:
                return None
            wait = self.random.uniform(0, self._spread(self.used))
            self.used += 1
            return wait
        wait = retry_after + self.random.uniform(0, self._spread(self.asked))
        self.asked += 1
        if self.waited + wait > self.retry.patience:
            return None
        self.waited += wait
        return wait

    def _spread(self, turn: int) -> float:
        return min(self.retry.ceiling, self.retry.base * 2.0 ** min(turn, 32))


def seconds_asked_for(header: str | None, *, epoch: float) -> float | None:
    """Read ``Retry-After``, as seconds or as an HTTP date against ``epoch``; None if unusable.

    Source: RFC 9110, section 10.2.3.
    """
    if not header:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - epoch)
    except ValueError:
        return None
