"""The pages of what takes two people: what waits and what was, approving, cancelling, asking."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from audit.events import EventType
from console import notices, second
from console.deeds import Answer, Deed, confirm
from console.models import Staff
from console.pages import actor_of, landing, page, show, staff_of
from console.permissions import Permission
from console.second import names
from tenants import approvals
from tenants.actions.approved import ask_deletion
from tenants.approvals import Pending
from tenants.models import Tenant, TenantState
from tenants.models.approvals import OPEN

GET_AND_POST = ["GET", "HEAD", "POST"]
MOST_PAST = 100
"""Deeds that are over on the page, the newest first; the audit log has all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A deed as the list shows it; ``mine`` says that the reader may approve it."""

    id: UUID
    words: str
    state: str
    asked_by: str
    asked_at: datetime
    reason: str
    effective_at: datetime | None
    expires_at: datetime
    second: str
    ended_at: datetime | None
    ended_why: str
    mine: bool


@page(permission=Permission.APPROVALS, event=EventType.STAFF_READ)
@require_safe
def approvals_page(request: HttpRequest) -> HttpResponse:
    """List what waits and what was."""
    now = timezone.now()
    waiting = list(Pending.objects.filter(state__in=OPEN))
    past = list(Pending.objects.exclude(state__in=OPEN)[:MOST_PAST])
    called = names([each for row in [*waiting, *past] for each in (row.asked_by, row.approved_by)])
    return show(
        request,
        "console/approvals.html",
        waiting=[_row(row, called, request, now=now) for row in waiting],
        past=[_row(row, called, request, now=now) for row in past],
        now=now,
    )


@page(permission=Permission.APPROVE, event=EventType.STAFF_READ, fresh=True)
@require_http_methods(GET_AND_POST)
def approve(request: HttpRequest, pending: UUID) -> HttpResponse:
    """Stand behind what somebody else asked for."""
    row = _waiting(pending)
    deed = Deed(
        title=_words(row),
        words=f"Asked for by {names([row.asked_by])[row.asked_by]} with the reason: {row.reason}."
        " With your approval it is done, and cannot be stopped.",
        button="Approve",
        back=_home(),
        phrase="approve",
    )

    def act(answer: Answer) -> None:
        approvals.approve(
            pending=pending, actor=actor_of(request), reason=answer.reason, now=timezone.now()
        )

    return confirm(request, deed, act)


@page(permission=Permission.APPROVE, event=EventType.STAFF_READ, fresh=True)
@require_http_methods(GET_AND_POST)
def cancel(request: HttpRequest, pending: UUID) -> HttpResponse:
    """Stop what waits."""
    row = _waiting(pending)
    deed = Deed(
        title=f"Cancel: {_words(row)}",
        words="It is not done. Whoever wants it asks again.",
        button="Cancel it",
        back=_home(),
    )

    def act(answer: Answer) -> None:
        approvals.cancel(
            pending=pending, actor=actor_of(request), reason=answer.reason, now=timezone.now()
        )

    return confirm(request, deed, act)


@page(permission=Permission.ASK_DELETION, event=EventType.STAFF_READ, fresh=True)
@require_http_methods(GET_AND_POST)
def delete_tenant(request: HttpRequest, tenant: UUID) -> HttpResponse:
    """Ask for a tenant's deletion."""
    row = Tenant.objects.filter(id=tenant).exclude(state=TenantState.DELETED).first()
    if row is None:
        raise Http404
    deed = Deed(
        title=f"Ask for the deletion of {row.name}",
        words="Its keys are destroyed and its rows deleted, for good, once another owner approves:"
        " or after 24 hours where there is no other. Until then it can be cancelled.",
        button="Ask for it",
        back=reverse("console:tenant", args=[tenant]),
        phrase=row.name,
    )

    def act(answer: Answer) -> HttpResponse:
        ask_deletion(
            tenant=tenant, actor=actor_of(request), reason=answer.reason, now=timezone.now()
        )
        return HttpResponseRedirect(_home())

    return confirm(request, deed, act)


@page(permission=Permission.STAFF_ROLES, event=EventType.STAFF_READ, fresh=True)
@require_http_methods(GET_AND_POST)
def reset_mfa(request: HttpRequest, person: UUID) -> HttpResponse:
    """Ask that somebody else's second factors end."""
    row = get_object_or_404(Staff, pk=person, is_active=True)
    deed = Deed(
        title=f"Ask for a reset of {row.username}'s second factors",
        words="Their devices, passkeys, recovery codes, password and sessions end once another"
        " owner approves, or after 24 hours where there is no other. You then get a link for them.",
        button="Ask for it",
        back=reverse("console:staff"),
        phrase=row.username,
    )

    def act(answer: Answer) -> HttpResponse:
        second.ask_mfa_reset(
            person=person, actor=actor_of(request), reason=answer.reason, now=timezone.now()
        )
        return HttpResponseRedirect(_home())

    return confirm(request, deed, act)


@page(permission=Permission.STAFF_ROLES, event=EventType.STAFF_READ, fresh=True)
@require_http_methods(GET_AND_POST)
def enrolment_link(request: HttpRequest, person: UUID) -> HttpResponse:
    """Make the link by which somebody without a second factor enrols, and show it once."""
    row = get_object_or_404(Staff, pk=person, is_active=True)
    deed = Deed(
        title=f"Enrolment link for {row.username}",
        words="The link is shown once, works once, and for a day. Hand it over yourself, to them"
        " alone: they choose password and second factor behind it.",
        button="Make the link",
        back=reverse("console:staff"),
    )

    def act(answer: Answer) -> HttpResponse:
        made = second.new_link(
            person=person, actor=actor_of(request), reason=answer.reason, now=timezone.now()
        )
        return show(
            request,
            "console/secret.html",
            title=f"Enrolment link for {row.username}",
            words="Whoever opens the link first becomes this person.",
            secret=made.link,
            back=reverse("console:staff"),
        )

    return confirm(request, deed, act)


@page(permission=Permission.OWN_ACCOUNT, event=None, visited=False)
@require_POST
def acknowledge(request: HttpRequest, notice: UUID) -> HttpResponse:
    """Take an alarm off the reader's own pages."""
    staff = staff_of(request)
    if not notices.acknowledge(notice=notice, staff=staff, now=timezone.now()):
        raise Http404
    return HttpResponseRedirect(landing(staff))


def _row(row: Pending, called: dict[str, str], request: HttpRequest, *, now: datetime) -> Row:
    staff = staff_of(request)
    open_to_me = row.state == "pending" and row.effective_at is None
    return Row(
        id=row.id,
        words=_words(row),
        state=row.state,
        asked_by=called[row.asked_by],
        asked_at=row.asked_at,
        reason=row.reason,
        effective_at=row.effective_at,
        expires_at=row.expires_at,
        second=called[row.approved_by] if row.approved_by else "",
        ended_at=row.ended_at,
        ended_why=row.ended_why,
        mine=open_to_me and str(staff.id) in approvals.second_people(row, now=now),
    )


def _words(row: Pending) -> str:
    return approvals.kind_named(row.kind).words(row)


def _waiting(pending: UUID) -> Pending:
    row = Pending.objects.filter(pk=pending, state="pending").first()
    if row is None:
        raise Http404
    return row


def _home() -> str:
    return reverse("console:approvals")
