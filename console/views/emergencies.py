"""The pages of emergency access: asking, what is open, ending it, and the review that is owed."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from audit.events import EventType
from console.deeds import Answer, Deed, Field, confirm
from console.pages import actor_of, page, show
from console.permissions import Permission
from console.second import names, readers
from tenants import break_glass
from tenants.errors import UnfitTerms
from tenants.models import BreakGlass, Pending, Tenant, TenantState

GET_AND_POST = ["GET", "HEAD", "POST"]
MOST = 100
"""Emergencies on the page, the newest first; the audit log has all."""
LENGTHS = tuple((str(minutes), f"{minutes} minutes") for minutes in (10, 20, 30))


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An emergency access as the list shows it; `state` is open, review owed, overdue, reviewed."""

    id: UUID
    words: str
    state: str
    asked_by: str
    approved_by: str
    reason: str
    opened_at: datetime
    used_at: datetime | None
    until: datetime
    due: datetime
    reviewed_by: str
    review: str


@page(permission=Permission.APPROVALS, event=EventType.STAFF_READ)
@require_safe
def emergencies(request: HttpRequest) -> HttpResponse:
    """List emergency accesses."""
    now = timezone.now()
    found = list(BreakGlass.objects.all()[:MOST])
    asked = Pending.objects.in_bulk([row.id for row in found])
    rows = [_row(row, asked[row.id], now=now) for row in found]
    return show(request, "console/emergencies.html", rows=rows, now=now)


@page(permission=Permission.ASK_EMERGENCY, event=EventType.STAFF_READ, fresh=True)
@require_http_methods(GET_AND_POST)
def ask(request: HttpRequest) -> HttpResponse:
    """Ask for emergency access of somebody to a tenant."""
    deed = Deed(
        title="Ask for emergency access",
        words="Once a second person approves within the hour, the access is open and everybody is"
        " told. It ends by itself, and somebody else reviews it within 72 hours.",
        button="Ask for it",
        back=_home(),
        fields=(
            Field(name="tenant", label="Tenant", hint="its name or id"),
            Field(
                name="staff",
                label="Who gets access",
                options=tuple((str(one.pk), one.username) for one in readers()),
            ),
            Field(name="minutes", label="For", options=LENGTHS, value="30"),
            Field(name="ticket", label="Ticket", hint="where the emergency is written down"),
        ),
    )

    def act(answer: Answer) -> HttpResponse:
        break_glass.ask(
            tenant=_tenant(answer.values["tenant"]),
            staff=UUID(answer.values["staff"]),
            minutes=int(answer.values["minutes"]),
            ticket=answer.values["ticket"],
            actor=actor_of(request),
            reason=answer.reason,
            now=timezone.now(),
        )
        return HttpResponseRedirect(reverse("console:approvals"))

    return confirm(request, deed, act)


@page(permission=Permission.ASK_EMERGENCY, event=EventType.STAFF_READ, fresh=True)
@require_http_methods(GET_AND_POST)
def close(request: HttpRequest, emergency: UUID) -> HttpResponse:
    """End an emergency access before its time."""
    now = timezone.now()
    row = BreakGlass.objects.filter(pk=emergency, closed_at=None, expires_at__gt=now).first()
    if row is None:
        raise Http404
    deed = Deed(
        title="End the emergency access",
        words=f"The access of {_called(row.staff)} stops at once.",
        button="End it",
        back=_home(),
    )

    def act(answer: Answer) -> None:
        break_glass.close(
            emergency=emergency, actor=actor_of(request), reason=answer.reason, now=now
        )

    return confirm(request, deed, act)


@page(permission=Permission.REVIEW_EMERGENCY, event=EventType.STAFF_READ, fresh=True)
@require_http_methods(GET_AND_POST)
def review(request: HttpRequest, emergency: UUID) -> HttpResponse:
    """Keep what the review of an emergency access found."""
    row = BreakGlass.objects.filter(pk=emergency, reviewed_at=None).first()
    if row is None:
        raise Http404
    deed = Deed(
        title="Review of an emergency access",
        words=f"Look at what {_called(row.staff)} did in the audit log, from {row.opened_at:%H:%M}"
        f" to {row.closed_at or row.expires_at:%H:%M} UTC. As the reason, say what you found.",
        button="Keep the review",
        back=_home(),
    )

    def act(answer: Answer) -> None:
        break_glass.review(
            emergency=emergency,
            actor=actor_of(request),
            findings=answer.reason,
            now=timezone.now(),
        )

    return confirm(request, deed, act)


def _row(row: BreakGlass, asked: Pending, *, now: datetime) -> Row:
    called = names([row.asked_by, row.approved_by, row.reviewed_by])
    tenant = Tenant.objects.filter(id=UUID(asked.subject)).first()
    due = break_glass.review_due(row)
    over = row.closed_at is not None or row.expires_at <= now
    owed = "review overdue" if due <= now else "review owed"
    return Row(
        id=row.id,
        words=f"{_called(row.staff)}: {tenant.name if tenant else asked.subject}",
        state="reviewed" if row.reviewed_at else owed if over else "open",
        asked_by=called[row.asked_by],
        approved_by=called[row.approved_by],
        reason=f"{asked.reason} ({asked.parameters['ticket']})",
        opened_at=row.opened_at,
        used_at=row.used_at,
        until=row.closed_at or row.expires_at,
        due=due,
        reviewed_by=called[row.reviewed_by] if row.reviewed_by else "",
        review=row.review,
    )


def _called(staff: UUID) -> str:
    return names([str(staff)])[str(staff)]


def _tenant(text: str) -> UUID:
    """Find a tenant by name or id; raises `UnfitTerms`."""
    living = Tenant.objects.exclude(state=TenantState.DELETED)
    try:
        row = living.filter(id=UUID(text)).first()
    except ValueError:
        row = living.filter(name=text).first()
    if row is None:
        raise UnfitTerms(f"there is no tenant {text}")
    return row.id


def _home() -> str:
    return reverse("console:emergencies")
