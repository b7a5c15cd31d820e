"""What an owner may do to other accounts: a role, an end. One owner always stays."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Max

from audit.actors import Actor
from audit.events import EventType
from audit.record import record
from console import sessions
from console.actions import disable_staff
from console.errors import LastOwner, NoSuchStaff
from console.models import Invite, Role, SignIn, Staff
from tenants import approvals
from tenants.grants import revoke_grants_of

SETTLES = timedelta(hours=24)
"""Until an account with another role counts as a second person: as long as a deed waits where there
is none, so that making oneself a second owner is no shorter way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Colleague:
    """A person as the list shows them; `state` is active, invited or disabled."""

    id: UUID
    username: str
    role: str
    state: str
    created_at: datetime
    sessions: int
    enrolled: bool
    seen_at: datetime | None


def everybody(*, now: datetime) -> list[Colleague]:
    """List every account by name."""
    waiting = set(Invite.objects.filter(expires_at__gt=now).values_list("staff_id", flat=True))
    alive = sessions.alive(now=now)
    seen = {
        row["staff"]: row
        for row in SignIn.objects.values("staff").annotate(
            live=Count("pk", filter=alive), last=Max("used_at")
        )
    }
    return [
        Colleague(
            id=one.id,
            username=one.username,
            role=one.role,
            state="disabled" if not one.is_active else "invited" if one.id in waiting else "active",
            created_at=one.created_at,
            sessions=seen[one.id]["live"] if one.id in seen else 0,
            enrolled=one.enrolled_at is not None,
            seen_at=seen[one.id]["last"] if one.id in seen else None,
        )
        for one in Staff.objects.all()
    ]


def change_role(*, person: UUID, role: Role, actor: Actor, reason: str, now: datetime) -> Staff:
    """Give an active person another role, which ends their sessions.

    Raises `NoSuchStaff`, or `LastOwner` where nobody else could manage staff afterwards.
    """
    with transaction.atomic():
        staff = _held(person)
        before = staff.role
        if before == role:
            return staff
        if before == Role.OWNER:
            _keep_an_owner(but=staff)
        staff.role = role
        staff.session_epoch += 1
        staff.vouches_from = now + SETTLES
        staff.save(update_fields=["role", "session_epoch", "vouches_from"])
        sessions.end_rows(staff, now=now)
        revoke_grants_of(staff=staff.id, actor=actor, reason=reason or "another role", now=now)
        asker = Actor(kind="staff", id=str(staff.id))
        approvals.cancel_asked_by(asker=asker, actor=actor, reason=reason, now=now)
        record(
            event=EventType.STAFF_ROLE_CHANGED,
            actor=actor,
            now=now,
            resource=f"staff:{staff.id}",
            reason=reason,
            detail={"before": before, "after": str(role)},
        )
    return staff


def disable(*, person: UUID, actor: Actor, reason: str, now: datetime) -> Staff:
    """End a person's access; raises as `change_role`."""
    with transaction.atomic():
        staff = _held(person)
        if staff.role == Role.OWNER:
            _keep_an_owner(but=staff)
        Invite.objects.filter(staff=staff).delete()
        return disable_staff(username=staff.username, actor=actor, reason=reason, now=now)


def _held(person: UUID) -> Staff:
    """Return an active person; every owner's row is locked, so that two deeds see each other."""
    list(Staff.objects.select_for_update().filter(role=Role.OWNER).order_by("pk"))
    staff = Staff.objects.select_for_update().filter(pk=person, is_active=True).first()
    if staff is None:
        raise NoSuchStaff("there is no such active account")
    return staff


def _keep_an_owner(*, but: Staff) -> None:
    others = Staff.objects.filter(role=Role.OWNER, is_active=True, enrolled_at__isnull=False)
    if not others.exclude(pk=but.pk).exists():
        raise LastOwner("nobody else could manage staff afterwards")
