"""The overview, and the part of it that asks for itself again while it is open."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from audit.events import EventType
from console.engine.overview import ALERT_DAYS, SHOWN_SILENT, Concern, totals
from console.pages import page, show
from console.permissions import Permission

View = Callable[[HttpRequest], HttpResponse]
Gather = Callable[[datetime], Sequence[Concern]]
LIVE = "console/parts/overview.html"


def nothing_more(_now: datetime) -> Sequence[Concern]:
    """Add no concern: the engine alone has no feeds."""
    return ()


def overviews(more: Gather = nothing_more) -> tuple[View, View]:
    """Return the overview and its living part, for a deployment with `more` to be concerned of."""

    def context() -> dict[str, Any]:
        now = timezone.now()
        return {
            "totals": totals(now=now, more=more(now)),
            "now": now,
            "alert_days": ALERT_DAYS,
            "shown_silent": SHOWN_SILENT,
        }

    @page(permission=Permission.OVERVIEW, event=EventType.STAFF_READ)
    @require_safe
    def overview(request: HttpRequest) -> HttpResponse:
        """Show what comes in, what waits and what wants a person."""
        return show(request, "console/overview.html", live=LIVE, **context())

    @page(
        permission=Permission.OVERVIEW, event=EventType.STAFF_WATCHED, visited=False, watched=True
    )
    @require_safe
    def live(request: HttpRequest) -> HttpResponse:
        """Answer the overview's figures alone, as they are now."""
        return render(request, LIVE, context())

    return overview, live


overview, live = overviews()
