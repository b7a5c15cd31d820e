"""The pages of an Analytics Engine's console."""

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from audit.events import EventType
from console.engine import log
from console.engine.overview import tenant_rows, totals
from console.pages import AUDITING, WORKING, page, show

LARGEST_INDEX = 2**63 - 1


@page(roles=WORKING, event=EventType.STAFF_READ)
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Show how many tenants there are and what work waits."""
    return show(request, "console/overview.html", totals=totals(), now=timezone.now())


@page(roles=WORKING, event=EventType.STAFF_READ)
@require_safe
def tenants(request: HttpRequest) -> HttpResponse:
    """List tenants with what is in clear of them."""
    after = request.GET.get("after", "").replace("\x00", "")
    rows, following = tenant_rows(after=after, now=timezone.now())
    return show(request, "console/tenants.html", rows=rows, after=after, following=following)


@page(roles=AUDITING, event=EventType.AUDIT_READ)
@require_safe
def audit(request: HttpRequest) -> HttpResponse:
    """List the audit log, newest first."""
    event = request.GET.get("event", "")
    if event and event not in log.LABELS:
        raise Http404
    before = request.GET.get("before", "")
    if before and not (before.isascii() and before.isdigit() and int(before) <= LARGEST_INDEX):
        raise Http404
    found = log.log_page(event=event, before=int(before) if before else None)
    return show(
        request,
        "console/audit.html",
        entries=found,
        event=event,
        before=before,
        labels=sorted(log.LABELS.items(), key=lambda pair: pair[1]),
    )
