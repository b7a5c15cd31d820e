"""The list of tenants and the audit log, with what is taken away of them."""

import csv
import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from io import StringIO

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from audit.events import EventType, Outcome
from audit.models import Checkpoint
from console.asked import one_of, query_of, uuid_of, words
from console.engine import log, tenants as listing
from console.engine.entry import checked
from console.models import Staff
from console.pages import page, show
from console.permissions import Permission
from tenants.models import TenantState
from tenants.plans import Plan

LARGEST_INDEX = 2**63 - 1
FACETS = ("q", "event", "actor", "tenant", "outcome", "since", "until")
OUTCOMES = {each.value: each.value for each in Outcome}
SOUGHT = ("q", "state", "plan", "heard", "keys")
STATES = {state.value: state.value for state in TenantState}
PLANS = {plan.value: plan.value for plan in Plan}
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would run."""


@page(permission=Permission.TENANTS, event=EventType.STAFF_READ)
@require_safe
def tenants(request: HttpRequest) -> HttpResponse:
    """List tenants with what is in clear of them."""
    asked = words(request, (*SOUGHT, "after"))
    now = timezone.now()
    rows, following = listing.tenant_rows(_sought(asked), after=asked["after"], now=now)
    after = asked.pop("after")
    return show(
        request,
        "console/tenants.html",
        rows=rows,
        after=after,
        following=following,
        asked=asked,
        query=query_of(asked),
        next_query=query_of({**asked, "after": following or ""}),
        choices=(
            ("state", "State", STATES.items()),
            ("plan", "Plan", PLANS.items()),
            ("heard", "Heard", listing.HEARD),
            ("keys", "API keys", listing.KEYS),
        ),
        alert_days=listing.ALERT_DAYS,
        now=now,
    )


@page(permission=Permission.TENANTS, event=EventType.STAFF_READ)
@require_safe
def tenants_export(request: HttpRequest) -> StreamingHttpResponse:
    """Send every tenant that a search finds, as lines of JSON or of CSV."""
    asked = words(request, (*SOUGHT, "as"))
    rows = listing.every_row(_sought(asked), now=timezone.now())
    if one_of(asked["as"], {"csv": "", "ndjson": ""}) == "csv":
        return _download(_csv(rows), "text/csv; charset=utf-8", "tenants.csv")
    return _download(_lines(rows), "application/x-ndjson", "tenants.ndjson")


@page(permission=Permission.AUDIT, event=EventType.AUDIT_READ)
@require_safe
def audit(request: HttpRequest) -> HttpResponse:
    """Search the audit log, newest first."""
    facets = _facets(request)
    before = request.GET.get("before", "")
    if before and not (before.isascii() and before.isdigit() and int(before) <= LARGEST_INDEX):
        raise Http404
    asked = words(request, FACETS)
    entries = log.log_page(facets, before=int(before) if before else None)
    return show(
        request,
        "console/audit.html",
        entries=entries,
        before=before,
        asked=asked,
        query=query_of(asked),
        next_query=query_of({**asked, "before": str(entries.older)}),
        labels=sorted(log.LABELS.items(), key=lambda pair: pair[1]),
        outcomes=OUTCOMES,
        signed=Checkpoint.objects.order_by("-size").first(),
        now=timezone.now(),
    )


@page(permission=Permission.AUDIT, event=EventType.AUDIT_READ)
@require_safe
def entry(request: HttpRequest, index: int) -> HttpResponse:
    """Show one entry, and check now that the newest signed checkpoint holds it."""
    seen = checked(index) if index <= LARGEST_INDEX else None
    if seen is None:
        raise Http404
    return show(
        request,
        "console/entry.html",
        seen=seen,
        row=log.described(seen.entry),
        now=timezone.now(),
    )


@page(permission=Permission.AUDIT_EXPORT, event=EventType.AUDIT_EXPORTED, fresh=True)
@require_safe
def export(request: HttpRequest) -> StreamingHttpResponse:
    """Send what a search finds as lines of JSON."""
    return _download(log.exported(_facets(request)), "application/x-ndjson", "audit.ndjson")


def _download(content: Iterator[bytes], kind: str, name: str) -> StreamingHttpResponse:
    return StreamingHttpResponse(
        content,
        content_type=kind,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _sought(asked: dict[str, str]) -> listing.Sought:
    return listing.Sought(
        q=asked["q"],
        state=one_of(asked["state"], STATES),
        plan=one_of(asked["plan"], PLANS),
        heard=one_of(asked["heard"], dict(listing.HEARD)),
        keys=one_of(asked["keys"], dict(listing.KEYS)),
    )


def _lines(rows: Iterator[listing.TenantRow]) -> Iterator[bytes]:
    for row in rows:
        yield json.dumps(asdict(row), default=str).encode() + b"\n"


def _csv(rows: Iterator[listing.TenantRow]) -> Iterator[bytes]:
    buffer = StringIO()
    writer = csv.writer(buffer)
    writer.writerow(listing.TenantRow.__slots__)
    for row in rows:
        writer.writerow([_cell(value) for value in asdict(row).values()])
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue().encode()  # the heading, where there is no row


def _cell(value: object) -> str:
    """Write a value so that no spreadsheet takes it for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def _facets(request: HttpRequest) -> log.Facets:
    """Read what is looked for; 404 for what makes no sense."""
    asked = words(request, FACETS)
    named = Staff.objects.filter(username=asked["actor"]).first() if asked["actor"] else None
    try:
        return log.Facets(
            event=one_of(asked["event"], log.LABELS),
            actor=asked["actor"] if named is None else str(named.id),
            tenant=uuid_of(asked["tenant"]),
            outcome=one_of(asked["outcome"], OUTCOMES),
            text=asked["q"],
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
