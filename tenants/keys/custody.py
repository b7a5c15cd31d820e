"""Tenant keys and data keys: made once, held in memory for minutes, never shown."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from crypto import envelope, kdf, mac
from crypto.errors import CryptoError
from crypto.ids import uuid7
from crypto.random import random_bytes
from tenants.errors import KeyDestroyed, KeyUnavailable
from tenants.keys import counts, failures, keyring, peppers
from tenants.keys.system import forget_system
from tenants.models.keys import DataKey, KeyPurpose, TenantKey
from tenants.scope import tenant_scope

INBOX = "inbox"
"""Class of accepted batches: kept hours."""
SERIES = "series"
"""Class of time series and event identities: kept 90 days and 72 hours."""
FINDINGS = "findings"
"""Class of alerts and their evidence: kept 400 days."""
CONFIGURATION = "configuration"
"""Class of what a tenant configures: groups, suppressions, destinations of deliveries."""

CLASSES = (INBOX, SERIES, FINDINGS, CONFIGURATION)
"""Every class: a row of a tenant's is sealed under one of them."""

EPOCH_DAYS = 30
"""Days that one data key serves: what a leaked key opens is bounded by it."""

HELD = 256
"""Keys held in memory at once."""
HELD_SECONDS = 300.0
"""Seconds that a key stays in memory, so that a destroyed one stops working everywhere soon."""

_DAY = 86_400


class _NotTheTenants(KeyDestroyed):
    """A row names a data key that its tenant does not have."""


class _Held:
    """A bounded cache whose entries expire."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: OrderedDict[tuple[UUID, str], tuple[float, envelope.DataKey]] = OrderedDict()

    def get(
        self, tenant: UUID, name: str, load: Callable[[], envelope.DataKey]
    ) -> envelope.DataKey:
        slot = (tenant, name)
        keyring.report()
        with self._lock:
            entry = self._entries.get(slot)
            if entry is not None and entry[0] > time.monotonic():
                self._entries.move_to_end(slot)
                return entry[1]
        key = load()
        with self._lock:
            self._entries[slot] = (time.monotonic() + HELD_SECONDS, key)
            self._entries.move_to_end(slot)
            while len(self._entries) > HELD:
                self._entries.popitem(last=False)
        return key

    def drop(self, tenant: UUID, name: str, key: envelope.DataKey) -> None:
        with self._lock:
            entry = self._entries.get((tenant, name))
            if entry is not None and entry[1].id == key.id:
                del self._entries[tenant, name]

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()


_held = _Held()


def forget() -> None:
    """Drop every key held in memory: after a rotation, and between tests."""
    _held.clear()
    keyring.forget()
    failures.forget()
    counts.forget()
    forget_system()
    peppers.forget()


def make_tenant_keys(tenant: UUID, *, now: datetime) -> None:
    """Make a new tenant's wrapping and index keys; a tenant that has them keeps them."""
    for purpose in KeyPurpose:
        key = envelope.DataKey(id=uuid7(now), secret=random_bytes(32))
        with keyring.reaching(), tenant_scope(tenant, using="keys"):
            wrapped = keyring.wrap(key, tenant_context(tenant, purpose), now=now)
            TenantKey.objects.bulk_create(
                [
                    TenantKey(
                        tenant_id=tenant,
                        id=key.id,
                        purpose=purpose,
                        version=1,
                        provider=wrapped.provider,
                        key_id=wrapped.key_id,
                        root_version=wrapped.version,
                        wrapped=wrapped.blob,
                        check_value=key.check,
                        created_at=now,
                    )
                ],
                ignore_conflicts=True,
            )


def seal(
    tenant: UUID,
    series_class: str,
    plaintext: bytes,
    *context: str | bytes | int | UUID,
    now: datetime,
) -> bytes:
    """Seal a tenant's bytes under a data key of their class and of the current epoch.

    `context` names the row (table, id, and what else its columns say): the same values are needed
    to open it. Call it inside the tenant's scope or outside any; in a transaction only after
    `prepare`.
    """
    return envelope.seal(
        key=_sealing(tenant, series_class, now),
        plaintext=plaintext,
        context=envelope.context(tenant, series_class, *context),
    )


def prepare(tenant: UUID, series_class: str, *, now: datetime) -> None:
    """Make the data key of a class and the current epoch where it is missing, and lease ahead.

    Outside any transaction: one that is rolled back would take the key with it while it is held in
    memory, and what was sealed under it afterwards would never open.
    """
    counts.top_up(tenant, _current(tenant, series_class, now).id)


def _sealing(tenant: UUID, series_class: str, now: datetime) -> envelope.DataKey:
    """Return the key under which one more message may be sealed; a full one gets a successor."""
    while True:
        key = _current(tenant, series_class, now)
        if counts.draw(tenant, key.id):
            return key
        _held.drop(tenant, _slot(series_class, _epoch(now)), key)


def _epoch(now: datetime) -> int:
    return int(now.astimezone(UTC).timestamp()) // _DAY // EPOCH_DAYS


def _slot(series_class: str, epoch: int) -> str:
    return f"{series_class}|{epoch}"


def _current(tenant: UUID, series_class: str, now: datetime) -> envelope.DataKey:
    epoch = _epoch(now)
    return _held.get(
        tenant, _slot(series_class, epoch), lambda: _data_key(tenant, series_class, epoch, now)
    )


def unseal(
    tenant: UUID, series_class: str, sealed: bytes, *context: str | bytes | int | UUID
) -> bytes:
    """Open what `seal` sealed for the same tenant, class and row.

    Raises ``crypto.errors.CryptoError`` for anything else, `KeyUnavailable` for a destroyed key.
    """
    try:
        return envelope.unseal(
            key=lambda name: _held.get(tenant, str(name), lambda: _stored_data_key(tenant, name)),
            sealed=sealed,
            context=envelope.context(tenant, series_class, *context),
        )
    except (CryptoError, _NotTheTenants):
        failures.note(tenant, series_class)
        raise


def fingerprint_key(tenant: UUID) -> bytes:
    """Return the key of the tenant's event identities."""
    return _index_key(tenant, "identity")


def blind_index(tenant: UUID, field: str, value: str | bytes, *, length: int = 16) -> bytes:
    """Return the keyed hash by which equal values of `field` find each other, and nobody else."""
    message = value.encode() if isinstance(value, str) else value
    return mac.tag(_index_key(tenant, f"bi|{field}"), message, length=length)


def _index_key(tenant: UUID, purpose: str) -> bytes:
    key = _held.get(tenant, "index", lambda: _tenant_key(tenant, KeyPurpose.INDEX))
    return kdf.hkdf(key.secret, info=purpose.encode())


def tenant_context(tenant: UUID, purpose: str) -> bytes:
    """Return the context under which a tenant's key of a purpose is wrapped."""
    return envelope.context("tenant_key", tenant, purpose)


def _tenant_key(tenant: UUID, purpose: KeyPurpose) -> envelope.DataKey:
    with keyring.reaching(), tenant_scope(tenant, using="keys"):
        row = (
            TenantKey.objects.filter(purpose=purpose, destroyed_at=None)
            .order_by("-version")
            .first()
        )
    if row is None:
        raise KeyDestroyed(f"tenant {tenant} has no {purpose} key (any more)")
    return keyring.unwrap(row, tenant_context(tenant, purpose))


def _wrap_key(tenant: UUID) -> envelope.DataKey:
    return _held.get(tenant, "wrap", lambda: _tenant_key(tenant, KeyPurpose.WRAP))


def _data_key(tenant: UUID, series_class: str, epoch: int, now: datetime) -> envelope.DataKey:
    """Return the epoch's newest data key that is not given out, made by whoever comes first."""
    row = _newest(tenant, series_class, epoch)
    if row is None and connection.in_atomic_block:
        raise KeyUnavailable(f"the {series_class} key is made by prepare(), before a transaction")
    if row is not None and row.leased < counts.MOST_MESSAGES:
        return _unwrapped(tenant, row)
    number = 0 if row is None else row.number + 1
    made = counts.apart(partial(_make, tenant, series_class, epoch, number, now))
    if made is not None:
        return made
    row = _newest(tenant, series_class, epoch)  # another process was first; its key is the epoch's
    if row is None:
        raise KeyDestroyed(f"the {series_class} key is gone again")
    return _unwrapped(tenant, row)


def _newest(tenant: UUID, series_class: str, epoch: int) -> DataKey | None:
    with tenant_scope(tenant):
        rows = DataKey.objects.filter(series_class=series_class, epoch=epoch)
        return rows.order_by("-number").first()


def _make(
    tenant: UUID, series_class: str, epoch: int, number: int, now: datetime
) -> envelope.DataKey | None:
    """Make a data key; None where there is one of that number."""
    under = _wrap_key(tenant)
    key = envelope.DataKey(id=uuid7(now), secret=random_bytes(32))
    try:
        with tenant_scope(tenant), transaction.atomic():
            DataKey.objects.create(
                id=key.id, series_class=series_class, epoch=epoch, number=number, under=under.id,
                wrapped=envelope.wrap(key=key, under=under, context=_data_context(tenant)),
                check_value=key.check, created_at=now,
            )  # fmt: skip
    except IntegrityError:
        return None
    return key


def _stored_data_key(tenant: UUID, name: UUID) -> envelope.DataKey:
    with tenant_scope(tenant):
        row = DataKey.objects.filter(id=name).first()
    if row is None:
        raise _NotTheTenants(f"data key {name} is not this tenant's, or is gone")
    return _unwrapped(tenant, row)


def _unwrapped(tenant: UUID, row: DataKey) -> envelope.DataKey:
    return envelope.unwrap(
        wrapped=bytes(row.wrapped),
        id=row.id,
        check=bytes(row.check_value),
        under=_wrap_key(tenant),
        context=_data_context(tenant),
    )


def _data_context(tenant: UUID) -> bytes:
    return envelope.context("data_key", tenant)
