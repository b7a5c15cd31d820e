"""Making, replacing and revoking API keys."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from audit.actors import Actor
from audit.events import EventType
from audit.record import record
from tenants import apikeys, keys
from tenants.addresses import normal_network
from tenants.apikeys import TENANT_PREFIX, Scope
from tenants.errors import UnfitTerms
from tenants.models import KeyIndex, Tenant

LONGEST = timedelta(days=365)
"""The farthest end of a key that has one: who wants a key to end wants it within sight."""
LONGEST_OVERLAP = timedelta(days=30)
"""How long a rotated key may go on beside its successor: a month of maintenance windows."""
MAX_NETWORKS = 64
"""Networks of one key: each is looked at by every request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """An API key's id, and its text, which is shown this once."""

    id: str
    text: str

    def __repr__(self) -> str:
        return f"NewKey({self.id})"


def create_key(
    *,
    tenant: Tenant,
    label: str,
    scopes: Sequence[Scope],
    actor: Actor,
    reason: str,
    now: datetime,
    expires_at: datetime | None = None,
    networks: Sequence[str] = (),
) -> str:
    """Make an API key and return its text, which is stored nowhere.

    A key without `expires_at` does not end; one with it ends within `LONGEST`. `networks` are the
    CIDRs from which alone it may be used, none for everywhere. Raises `UnfitTerms`.
    """
    new = make_key(
        tenant=tenant, label=label, scopes=scopes, networks=networks, expires_at=expires_at,
        actor=actor, reason=reason, now=now,
    )  # fmt: skip
    return new.text


def rotate_key(*, key: str, overlap: timedelta, actor: Actor, reason: str, now: datetime) -> NewKey:
    """Make a successor of a live key, on the same terms; the old one ends after `overlap`.

    A key with an end gets a successor of the same length of life. Raises `UnfitTerms` for a key
    that is not live, or an overlap that is negative or beyond `LONGEST_OVERLAP`.
    """
    if not timedelta() <= overlap <= LONGEST_OVERLAP:
        raise UnfitTerms(f"an overlap lasts 0 to {LONGEST_OVERLAP.days} days")
    with transaction.atomic():
        row = (
            KeyIndex.objects.select_for_update(of=("self",))
            .select_related("tenant")
            .filter(id=key)
            .first()
        )
        if row is None or row.is_revoked(now=now):
            raise UnfitTerms("there is no live key of that id")
        life = None if row.expires_at is None else min(row.expires_at - row.created_at, LONGEST)
        new = make_key(
            tenant=row.tenant,
            label=row.label,
            scopes=[Scope(scope) for scope in row.scopes],
            networks=row.networks,
            expires_at=None if life is None else now + life,
            actor=actor,
            reason=reason,
            now=now,
        )
        end_at(row, now + overlap)
        record(
            event=EventType.KEY_ROTATED,
            actor=actor,
            now=now,
            tenant=row.tenant_id,
            resource=f"key:{key}",
            reason=reason,
            detail={"successor": new.id, "overlap_seconds": int(overlap.total_seconds())},
        )
    return new


def revoke_key(*, key: str, actor: Actor, reason: str, now: datetime) -> bool:
    """Revoke an API key; says whether there was one to revoke."""
    with transaction.atomic():
        row = KeyIndex.objects.select_for_update().filter(id=key, revoked_at=None).first()
        if row is None:
            return False
        row.revoked_at = now
        row.save(update_fields=["revoked_at"])
        record(
            event=EventType.KEY_REVOKED,
            actor=actor,
            now=now,
            tenant=row.tenant_id,
            resource=f"key:{key}",
            reason=reason,
        )
    return True


def end_at(row: KeyIndex, end: datetime) -> None:
    """Let a key end at `end`, or where it ends before, then."""
    row.expires_at = end if row.expires_at is None else min(row.expires_at, end)
    row.save(update_fields=["expires_at"])


def make_key(
    *,
    tenant: Tenant,
    label: str,
    scopes: Sequence[Scope],
    networks: Sequence[str],
    expires_at: datetime | None,
    actor: Actor,
    reason: str,
    now: datetime,
) -> NewKey:
    """Make an API key; see `create_key`, which gives its text alone."""
    if not scopes:
        raise UnfitTerms("a key has one scope at least")
    if len(label) > 100:
        raise UnfitTerms("a label has at most 100 characters")
    if expires_at is not None and not now < expires_at <= now + LONGEST:
        raise UnfitTerms(f"a key that ends does so within {LONGEST.days} days from now")
    version, secret = keys.primary_pepper()
    minted = apikeys.mint(TENANT_PREFIX, pepper=secret)
    with transaction.atomic():
        KeyIndex.objects.create(
            id=minted.id,
            tenant=tenant,
            label=label,
            pepper=version,
            mac=minted.mac,
            scopes=list(scopes),
            networks=_normal(networks),
            created_at=now,
            expires_at=expires_at,
        )
        record(
            event=EventType.KEY_CREATED,
            actor=actor,
            now=now,
            tenant=tenant.id,
            resource=f"key:{minted.id}",
            reason=reason,
            detail={"scopes": " ".join(scopes)},
        )
    return NewKey(id=minted.id, text=minted.text)


def _normal(networks: Sequence[str]) -> list[str]:
    if len(networks) > MAX_NETWORKS:
        raise UnfitTerms(f"a key has at most {MAX_NETWORKS} networks")
    try:
        return sorted({normal_network(network) for network in networks})
    except ValueError:
        raise UnfitTerms("a network is written as 192.0.2.0/24 or 2001:db8::/32") from None
