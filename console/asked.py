"""What a page was asked for, read from its address: the whole state of a list is in its URL."""

from collections.abc import Mapping
from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpRequest

TEXT_LIMIT = 200


def words(request: HttpRequest, names: tuple[str, ...]) -> dict[str, str]:
    """Return what was asked by each name, "" where nothing was; 404 for what no form sends."""
    asked = {name: request.GET.get(name, "").strip() for name in names}
    if any(len(text) > TEXT_LIMIT or not text.isprintable() for text in asked.values()):
        raise Http404
    return asked


def one_of(text: str, offered: Mapping[str, str]) -> str:
    """Return a choice that was offered, or "" for none; 404 for any other."""
    if text and text not in offered:
        raise Http404
    return text


def uuid_of(text: str) -> UUID | None:
    """Return a UUID, ``None`` for nothing; 404 for what is none."""
    try:
        return UUID(text) if text else None
    except ValueError:
        raise Http404 from None


def query_of(asked: Mapping[str, str]) -> str:
    """Write what was asked as a query, without what is empty."""
    return urlencode({name: text for name, text in asked.items() if text})
