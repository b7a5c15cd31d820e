"""The search page: what the command palette shows, and where its form leads without script."""

from collections.abc import Callable, Sequence

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from audit.events import EventType
from console.asked import words
from console.engine.searching import SOURCES, Source, search as found
from console.pages import page, show, staff_of
from console.permissions import Permission


def search_view(sources: Sequence[Source]) -> Callable[[HttpRequest], HttpResponse]:
    """Return the search page of a deployment that has these kinds of things."""

    @page(permission=Permission.OWN_ACCOUNT, event=EventType.STAFF_READ)
    @require_safe
    def search(request: HttpRequest) -> HttpResponse:
        """Show what is found of what the person's role may see."""
        text = words(request, ("q",))["q"]
        return show(
            request,
            "console/search.html",
            q=text,
            groups=found(text, staff_of(request), sources),
            now=timezone.now(),
        )

    return search


search = search_view(SOURCES)
