"""How many distinct sources a tenant had on a day: sealed sketches by shard, never a list."""

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from analytics.models import SourceSketch
from analytics.series import sketches
from analytics.series.shards import day_of
from tenants import keys


def add_sources(
    *, tenant: UUID, seen: Iterable[tuple[int, NDArray[np.uint64]]], now: datetime
) -> None:
    """Add sources, as keyed hashes by shard, to the sketches of the day of `now`.

    Inside the scope and the transaction in which their events take effect; the rows are locked in
    the order of their shards.
    """
    today = day_of(now)
    by_shard: dict[int, list[NDArray[np.uint64]]] = {}
    for shard, hashes in seen:
        if len(hashes):
            by_shard.setdefault(shard, []).append(hashes)
    for shard, parts in sorted(by_shard.items()):
        held = SourceSketch.objects.select_for_update().filter(day=today, shard=shard)
        row = held.first()
        if row is None:
            blank = _sealed(tenant, today, shard, sketches.empty(), now=now)
            SourceSketch.objects.bulk_create(
                [SourceSketch(tenant_id=tenant, day=today, shard=shard, sealed=blank)],
                ignore_conflicts=True,
            )
            row = held.get()
        registers = sketches.merge(_registers(row), sketches.sketch(np.concatenate(parts)))
        SourceSketch.objects.filter(day=today, shard=shard).update(
            sealed=_sealed(tenant, today, shard, registers, now=now)
        )


def sources_seen(*, day: date) -> int:
    """Estimate the distinct sources of a day, inside the tenant's scope."""
    merged = sketches.empty()
    for row in SourceSketch.objects.filter(day=day):
        merged = sketches.merge(merged, _registers(row))
    return sketches.estimate(merged)


def _registers(row: SourceSketch) -> NDArray[np.uint8]:
    day, shard = row.day.isoformat(), row.shard
    plain = keys.unseal(row.tenant_id, keys.SERIES, bytes(row.sealed), "source_sketch", day, shard)
    return np.frombuffer(plain, dtype=np.uint8)


def _sealed(
    tenant: UUID, day: date, shard: int, registers: NDArray[np.uint8], *, now: datetime
) -> bytes:
    plain = registers.tobytes()
    return keys.seal(tenant, keys.SERIES, plain, "source_sketch", day.isoformat(), shard, now=now)
