"""Open Wisdom: a sample of what may be passed on, for anybody, as a known traffic generator asks.

Off unless the operator switches it on. An answer holds entries of feeds whose terms allow passing
them on and of no other; `wisdom.index.openly` says which, and for how long they stay the same.
"""

import re
from collections.abc import Callable, Mapping
from functools import wraps

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from destinations import flags
from tenants import attempts
from tenants.addresses import client_address, network_of
from tenants.attempts import Window
from tenants.errors import Refused
from tenants.problems import problem, refusal
from wisdom.index import Form, Offered, Snapshot
from wisdom.index.openly import SAMPLE
from wisdom.publishing import snapshots

LIMIT = SAMPLE
"""Items of one answer at the most; a known client asks for 1,000 and takes what comes."""
USUAL = 100
"""Items of an answer that was asked for without ``limit``."""
KEPT = "public, max-age=300"
"""For how long others may keep an answer: a fraction of the time that a snapshot serves."""
OF_NETWORK = (Window(attempts=120, seconds=300), Window(attempts=1_000, seconds=attempts.HOUR))
"""Requests of one network: a generator asks a handful for each test it runs."""
RETRY_SECONDS = 60
_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)


class TooFew(Refused):
    """Fewer items are known than were asked for at least."""

    code = "too_few"
    status = 404


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """A destination: ``domain``, or ``ip``, ``port`` and ``protocol``; the others are empty."""

    domain: str = ""
    ip: str = ""
    port: int = 0
    protocol: str = ""


class Items(msgspec.Struct, frozen=True):
    """The answer of ``/v2/items``."""

    items: tuple[Item, ...]


class Families(msgspec.Struct, frozen=True):
    """The answer of ``/v2/families``."""

    families: tuple[str, ...]


Answer = Callable[[Mapping[str, str], Snapshot, int], Items | Families]


def _opened(answer: Answer) -> Callable[[HttpRequest], HttpResponse]:
    """Make a door of an answer: closed unless switched on, GET only, errors with a text."""

    @wraps(answer)
    def view(request: HttpRequest) -> HttpResponse:
        if request.method not in {"GET", "HEAD"}:
            response = problem(405, "Only GET is answered here.", "method_not_allowed")
            response["Allow"] = "GET, HEAD"
            return response
        if not settings.OPEN_WISDOM:
            return problem(404, "Open Wisdom is not offered here.", "not_found")
        now = timezone.now()  # noqa: TID251 -- a view
        network = network_of(client_address(request.META, trusted=settings.TRUSTED_PROXIES))
        try:
            attempts.count("open-wisdom", network, windows=OF_NETWORK, now=now)
            snapshot = snapshots().current()
            if snapshot is None:
                message = "No lists are published yet; ask again later."
                return problem(503, message, "unavailable", retry_after=RETRY_SECONDS)
            body = msgspec.json.encode(answer(request.GET, snapshot, int(now.timestamp())))
        except Refused as error:
            return refusal(error)
        response = HttpResponse(body, content_type="application/json")
        response["Cache-Control"] = KEPT
        return response

    return view


@_opened
def items_view(query: Mapping[str, str], snapshot: Snapshot, now: int) -> Items:
    """Answer ``GET /v2/items``: entries of a category; unknown parameters are ignored."""
    category = _category(query)
    try:
        form = Form(query.get("type", ""))
    except ValueError:
        raise Refused("The parameter type is dns or ip.") from None
    limit = min(_number(query, "limit", USUAL, least=1), LIMIT)
    least = _number(query, "min", 0, least=0)
    with snapshot.lookup(now=now) as lookup:
        found = lookup.offered(category, form, family=query.get("family", ""))
    if len(found) < min(least, LIMIT):
        raise TooFew(f"Only {len(found)} such items are known, of at least {least} asked for.")
    return Items(tuple(_item(entry) for entry in found[:limit]))


@_opened
def families_view(query: Mapping[str, str], snapshot: Snapshot, now: int) -> Families:
    """Answer ``GET /v2/families``: the families of a category that ``/v2/items`` knows."""
    category = _category(query)
    with snapshot.lookup(now=now) as lookup:
        return Families(lookup.families(category))


def _category(query: Mapping[str, str]) -> str:
    category = query.get("category", "")
    if category not in flags.BY_NAME:
        raise Refused("The parameter category is a flag, such as c2, sinkholed or cryptomining.")
    return category


def _number(query: Mapping[str, str], name: str, usual: int, *, least: int) -> int:
    text = query.get(name, "")
    if not text:
        return usual
    if _NUMBER.fullmatch(text) is None or int(text) < least:
        raise Refused(f"The parameter {name} is a whole number from {least} on.")
    return int(text)


def _item(entry: Offered) -> Item:
    if not entry.port:
        return Item(domain=entry.value)
    return Item(ip=entry.value, port=entry.port, protocol="tcp")
