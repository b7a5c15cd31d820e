"""How the deployment runs: work by queue, what gave up and its retry."""

from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from audit.events import EventType
from console.asked import one_of, query_of, uuid_of, words
from console.deeds import Answer, Deed, confirm
from console.engine import work
from console.pages import actor_of, page, show
from console.permissions import Permission
from tenants import actions
from tenants.models import Tenant, Work, WorkState

SOUGHT = ("state", "queue", "tenant")
LIVE = "console/parts/queues.html"


@page(permission=Permission.JOBS, event=EventType.STAFF_READ)
@require_safe
def jobs(request: HttpRequest) -> HttpResponse:
    """Show work by queue and state, and list what is asked for."""
    asked = words(request, (*SOUGHT, "before"))
    before = uuid_of(asked.pop("before"))
    now = timezone.now()
    sought = work.Sought(
        state=one_of(asked["state"], dict(work.STATES)),
        queue=asked["queue"],
        tenant=uuid_of(asked["tenant"]),
    )
    rows, following = work.listed(sought, before=before)
    return show(
        request,
        "console/jobs.html",
        live=LIVE,
        queues=work.queues(now=now),
        rows=rows,
        states=work.STATES,
        asked=asked,
        query=query_of(asked),
        before=before,
        following=following,
        next_query=query_of({**asked, "before": str(following or "")}),
        now=now,
    )


@page(permission=Permission.JOBS, event=EventType.STAFF_WATCHED, visited=False, watched=True)
@require_safe
def queues(request: HttpRequest) -> HttpResponse:
    """Answer the counts by queue alone, as they are now."""
    now = timezone.now()
    return render(request, LIVE, {"queues": work.queues(now=now), "now": now})


@page(permission=Permission.WORK_RETRY, event=EventType.STAFF_READ, fresh=True)
@require_http_methods(["GET", "HEAD", "POST"])
def retry(request: HttpRequest, work: UUID) -> HttpResponse:
    """Put work that gave up back into its queue."""
    row = Work.objects.filter(id=work, state=WorkState.DEAD).first()
    if row is None:
        raise Http404
    name = Tenant.objects.filter(id=row.tenant_id).values_list("name", flat=True).first()
    deed = Deed(
        title=f"Retry work of {name or row.tenant_id}",
        words=(
            f"The unit {work} of the queue {row.queue} gave up with {row.error or 'no error'} after"
            f" {row.attempt} attempts. It is tried again at once, as often as new work is; what it"
            " did before takes effect no second time."
        ),
        button="Retry the work",
        back=f"{reverse('console:jobs')}?{urlencode({'state': WorkState.DEAD.value})}",
    )

    def act(answer: Answer) -> None:
        actions.retry_work(
            work=work, actor=actor_of(request), reason=answer.reason, now=timezone.now()
        )

    return confirm(request, deed, act)
