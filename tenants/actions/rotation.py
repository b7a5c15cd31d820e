"""Rotating the root key while everything serves, in the order that Tink's keysets have.

A newer version is added, and unwraps only; every process reports it; it is made primary; every key
is wrapped anew; the older one is retired when nothing is wrapped by it. Each step is a transaction
of its own and looks at the rows for what is left, so that `rotate` after a kill goes on where the
last one stopped.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from audit.actors import Actor
from audit.events import EventType
from audit.record import record
from tenants import keys
from tenants.errors import UnfitTerms
from tenants.keys import keyring
from tenants.keys.keyring import Name
from tenants.keys.providers import configured, primary_provider, provider_of
from tenants.keys.system import adopt_system_secret, system_context
from tenants.models import RootState, RootVersion, SystemKey, Tenant, TenantKey
from tenants.scope import tenant_scope

BATCH = 100
"""Tenants between two words on progress; each tenant's keys are one transaction."""
POLL_SECONDS = 1.0
SETTLED_SECONDS = 60
"""Seconds after a rotation before an older version may go: the making of a tenant whose keys were
stored just before has committed by then."""

Progress = Callable[[str, int, int], None]
"""Told the step, what is done and what there is to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotated:
    """What one rotation did."""

    version: Name
    rewrapped: int
    resumed: bool


def quiet(_step: str, _done: int, _all: int) -> None:
    """Tell nobody."""


def rotate(
    *,
    actor: Actor,
    reason: str,
    now: datetime,
    wait: float = 300.0,
    progress: Progress = quiet,
    sleep: Callable[[float], None] = time.sleep,
) -> Rotated:
    """Bring every key under a newer version of the configured provider's root key.

    Goes on with a rotation that was not finished. Raises `UnfitTerms` when a process has not
    reported the new version after `wait` seconds: nothing is wrapped under it then, and the command
    may be given again.
    """
    target, resumed = _target(actor=actor, reason=reason, now=now)
    name = keyring.name_of(target)
    progress(f"{name} unwraps", 0, 0)
    if target.state != RootState.PRIMARY:
        await_readers(name, wait=wait, sleep=sleep, progress=progress)
        _promote(name, actor=actor, reason=reason, now=now)
        progress(f"{name} is primary", 0, 0)
    rewrapped = _rewrap_all(name, progress=progress)
    with transaction.atomic():
        record(
            event=EventType.ROOT_REWRAPPED, actor=actor, now=now, resource=f"root:{name}",
            reason=reason, detail={"keys": rewrapped},
        )  # fmt: skip
        _row(name).update(rewrapped_at=now)
    keys.forget()
    return Rotated(version=name, rewrapped=rewrapped, resumed=resumed)


def _target(*, actor: Actor, reason: str, now: datetime) -> tuple[RootVersion, bool]:
    """Return the version to go to: one that waits, one not finished, or a new one."""
    adopt_system_secret()
    with transaction.atomic(using="keys"):
        primary = keyring.primary(now=now)
    provider = primary_provider()
    rows = RootVersion.objects.using("keys")
    waiting = rows.filter(
        state=RootState.DECRYPT, primary_at=None, provider=provider.name, key_id=provider.key_id
    ).first()
    if waiting is not None:
        return waiting, True
    if primary.provider == provider.name and primary.rewrapped_at is None:
        return primary, True
    known = rows.filter(provider=provider.name, key_id=provider.key_id)
    newest = max((row.version for row in known), default=0)
    version = provider.current_version()
    if version <= newest:  # else it was made already, by hand or before a kill
        version = provider.add_version()
    row = RootVersion(
        provider=provider.name, key_id=provider.key_id, version=version, state=RootState.DECRYPT,
        check_value=provider.check_value(version), added_at=now,
    )  # fmt: skip
    with transaction.atomic():
        record(
            event=EventType.ROOT_VERSION_ADDED, actor=actor, now=now, reason=reason,
            resource=f"root:{keyring.name_of(row)}",
        )  # fmt: skip
        row.save(force_insert=True, using="keys")
    return row, False


def await_readers(
    name: Name, *, wait: float, sleep: Callable[[float], None], progress: Progress
) -> None:
    """Wait until every process at work has reported a version; raises `UnfitTerms` after `wait`."""
    keyring.report(force=True)
    waited = 0.0
    while late := keyring.behind(name):
        if waited >= wait:
            raise UnfitTerms(f"not reported {name}: {', '.join(late)}")
        progress(f"{name} is not reported yet", 0, len(late))
        sleep(POLL_SECONDS)
        waited += POLL_SECONDS


def _promote(name: Name, *, actor: Actor, reason: str, now: datetime) -> None:
    with transaction.atomic():
        record(
            event=EventType.ROOT_VERSION_PROMOTED, actor=actor, now=now, reason=reason,
            resource=f"root:{name}",
        )  # fmt: skip
        with transaction.atomic(using="keys"):
            rows = RootVersion.objects.using("keys")
            list(rows.select_for_update().exclude(state=RootState.RETIRED))
            rows.filter(state=RootState.PRIMARY).update(state=RootState.DECRYPT)
            _row(name).update(state=RootState.PRIMARY, primary_at=now)


def _rewrap_all(name: Name, *, progress: Progress) -> int:
    provider = configured()[name.provider]
    done = _rewrap_system(name)
    seen, total = 0, Tenant.objects.count()
    tenants = Tenant.objects.order_by("id").values_list("id", flat=True).iterator()
    while batch := list(islice(tenants, BATCH)):
        for tenant in batch:
            done += _rewrap_tenant(tenant, name)
        seen += len(batch)
        progress(f"wrapped under {provider.name} {name.version}", seen, max(seen, total))
    return done


def _rewrap_system(name: Name) -> int:
    with transaction.atomic(using="keys"):
        rows = SystemKey.objects.using("keys").select_for_update()
        left = [row for row in rows if _name(row) != name]
        for row in left:
            _rewrap(row, system_context(row.name), name)
    return len(left)


def _rewrap_tenant(tenant: UUID, name: Name) -> int:
    """Wrap a tenant's keys anew, in one transaction; return how many were not yet."""
    with tenant_scope(tenant, using="keys"):
        rows = TenantKey.objects.select_for_update().filter(destroyed_at=None)
        left = [row for row in rows if _name(row) != name]
        for row in left:
            _rewrap(row, keys.tenant_context(tenant, row.purpose), name)
    return len(left)


def _rewrap(row: TenantKey | SystemKey, context: bytes, name: Name) -> None:
    """Give a locked row the same key wrapped by `name`, and open it again before it is kept."""
    old, bound = keyring.wrapped_of(row), keyring.context_of(row.id, context)
    target = configured()[name.provider]
    if old.provider == name.provider and old.key_id == name.key_id:
        new = target.rewrap(old, bound, version=name.version)
    else:
        secret = provider_of(old).unwrap(old, bound)
        new = target.wrap(secret, bound, version=name.version)
    row.provider, row.key_id, row.root_version = new.provider, new.key_id, new.version
    row.wrapped = new.blob
    keyring.unwrap(row, context)
    row.save(
        using="keys", update_fields=("provider", "key_id", "root_version", "wrapped")
    )  # fmt: skip


def _name(row: TenantKey | SystemKey) -> Name:
    return Name(row.provider, row.key_id, row.root_version)


def _row(name: Name) -> "QuerySet[RootVersion]":
    return RootVersion.objects.using("keys").filter(
        provider=name.provider, key_id=name.key_id, version=name.version
    )


def wrapped_names() -> Iterator[Name]:
    """Return the version of every key that lives, tenant by tenant, and of the deployment's own."""
    for tenant in Tenant.objects.order_by("id").values_list("id", flat=True).iterator():
        with tenant_scope(tenant, using="keys"):
            rows = TenantKey.objects.filter(destroyed_at=None)
            found = list(rows.values_list("provider", "key_id", "root_version"))
        yield from (Name(*each) for each in found)
    for each in SystemKey.objects.using("keys").values_list("provider", "key_id", "root_version"):
        yield Name(*each)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A version of a root key and how many keys are wrapped by it."""

    name: Name
    state: str
    keys: int


def status() -> list[Standing]:
    """Return every known version with its count, in the order in which they were added."""
    counts: dict[Name, int] = {}
    for name in wrapped_names():
        counts[name] = counts.get(name, 0) + 1
    rows = RootVersion.objects.using("keys").order_by("added_at", "version")
    known = [
        Standing(
            name=keyring.name_of(row), state=row.state, keys=counts.get(keyring.name_of(row), 0)
        )
        for row in rows
    ]
    named = {each.name for each in known}
    return known + [
        Standing(name=name, state="unrecorded", keys=count)
        for name, count in counts.items()
        if name not in named
    ]


def retire(*, name: Name, actor: Actor, reason: str, now: datetime) -> None:
    """Destroy a version that nothing is wrapped by; raises as `refuse_retirement`."""
    refuse_retirement(name, now=now)
    with transaction.atomic():
        record(
            event=EventType.ROOT_VERSION_RETIRED, actor=actor, now=now, reason=reason,
            resource=f"root:{name}",
        )  # fmt: skip
        _row(name).update(state=RootState.RETIRED, retired_at=now)
    configured()[name.provider].destroy(name.version)
    keys.forget()


def refuse_retirement(name: Name, *, now: datetime) -> None:
    """Raise `UnfitTerms` for a version that may not be destroyed.

    That is the primary, one that is not known or was retired, one that a key is wrapped by, and any
    until `SETTLED_SECONDS` after the last rotation.
    """
    row = _row(name).first()
    if row is None or row.state == RootState.RETIRED:
        raise UnfitTerms(f"{name} is not known, or retired already")
    if row.state == RootState.PRIMARY:
        raise UnfitTerms(f"{name} is primary: rotate first")
    primary = RootVersion.objects.using("keys").get(state=RootState.PRIMARY)
    since = (now - (primary.primary_at or now)).total_seconds()
    if primary.rewrapped_at is None or since < SETTLED_SECONDS:
        raise UnfitTerms(f"the rotation is not {SETTLED_SECONDS} s old: nothing is retired yet")
    left = sum(1 for each in wrapped_names() if each == name)
    if left:
        raise UnfitTerms(f"{left} keys are wrapped by {name}: rotate again")
