"""The pages of a console that has feeds."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from audit.events import EventType
from console.cloud.lists import feed_rows
from console.pages import page, show
from console.permissions import Permission


@page(permission=Permission.FEEDS, event=EventType.STAFF_READ)
@require_safe
def feeds(request: HttpRequest) -> HttpResponse:
    """List the threat feeds."""
    return show(request, "console/feeds.html", feeds=feed_rows(), now=timezone.now())
