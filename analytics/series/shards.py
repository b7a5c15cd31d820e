"""Shards and windows: the units that the series are cut into. Pure."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.ingest.batches import addresses_of
from analytics.ingest.times import SECOND
from crypto import mac

SHARDS = 4
"""Shards of a tenant: a source lives in one, so that everything kept per source is one unit of
work. Four let one tenant use four workers; more would cut small tenants' segments too fine."""

HOUR = 3600 * SECOND
"""Nanoseconds of a window."""
DAY = 24 * HOUR
"""Nanoseconds of an evaluation."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def shards_of(batch: pa.Table, *, key: bytes, shards: int = SHARDS) -> NDArray[np.int16]:
    """Return each row's shard by a keyed hash of its source, shape ``(n,)``."""
    sources, inverse = np.unique(addresses_of(batch, "srcIP"), return_inverse=True)
    hashes = mac.tags64(key, (source.tobytes() for source in sources))
    return (hashes % np.uint64(shards)).astype(np.int16)[inverse]


def hours_of(times: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the start of each time's hour, in nanoseconds."""
    return times - times % HOUR


def moment(nanoseconds: int) -> datetime:
    """Return nanoseconds since 1970 as a datetime, to the microsecond."""
    return _EPOCH + timedelta(microseconds=nanoseconds // 1000)


def nanoseconds(at: datetime) -> int:
    """Return a datetime as nanoseconds since 1970."""
    return (at - _EPOCH) // timedelta(microseconds=1) * 1000


def day_of(at: datetime) -> date:
    """Return the UTC day of a moment."""
    return at.astimezone(UTC).date()


def day_start(day: date) -> datetime:
    """Return the first moment of a UTC day."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
