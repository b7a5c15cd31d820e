"""Feeds in the command palette."""

from collections.abc import Sequence

from django.urls import reverse

from console.engine.searching import MOST, Hit
from feeds.models import Feed


def find_feeds(text: str) -> Sequence[Hit]:
    """Find feeds by a part of their name."""
    rows = Feed.objects.filter(name__icontains=text).order_by("name")[:MOST]
    return [
        Hit(
            title=row.name,
            note=row.state if row.enabled else "off",
            path=reverse("console:feeds") + f"#{row.name}",
        )
        for row in rows
    ]
