"""Token buckets in Valkey, each one number: when it would be full again.

A bucket of rate r and burst b that is short of x tokens is full x/r seconds from now; that moment,
in whole microseconds, is all that is kept (the generic cell rate algorithm's "theoretical arrival
time", ITU-T I.371). A bucket that is full needs no key, so each key lives until then. Several
buckets are asked in one script: they all give, or none does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tenants.plans import Rate

PATIENCE = 0.2
"""Seconds for an answer: no request waits longer for a Valkey that is away."""

# A bucket gives when it is not empty and, to a cost that is known beforehand, holds that much. What
# is charged afterwards (ARGV[2]) is owed: the bucket gives again when the debt is paid.
_TAKE = """
local now, charged = tonumber(ARGV[1]), ARGV[2] == '1'
local ahead, given = {}, 1
for i = 1, #KEYS do
  local cost, window = tonumber(ARGV[2 * i + 1]), tonumber(ARGV[2 * i + 2])
  ahead[i] = math.max((tonumber(redis.call('GET', KEYS[i])) or now) - now, 0)
  if ahead[i] + cost > window or ahead[i] >= window then given = 0 end
end
if given == 1 or charged then
  for i = 1, #KEYS do
    local cost = tonumber(ARGV[2 * i + 1])
    ahead[i] = ahead[i] + cost
    if cost > 0 then
      redis.call('SET', KEYS[i], string.format('%.0f', now + ahead[i]),
                 'PX', math.ceil(ahead[i] / 1000) + 1000)
    end
  end
end
table.insert(ahead, 1, given)
return ahead
"""
MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """A bucket by its name in Valkey, and what is taken from it."""

    name: str
    rate: Rate
    cost: float

    @property
    def seconds(self) -> float:
        """The cost as the time in which it is paid."""
        return self.cost / self.rate.per_second


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """Where a bucket stands: `owed` seconds until it is full again."""

    bucket: Bucket
    owed: float

    @property
    def remaining(self) -> int:
        """Whole tokens that it holds."""
        return max(0, int((self.bucket.rate.window - self.owed) * self.bucket.rate.per_second))

    @property
    def wait(self) -> float:
        """Seconds until it gives what was asked."""
        needed = max(self.bucket.seconds, 1 / self.bucket.rate.per_second)
        return self.owed + needed - self.bucket.rate.window


@lru_cache(maxsize=4)
def connected(url: str) -> Redis:
    """Return this process's client of the server at a URL, which is not asked twice."""
    return Redis.from_url(
        url,
        socket_timeout=PATIENCE,
        socket_connect_timeout=PATIENCE,
        retry=Retry(NoBackoff(), retries=0),
    )


def take(
    client: Redis, buckets: Sequence[Bucket], *, now: datetime, charged: bool = False
) -> tuple[bool, list[Level]]:
    """Take each bucket's cost from it if all give; return whether, and where they stand then.

    `charged` takes it in any case: what was used is known only afterwards. Raises
    ``redis.RedisError`` where Valkey is away.
    """
    arguments: list[int | float] = [int(now.timestamp() * MICROSECONDS), int(charged)]
    for bucket in buckets:
        arguments += (bucket.seconds * MICROSECONDS, bucket.rate.window * MICROSECONDS)
    script = client.register_script(_TAKE)
    given, *owed = script(keys=[bucket.name for bucket in buckets], args=arguments)
    levels = [
        Level(bucket=bucket, owed=int(each) / MICROSECONDS)
        for bucket, each in zip(buckets, owed, strict=True)
    ]
    return bool(given), levels
