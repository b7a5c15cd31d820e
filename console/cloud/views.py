"""The pages of a console that has feeds, and the deeds on a feed."""

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from audit.events import EventType
from console.cloud.lists import feed_concerns, feed_rows
from console.cloud.searching import find_feeds
from console.deeds import Answer, Deed, confirm
from console.engine.searching import SOURCES, Source
from console.engine.views.searching import search_view
from console.engine.views.watching import overviews
from console.pages import actor_of, page, show
from console.permissions import Permission
from feeds import actions
from feeds.errors import OptionsRefused
from feeds.models import Feed
from tenants.errors import UnfitTerms

GET_AND_POST = ["GET", "HEAD", "POST"]

overview, live = overviews(feed_concerns)
search = search_view(
    (*SOURCES, Source(title="Feeds", permission=Permission.FEEDS, find=find_feeds))
)


@page(permission=Permission.FEEDS, event=EventType.STAFF_READ)
@require_safe
def feeds(request: HttpRequest) -> HttpResponse:
    """List the threat feeds."""
    now = timezone.now()
    rows = [(row, row.is_stale(now)) for row in feed_rows()]
    return show(request, "console/feeds.html", feeds=rows, now=now)


@page(permission=Permission.FEED_STATE, event=EventType.STAFF_READ, fresh=True)
@require_http_methods(GET_AND_POST)
def switch(request: HttpRequest, feed: str) -> HttpResponse:
    """Switch a feed on or off."""
    row = _found(feed)
    deed = Deed(
        title=f"Switch {row.name} {'off' if row.enabled else 'on'}",
        words=(
            "It is fetched no more; what it said last goes on serving until a list is published"
            " without it."
            if row.enabled
            else "It is fetched within a minute, and serves once its list passed."
        ),
        button="Switch off" if row.enabled else "Switch on",
        back=_home(),
        phrase=row.name if row.enabled else "",
    )

    def act(answer: Answer) -> None:
        actions.set_feed(
            feed=row,
            enabled=not row.enabled,
            actor=actor_of(request),
            reason=answer.reason,
            now=timezone.now(),
        )

    return confirm(request, deed, act)


@page(permission=Permission.FEED_STATE, event=EventType.STAFF_READ, fresh=True)
@require_http_methods(GET_AND_POST)
def refresh(request: HttpRequest, feed: str) -> HttpResponse:
    """Have a feed fetched now."""
    row = _found(feed)
    deed = Deed(
        title=f"Fetch {row.name} now",
        words="It is due at once: a worker fetches it within a minute, under the usual guards.",
        button="Fetch it",
        back=_home(),
    )

    def act(answer: Answer) -> None:
        try:
            actions.ask_refresh(
                feed=row, actor=actor_of(request), reason=answer.reason, now=timezone.now()
            )
        except OptionsRefused as refusal:
            raise UnfitTerms(str(refusal)) from refusal

    return confirm(request, deed, act)


@page(permission=Permission.FEED_STATE, event=EventType.STAFF_READ, fresh=True)
@require_http_methods(GET_AND_POST)
def accept(request: HttpRequest, feed: str) -> HttpResponse:
    """Let a list that was held back serve after all."""
    row = _found(feed)
    deed = Deed(
        title=f"Let {row.name} serve as it is",
        words=(
            "Its newest list was held back because its size jumped. Let it serve if you have seen"
            " why: a publisher's fault would flood every tenant with alerts, or empty the list."
        ),
        button="Let it serve",
        back=_home(),
        phrase=row.name,
    )

    def act(answer: Answer) -> None:
        done = actions.accept_held(
            feed=row, actor=actor_of(request), reason=answer.reason, now=timezone.now()
        )
        if not done:
            raise UnfitTerms("no list of this feed is held")

    return confirm(request, deed, act)


def _home() -> str:
    return reverse("console:feeds")


def _found(name: str) -> Feed:
    row = Feed.objects.filter(name=name).first()
    if row is None:
        raise Http404
    return row
