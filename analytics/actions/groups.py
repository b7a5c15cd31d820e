"""A tenant's monitoring groups: read from a client's body, kept sealed, applied to findings."""

from collections.abc import Callable, Iterable
from datetime import datetime
from uuid import UUID

import msgspec

from analytics.actions.findings import AlertContent
from analytics.actions.scoping import (
    Group,
    Scoping,
    domain_value,
    network_value,
    scope_of,
    source_value,
)
from analytics.models import MonitoringGroups
from audit.actors import Actor
from audit.events import EventType
from audit.record import record
from destinations import addresses
from tenants import keys, repeats
from tenants.errors import Refused
from tenants.scope import tenant_scope

SCHEMA = 1
VERSION = "1"
MAX_BODY = 1 << 20
"""Bytes of a body, inflated: three times what the most entries of usual length need."""
MAX_GROUPS = 1_000
MAX_ENTRIES = 10_000
"""Entries of all groups together: they are looked through for every finding."""
MAX_LABEL = 256
MAX_DESCRIPTION = 1_024


class Entry(msgspec.Struct, frozen=True):
    """One value of a group and what its author says of it."""

    value: str
    desc: str | None = None


Entries = list[Entry | str] | None
"""Entries as clients write them; a bare text is an entry without a description."""


class TrustedEntries(msgspec.Struct, frozen=True):
    """Destinations that a group trusts. ``anomaly`` is kept for the client that works by it."""

    entries: Entries = None
    anomaly: bool | None = None


class Trusted(msgspec.Struct, frozen=True):
    """Domains and networks that a group trusts."""

    domains: TrustedEntries | None = None
    cidrs: TrustedEntries | None = None


class RawGroup(msgspec.Struct, frozen=True):
    """A group as a client writes it."""

    label: str = ""
    inclusions: Entries = None
    exclusions: Entries = None
    trusted: Trusted | None = None


class RawGroups(msgspec.Struct, frozen=True):
    """The body of ``/v1/groups/raw``."""

    version: str | int = VERSION
    groups: list[RawGroup] | None = None


_decoder = msgspec.json.Decoder(RawGroups)
_encode = msgspec.json.Encoder().encode
Valid = Callable[[str], str]


def read_groups(body: bytes) -> RawGroups:
    """Read a body into groups of one spelling; raise `Refused` that says what is wrong where."""
    try:
        raw = _decoder.decode(body)
    except (msgspec.ValidationError, msgspec.DecodeError, RecursionError) as error:
        raise Refused(f"The groups could not be read: {error}") from None
    if str(raw.version) != VERSION:
        raise Refused(f'version has to be "{VERSION}".')
    groups = raw.groups or []
    if len(groups) > MAX_GROUPS:
        raise Refused(f"There are {len(groups)} groups; the limit is {MAX_GROUPS}.")
    read = RawGroups(groups=[_group(each, at) for at, each in enumerate(groups)])
    count = entries_of(read)
    if count > MAX_ENTRIES:
        raise Refused(f"There are {count} entries in all groups; the limit is {MAX_ENTRIES}.")
    return read


def _group(raw: RawGroup, at: int) -> RawGroup:
    where = f"groups[{at}]"
    if len(raw.label) > MAX_LABEL:
        raise Refused(f"{where}.label is longer than {MAX_LABEL} characters.")
    trusted = raw.trusted or Trusted()
    return RawGroup(
        label=raw.label,
        inclusions=_entries(raw.inclusions, source_value, f"{where}.inclusions"),
        exclusions=_entries(raw.exclusions, source_value, f"{where}.exclusions"),
        trusted=Trusted(
            domains=_trusted(trusted.domains, domain_value, f"{where}.trusted.domains"),
            cidrs=_trusted(trusted.cidrs, network_value, f"{where}.trusted.cidrs"),
        ),
    )


def _trusted(raw: TrustedEntries | None, valid: Valid, where: str) -> TrustedEntries:
    said = raw or TrustedEntries()
    return TrustedEntries(
        entries=_entries(said.entries, valid, f"{where}.entries"), anomaly=bool(said.anomaly)
    )


def _entries(raw: Entries, valid: Valid, where: str) -> Entries:
    entries: list[Entry | str] = []
    for at, each in enumerate(raw or ()):
        entry = Entry(value=each) if isinstance(each, str) else each
        try:
            value = valid(entry.value)
        except ValueError as error:
            raise Refused(f"{where}[{at}].value {error}.") from None
        desc = entry.desc or ""
        if len(desc) > MAX_DESCRIPTION:
            raise Refused(f"{where}[{at}].desc is longer than {MAX_DESCRIPTION} characters.")
        entries.append(Entry(value=value, desc=desc))
    return entries


def entries_of(raw: RawGroups) -> int:
    """Count the entries of all groups."""
    groups = [_as_group(group) for group in raw.groups or ()]
    return sum(
        len(values)
        for group in groups
        for values in (group.inclusions, group.exclusions, group.domains, group.cidrs)
    )


def _as_group(raw: RawGroup) -> Group:
    trusted = raw.trusted or Trusted()
    return Group(
        inclusions=_values(raw.inclusions),
        exclusions=_values(raw.exclusions),
        domains=_values(trusted.domains.entries if trusted.domains else None),
        cidrs=_values(trusted.cidrs.entries if trusted.cidrs else None),
    )


def _values(entries: Entries) -> list[str]:
    return [each if isinstance(each, str) else each.value for each in entries or ()]


def replace_groups(
    *,
    tenant: UUID,
    groups: RawGroups,
    actor: Actor,
    now: datetime,
    claim: repeats.Claim | None = None,
) -> bytes | None:
    """Put a tenant's groups in the place of those it had, and audit it in the same transaction.

    A request that comes again by its `claim` changes nothing: what was answered to it before is
    returned, else None.
    """
    keys.prepare(tenant, keys.CONFIGURATION, now=now)
    counts = {"groups": len(groups.groups or ()), "entries": entries_of(groups)}
    sealed = keys.seal(
        tenant, keys.CONFIGURATION, _encode(groups), "monitoring_groups", SCHEMA, now=now
    )
    with tenant_scope(tenant):
        earlier = None if claim is None else repeats.earlier(claim, now=now)
        if earlier is not None:
            return earlier
        MonitoringGroups.objects.bulk_create(
            [
                MonitoringGroups(
                    tenant_id=tenant, schema=SCHEMA, changed_at=now, sealed=sealed, **counts
                )
            ],
            update_conflicts=True,
            unique_fields=["tenant_id"],
            update_fields=["schema", "groups", "entries", "changed_at", "sealed"],
        )
        record(event=EventType.GROUPS_CHANGED, actor=actor, tenant=tenant, now=now, detail=counts)
    return None


def groups_of(tenant: UUID) -> RawGroups:
    """Return a tenant's groups, inside its scope; none where it has configured none."""
    row = MonitoringGroups.objects.first()
    if row is None:
        return RawGroups(groups=[])
    return _decoder.decode(
        keys.unseal(tenant, keys.CONFIGURATION, bytes(row.sealed), "monitoring_groups", row.schema)
    )


def scoping_of(tenant: UUID) -> Scoping:
    """Return what a tenant's groups mean, inside its scope."""
    return scope_of(_as_group(group) for group in groups_of(tenant).groups or ())


def in_scope(contents: Iterable[AlertContent], scoping: Scoping) -> list[AlertContent]:
    """Return those alerts whose source is watched and whose destination it is not trusted with."""
    kept = []
    for content in contents:
        source = addresses.parse(content.source)
        known_as = [content.event.get(name, "") for name in ("srcHost", "srcMac", "srcUser")]
        if scoping.covers(source, *known_as) and not scoping.trusts(
            source, content.destination, *known_as
        ):
            kept.append(content)
    return kept
