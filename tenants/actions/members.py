"""Naming people, proving their addresses, replacing a lost key by mail."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from audit.actors import ANONYMOUS, Actor
from audit.events import EventType, Outcome
from audit.record import record
from crypto.ids import uuid7
from tenants import attempts, keys, letters, links, members, repeats
from tenants.actions.api_keys import MAX_NETWORKS, NewKey, end_at, make_key
from tenants.actions.tenants import PROVISIONAL_SCOPES
from tenants.apikeys import Scope
from tenants.errors import UnfitTerms
from tenants.links import Purpose, Role
from tenants.members import Details
from tenants.models import KeyIndex, Member, MemberRole, Tenant
from tenants.scope import tenant_scope

OVERLAP = timedelta(hours=24)
"""How long older keys go on after a reset: sensors that still run are given the new one by then."""
LABEL = "reset"


def register(
    *,
    tenant: UUID,
    details: Details,
    role: Role,
    actor: Actor,
    now: datetime,
    claim: repeats.Claim | None = None,
) -> None:
    """Name a person as a tenant's member and mail them a link.

    Nothing is done for a request that comes again by its `claim`. See `_name`.
    """
    keys.prepare(tenant, keys.CONFIGURATION, now=now)
    with tenant_scope(tenant):
        if claim is None or repeats.earlier(claim, now=now) is None:
            _name(tenant, details, role, actor=actor, reason="", now=now)


def _name(
    tenant: UUID, details: Details, role: Role, *, actor: Actor, reason: str, now: datetime
) -> UUID:
    """Name a person, inside the tenant's scope; return the member's id.

    Who is named again before they opened the link gets a new mail, and the newer details; who has
    verified already gets neither. `details` have a normalised address.
    """
    index = members.mail_index(tenant, details.email)
    row = Member.objects.select_for_update().filter(mail_index=index).first()
    if row is None:
        name = uuid7(now)
        row = Member.objects.create(
            id=name,
            role=MemberRole.MEMBER,
            mail_index=index,
            sealed=members.seal(tenant, name, details, now=now),
            created_at=now,
        )
    elif row.verified_at is not None:
        return row.id
    else:
        row.sealed = members.seal(tenant, row.id, details, now=now)
        row.save(update_fields=["sealed"])
    letters.post(letters.Verification(tenant=tenant, member=row.id, role=role), now=now)
    record(
        event=EventType.MEMBER_REGISTERED,
        actor=actor,
        now=now,
        tenant=tenant,
        resource=f"member:{row.id}",
        reason=reason,
        detail={"role": str(role)},
    )
    return row.id


def invite(
    *, tenant: UUID, details: Details, role: Role, actor: Actor, reason: str, now: datetime
) -> UUID:
    """Name a person whom the operator vouches for; they still prove their address by mail.

    Raises `UnfitTerms` for a role that only a registration gives.
    """
    if role is Role.FIRST:
        raise UnfitTerms("a member is invited as owner or as member")
    keys.prepare(tenant, keys.CONFIGURATION, now=now)
    with tenant_scope(tenant):
        return _name(tenant, details, role, actor=actor, reason=reason, now=now)


def verify(*, token: str, now: datetime) -> bool:
    """Use a link up: its member's address is proven, and their tenant registered.

    Says whether the link was good. Who registered with a key becomes owner only of a provisional
    tenant that has none; otherwise any key could make its holder one.
    """
    with transaction.atomic():
        opened = links.use(Purpose.VERIFY, token, now=now)
        if opened is None:
            return False
        tenant = Tenant.objects.select_for_update().get(id=opened.tenant)
        with tenant_scope(tenant.id):
            member = Member.objects.filter(id=opened.member).first()
            if member is None:
                return False
            member.role = _role(tenant, opened.role)
            member.mail_tag = members.mail_tag(members.unseal(member).email)
            member.verified_at = now
            member.save(update_fields=["role", "mail_tag", "verified_at"])
            record(
                event=EventType.MEMBER_VERIFIED,
                actor=ANONYMOUS,
                now=now,
                tenant=tenant.id,
                resource=f"member:{member.id}",
                detail={"role": str(member.role)},
            )
        if tenant.registered_at is None:
            tenant.registered_at = now
            tenant.save(update_fields=["registered_at"])
    return True


def ask_reset(*, mailbox: str | None, now: datetime) -> None:
    """Leave a letter for whoever owns a tenant under this address; None is no address at all.

    The same statements run for a known, an unknown and an impossible address: which of them it is
    only the worker finds out. Past `attempts.MAILS_OF_BOX` no letter is left and nobody is told:
    the mails that were sent are enough.
    """
    tag = members.mail_tag(mailbox or "")
    with transaction.atomic():
        flooded = attempts.refused_until("mails", tag, windows=attempts.MAILS_OF_BOX, now=now)
        if flooded is None:
            letters.post(letters.Reset(mailbox=mailbox or ""), now=now)
        record(
            event=EventType.KEY_RESET_ASKED,
            actor=ANONYMOUS,
            now=now,
            outcome=Outcome.SUCCESS if flooded is None else Outcome.DENIED,
            detail={"mail_tag": tag.hex()},
        )


def reset_keys(*, token: str, now: datetime) -> NewKey | None:
    """Use a link up: make a key that does what the live ones do, and end those after `OVERLAP`.

    None for a link that is unknown, used or old, or whose tenant or owner is no more. The new key
    is bound to the older ones' networks only where each of them was bound: a mailbox opens no more
    than the keys did.
    """
    with transaction.atomic():
        opened = links.use(Purpose.RESET, token, now=now)
        if opened is None:
            return None
        tenant = Tenant.objects.select_for_update().get(id=opened.tenant)
        with tenant_scope(tenant.id):
            owns = Member.objects.filter(
                id=opened.member, role=MemberRole.OWNER, verified_at__isnull=False
            ).exists()
            if not owns or not tenant.is_active:
                return None
            live = list(
                KeyIndex.objects.select_for_update()
                .filter(Q(expires_at=None) | Q(expires_at__gt=now), tenant=tenant, revoked_at=None)
                .order_by("id")
            )
            granted = {scope for key in live for scope in key.scopes}
            bound = bool(live) and all(key.networks for key in live)
            networks = sorted({each for key in live for each in key.networks}) if bound else []
            reason = f"link mailed to member {opened.member}"
            new = make_key(
                tenant=tenant,
                label=LABEL,
                scopes=[scope for scope in Scope if scope in granted] or PROVISIONAL_SCOPES,
                networks=networks[:MAX_NETWORKS],
                expires_at=None,
                actor=ANONYMOUS,
                reason=reason,
                now=now,
            )
            for key in live:
                end_at(key, now + OVERLAP)
            record(
                event=EventType.KEY_RESET,
                actor=ANONYMOUS,
                now=now,
                tenant=tenant.id,
                resource=f"key:{new.id}",
                reason=reason,
                detail={"ending": len(live)},
            )
    return new


def _role(tenant: Tenant, granted: Role) -> MemberRole:
    if granted is not Role.FIRST:
        return MemberRole(granted.value)
    owned = Member.objects.filter(role=MemberRole.OWNER, verified_at__isnull=False).exists()
    return MemberRole.OWNER if tenant.is_provisional and not owned else MemberRole.MEMBER
