"""Counting the fields of a tenant's events that no event has.

They are ignored, never rejected (contract), and their number tells a tenant that its sensor says
more than is used, or spells a name wrong. A field's name is the sender's own text, so it is sealed.
"""

from collections import Counter
from datetime import date, datetime
from uuid import UUID

import msgspec

from analytics.models import IgnoredFields
from tenants import keys

MAX_NAMES = 200
"""Names kept per kind and day; a sender that makes names up fills no table with them."""
OTHERS = "(others)"
"""What further names are counted under; no name in brackets can be sent, brackets being ours."""

_encode = msgspec.json.Encoder(order="sorted").encode
_decode = msgspec.json.Decoder(dict[str, int]).decode


def add_ignored(*, tenant: UUID, kind: str, day: date, counts: Counter[str], now: datetime) -> None:
    """Add counts to a day's, in the scope and transaction in which the events take effect."""
    if not counts:
        return
    blank = _sealed(tenant, day, kind, Counter(), now=now)
    IgnoredFields.objects.bulk_create(
        [IgnoredFields(tenant_id=tenant, day=day, kind=kind, sealed=blank)], ignore_conflicts=True
    )
    row = IgnoredFields.objects.select_for_update().get(day=day, kind=kind)
    total = _opened(row)
    for name, count in sorted(counts.items()):
        known = name in total or len(total) < MAX_NAMES
        total[name if known else OTHERS] += count
    IgnoredFields.objects.filter(day=day, kind=kind).update(
        sealed=_sealed(tenant, day, kind, total, now=now)
    )


def ignored_fields(*, day: date) -> dict[str, dict[str, int]]:
    """Return the counts of a day by kind and name, inside the tenant's scope."""
    rows = IgnoredFields.objects.filter(day=day).order_by("kind")
    return {row.kind: dict(sorted(_opened(row).items())) for row in rows}


def _opened(row: IgnoredFields) -> Counter[str]:
    plain = keys.unseal(
        row.tenant_id,
        keys.SERIES,
        bytes(row.sealed),
        "ignored_fields",
        row.day.isoformat(),
        row.kind,
    )
    return Counter(_decode(plain))


def _sealed(tenant: UUID, day: date, kind: str, counts: Counter[str], *, now: datetime) -> bytes:
    plain = _encode(dict(counts))
    return keys.seal(tenant, keys.SERIES, plain, "ignored_fields", day.isoformat(), kind, now=now)
