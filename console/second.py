"""What takes two people, as far as it is about staff: who they are, and their second factors.

An owner counts at once if made in the machine's shell, and a day after enrolling by an invitation
or getting the role: an owner who invites a second account of their own is one person for as long as
a deed of one person waits anyhow. For as long nothing is approved that such an account asks for.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django_otp import devices_for_user  # type: ignore[import-untyped] # it ships no types

from audit.actors import Actor, system
from audit.events import EventType
from audit.record import record
from console import notices, sessions
from console.invites import UNUSABLE, Invited, invite
from console.models import Invite, Role, Staff
from tenants import approvals, break_glass
from tenants.approvals import Circle, Pending, Subject
from tenants.errors import UnfitTerms
from tenants.grants import revoke_grants_of
from tenants.models import BreakGlass, Tenant

MFA_RESET = "mfa_reset"


def circle(now: datetime) -> Circle:
    """Return the accounts that are second people."""
    able = Staff.objects.filter(is_active=True, enrolled_at__isnull=False)
    counts = Q(vouches_from=None) | Q(vouches_from__lte=now)
    owners = able.filter(role=Role.OWNER)
    return Circle(
        counting=_ids(owners.filter(counts)),
        owners=_ids(owners),
        sealed=_ids(able.filter(counts, role=Role.SEALED)),
        settled=_ids(able.filter(counts)),
    )


def ask_mfa_reset(*, person: UUID, actor: Actor, reason: str, now: datetime) -> Pending:
    """Ask that somebody else's second factors end; raises `UnfitTerms` for one's own."""
    if actor == Actor(kind="staff", id=str(person)):
        raise UnfitTerms("replace your own second factor under Your account")
    return approvals.ask(kind=MFA_RESET, subject=str(person), actor=actor, reason=reason, now=now)


def reset_mfa(pending: Pending, now: datetime) -> Mapping[str, str | int]:
    """End every second factor, session and the password of a person, who is then as if invited.

    Nothing new is made here: the person chooses it behind a link (ASVS 6.4.6), which an owner hands
    over. Who has not enrolled a day later is disabled. Again, it does what is left.
    """
    with transaction.atomic():
        staff = Staff.objects.select_for_update().filter(pk=pending.subject, is_active=True).first()
        if staff is None:
            raise UnfitTerms("there is no such active account")
        devices = list(devices_for_user(staff, confirmed=None))
        for device in devices:
            device.delete()
        Invite.objects.filter(staff=staff).delete()
        staff.password, staff.enrolled_at, staff.created_at = UNUSABLE, None, now
        staff.recovered_at, staff.must_replace_mfa = None, False
        staff.session_epoch += 1
        staff.save(
            update_fields=[
                "password", "enrolled_at", "created_at", "recovered_at", "must_replace_mfa",
                "session_epoch",
            ]
        )  # fmt: skip
        ended = sessions.end_rows(staff, now=now)
        revoke_grants_of(staff=staff.id, actor=pending.asker, reason=pending.reason, now=now)
        record(
            event=EventType.STAFF_MFA_RESET, actor=pending.asker, now=now, reason=pending.why,
            resource=f"staff:{staff.id}",
            detail={
                "devices": len(devices), "sessions": ended,
                "asked_by": pending.asked_by, "approved_by": pending.approved_by,
            },
        )  # fmt: skip
    return {"devices": len(devices), "sessions": ended}


def readers() -> QuerySet[Staff]:
    """Return who may be given emergency access: no auditor, and no sealed account."""
    able = Staff.objects.filter(is_active=True, enrolled_at__isnull=False)
    return able.exclude(role__in=(Role.AUDITOR, Role.SEALED))


def new_link(*, person: UUID, actor: Actor, reason: str, now: datetime) -> Invited:
    """Make the link by which somebody enrols who has no second factor, in the role they have.

    Raises `UnfitTerms` for whoever is enrolled.
    """
    staff = Staff.objects.filter(pk=person, is_active=True, enrolled_at=None).first()
    if staff is None:
        raise UnfitTerms("they are enrolled, or no such account is active")
    return invite(
        username=staff.username, role=Role(staff.role), actor=actor, reason=reason, now=now
    )


def tell(opened: BreakGlass, now: datetime) -> None:
    """Tell everybody of an emergency access that was just opened."""
    who = names([str(opened.staff), opened.asked_by, opened.approved_by])
    notices.tell_everybody(
        f"Emergency access to a tenant was opened to {who[str(opened.staff)]} until"
        f" {opened.expires_at:%H:%M} UTC, asked for by {who[opened.asked_by]}, approved by"
        f" {who[opened.approved_by]}.",
        now=now,
    )


def tell_sealed(staff: Staff, *, now: datetime) -> None:
    """Record, and tell everybody, that a sealed account was opened; in the caller's transaction."""
    record(
        event=EventType.STAFF_SEALED_USED, actor=system("console"), now=now,
        resource=f"staff:{staff.id}",
    )  # fmt: skip
    notices.tell_everybody(f"Somebody signed in to the sealed account {staff.username}.", now=now)


def names(actors: list[str]) -> dict[str, str]:
    """Return what people are called by ``kind:id`` or account id; a shell by its account."""
    ids = {each: each.rpartition(":")[2] for each in actors}
    staff = [each for each in actors if each.startswith("staff:") or ":" not in each]
    known = {
        str(pk): name
        for pk, name in Staff.objects.filter(
            pk__in=[ids[each] for each in staff if ids[each]]
        ).values_list("pk", "username")
    }
    return {each: known.get(ids[each], each.replace(":", " ", 1)) for each in actors}


def register() -> None:
    """Make the kinds known that are about staff, and who staff are."""
    approvals.people_by(circle)
    approvals.register(
        MFA_RESET, reset_mfa, _reset_in_words, check=_check_person, subject=Subject.STAFF,
        quick=True,
    )  # fmt: skip
    approvals.register(
        break_glass.KIND, break_glass.carry_out, _emergency_in_words, check=_check_emergency,
        subject=Subject.TENANT, quick=True, waits=False, sealed=True, whom="staff",
        lasts=break_glass.LASTS,
    )  # fmt: skip
    break_glass.told_by(tell)


def _ids(rows: QuerySet[Staff]) -> frozenset[str]:
    return frozenset(str(pk) for pk in rows.values_list("pk", flat=True))


def _check_person(subject: str, _parameters: Mapping[str, str]) -> None:
    if not Staff.objects.filter(pk=subject, is_active=True, enrolled_at__isnull=False).exists():
        raise UnfitTerms("no active account of that kind has second factors")


def _check_emergency(subject: str, parameters: Mapping[str, str]) -> None:
    break_glass.check(subject, parameters)
    if not readers().filter(pk=parameters["staff"]).exists():
        raise UnfitTerms("emergency access is for an active account that reads tenants otherwise")


def _reset_in_words(pending: Pending) -> str:
    return f"Reset the second factors of {names([pending.subject])[pending.subject]}"


def _emergency_in_words(pending: Pending) -> str:
    staff = pending.parameters["staff"]
    row = Tenant.objects.filter(id=UUID(pending.subject)).first()
    return (
        f"Emergency access of {names([staff])[staff]} to"
        f" {row.name if row else pending.subject} for {pending.parameters['minutes']} minutes"
        f" ({pending.parameters['ticket']})"
    )
