"""A circuit breaker: a Wisdom that is down costs one attempt now and then, not one a batch."""

import threading


class Breaker:
    """Opens after some failures in a row; lets one trial through each time it has rested.

    Times are monotonic seconds, given by the caller.
    """

    FAILURES = 3  # in a row: one may be a restart, three are an outage
    REST = 15.0  # seconds: a batch that was owed is asked again about this often

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures = 0
        self._closed_at = 0.0

    def may_ask(self, *, at: float) -> bool:
        """Tell whether to ask; while open, only the first caller after each rest may."""
        with self._lock:
            if self._failures < self.FAILURES:
                return True
            if at < self._closed_at:
                return False
            self._closed_at = at + self.REST
            return True

    def succeeded(self) -> None:
        """Close."""
        with self._lock:
            self._failures = 0

    def failed(self, *, at: float) -> None:
        """Count a failure; rest when there were enough."""
        with self._lock:
            self._failures += 1
            self._closed_at = at + self.REST
