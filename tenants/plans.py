"""What a plan is: how much a tenant on it may ask. The numbers are settings (`LIMITS`). Pure."""

from dataclasses import dataclass
from enum import StrEnum


class Plan(StrEnum):
    """On which terms a tenant is served."""

    PROVISIONAL = "provisional"
    """Made by whoever asked for a key: few events, a few days, no third-party look-ups."""
    FULL = "full"
    """Made or confirmed by an operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A token bucket: `burst` at once after a rest, `per_second` in the long run."""

    per_second: float
    burst: float

    @property
    def window(self) -> float:
        """Seconds in which an empty bucket fills."""
        return self.burst / self.per_second


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a plan allows: requests and octets of bodies, of each key and of all of a tenant's.

    The buckets of the events' doors and of all others are apart: who sends too much can still read
    alerts. `events_a_day` counts accepted events of a UTC day; None is no bound. `days` is how
    long such a tenant lives, None for ever.
    """

    key_requests: Rate
    tenant_requests: Rate
    key_octets: Rate
    tenant_octets: Rate
    events_a_day: int | None
    days: int | None
