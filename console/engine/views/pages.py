"""The overview, the list of tenants, the audit log."""

from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from audit.events import EventType
from console.engine import log
from console.engine.overview import tenant_rows, totals
from console.models import Staff
from console.pages import page, show
from console.permissions import Permission

LARGEST_INDEX = 2**63 - 1
FACETS = ("event", "actor", "tenant", "since", "until")


@page(permission=Permission.OVERVIEW, event=EventType.STAFF_READ)
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Show how many tenants there are and what work waits."""
    return show(request, "console/overview.html", totals=totals(), now=timezone.now())


@page(permission=Permission.TENANTS, event=EventType.STAFF_READ)
@require_safe
def tenants(request: HttpRequest) -> HttpResponse:
    """List tenants with what is in clear of them."""
    after = request.GET.get("after", "").replace("\x00", "")
    rows, following = tenant_rows(after=after, now=timezone.now())
    return show(request, "console/tenants.html", rows=rows, after=after, following=following)


@page(permission=Permission.AUDIT, event=EventType.AUDIT_READ)
@require_safe
def audit(request: HttpRequest) -> HttpResponse:
    """Search the audit log, newest first."""
    facets = _facets(request)
    before = request.GET.get("before", "")
    if before and not (before.isascii() and before.isdigit() and int(before) <= LARGEST_INDEX):
        raise Http404
    asked = {name: request.GET.get(name, "") for name in FACETS}
    return show(
        request,
        "console/audit.html",
        entries=log.log_page(facets, before=int(before) if before else None),
        before=before,
        asked=asked,
        query=urlencode({name: value for name, value in asked.items() if value}),
        labels=sorted(log.LABELS.items(), key=lambda pair: pair[1]),
    )


@page(permission=Permission.AUDIT_EXPORT, event=EventType.AUDIT_EXPORTED, fresh=True)
@require_safe
def export(request: HttpRequest) -> StreamingHttpResponse:
    """Send what a search finds as lines of JSON."""
    lines = log.exported(_facets(request))
    return StreamingHttpResponse(
        lines,
        content_type="application/x-ndjson",
        headers={"Content-Disposition": 'attachment; filename="audit.ndjson"'},
    )


def _facets(request: HttpRequest) -> log.Facets:
    """Read what is looked for; 404 for what makes no sense."""
    asked = {name: request.GET.get(name, "").strip() for name in FACETS}
    if asked["event"] and asked["event"] not in log.LABELS:
        raise Http404
    if not asked["actor"].isprintable():
        raise Http404
    named = Staff.objects.filter(username=asked["actor"]).first() if asked["actor"] else None
    try:
        return log.Facets(
            event=asked["event"],
            actor=asked["actor"] if named is None else str(named.id),
            tenant=UUID(asked["tenant"]) if asked["tenant"] else None,
            since=_day(asked["since"]),
            until=_day(asked["until"], after=1),
        )
    except (ValueError, OverflowError):
        raise Http404 from None


def _day(text: str, *, after: int = 0) -> datetime | None:
    """Return the beginning of a UTC day, or of one some days later."""
    if not text:
        return None
    return datetime.combine(date.fromisoformat(text), time(), tzinfo=UTC) + timedelta(days=after)
