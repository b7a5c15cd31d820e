"""The deployment's own keys as staff see them: versions, ages and counts, never a byte of one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from console.engine import counts
from tenants.keys.custody import EPOCH_DAYS
from tenants.keys.inventory import inventory
from tenants.models import KeyringReader, RootState, RootVersion, SystemKey, Tenant

SHOWN_PROCESSES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class RootRow:
    """A version of a root key and what is wrapped by it."""

    name: str
    state: str
    added_at: datetime
    primary_at: datetime | None
    rewrapped_at: datetime | None
    retired_at: datetime | None
    tenant_keys: int
    system_keys: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochRow:
    """The data keys of a class in one epoch; `begun_at` and `ends_at` bound what they seal."""

    series_class: str
    epoch: int
    keys: int
    oldest: datetime
    begun_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysSight:
    """The page of keys."""

    roots: Sequence[RootRow]
    primary: RootRow | None
    tenants: int
    tenant_keys: int
    data_keys: int
    epochs: Sequence[EpochRow]
    system_keys: Sequence[SystemKey]
    processes: Sequence[KeyringReader]
    primitives: Sequence[dict[str, str]]


def sight() -> KeysSight:
    """Gather the page; the tenants' keys are counted in each tenant's own scope."""
    tenants = list(Tenant.objects.values_list("id", flat=True))
    wrapped = counts.tenant_keys(tenants)
    epochs = [_epoch(row) for row in counts.data_keys(tenants)]
    system = list(SystemKey.objects.order_by("name").defer("wrapped", "check_value"))
    roots = []
    for row in RootVersion.objects.order_by("-added_at", "-version").defer("check_value"):
        name = (row.provider, row.key_id, row.version)
        under = [each for each in system if (each.provider, each.key_id, each.root_version) == name]
        roots.append(
            RootRow(
                name=str(row),
                state=row.state,
                added_at=row.added_at,
                primary_at=row.primary_at,
                rewrapped_at=row.rewrapped_at,
                retired_at=row.retired_at,
                tenant_keys=wrapped.get(name, 0),
                system_keys=len(under),
            )
        )
    return KeysSight(
        roots=roots,
        primary=next((row for row in roots if row.state == RootState.PRIMARY), None),
        tenants=len(tenants),
        tenant_keys=sum(wrapped.values()),
        data_keys=sum(row.keys for row in epochs),
        epochs=epochs,
        system_keys=system,
        processes=list(KeyringReader.objects.order_by("-seen_at")[:SHOWN_PROCESSES]),
        primitives=inventory(),
    )


def _epoch(row: counts.DataKeys) -> EpochRow:
    begun = datetime.fromtimestamp(0, tz=UTC) + timedelta(days=row.epoch * EPOCH_DAYS)
    return EpochRow(
        series_class=row.series_class,
        epoch=row.epoch,
        keys=row.keys,
        oldest=row.oldest,
        begun_at=begun,
        ends_at=begun + timedelta(days=EPOCH_DAYS),
    )
