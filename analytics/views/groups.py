"""``/v1/groups/raw``: which sources a tenant watches, as an existing client writes it."""

from collections.abc import Iterator
from typing import Any, cast

import msgspec
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analytics.actions.groups import (
    MAX_BODY,
    VERSION,
    entries_of,
    groups_of,
    read_groups,
    replace_groups,
)
from analytics.ingest.bodies import inflated
from analytics.ingest.reasons import Unreadable
from audit.actors import Actor
from audit.events import EventType
from audit.record import tally
from crypto.digests import sha256
from tenants import repeats
from tenants.apikeys import Scope
from tenants.auth import KeyAuthentication, caller_from, caller_of
from tenants.errors import Forbidden, Refused
from tenants.renderers import AlwaysJson
from tenants.scope import tenant_scope

PIECE = 1 << 16
"""Bytes read from the connection at a time."""

WAYS = {
    "POST": ((Scope.CONFIGURE,), (Scope.INGEST, Scope.ALERTS)),
    "GET": ((Scope.CONFIGURE,), (Scope.ALERTS,)),
}
"""Scopes that are enough together, by method.

The client that posts groups has one key, made to send events and to read alerts, and cannot be told
to hold a second. A key that only sends lies on sensors: it may not say which alerts are made.
"""


class GroupKeys(KeyAuthentication):
    """Honours a key that has all scopes of one of the method's ways."""

    def authenticate(self, request: Request) -> tuple[Any, None]:
        """Return the caller, or raise what the framework's 401 or 403 is made of."""
        now = timezone.now()
        for way in WAYS.get(request.method or "", WAYS["GET"]):
            try:
                callers = [caller_from(request, scope=each, now=now) for each in way]
            except Refused as refusal:
                if not isinstance(refusal, Forbidden):
                    break
            else:
                return callers[0], None
        return super().authenticate(request)


class RawGroups(APIView):
    """The caller's monitoring groups, replaced as a whole.

    Alerts are held against them from each day's next evaluation on.
    """

    scope = Scope.CONFIGURE
    authentication_classes = [GroupKeys]
    content_negotiation_class = AlwaysJson
    http_method_names = ["get", "head", "post"]

    def get(self, request: Request) -> Response:
        """Answer with the groups in their normal spelling."""
        who = caller_of(request)
        with tenant_scope(who.tenant):
            groups = groups_of(who.tenant)
            tally(
                event=EventType.GROUPS_POLLED,
                actor=Actor(kind="key", id=who.key),
                tenant=who.tenant,
                now=timezone.now(),
                items=len(groups.groups or []),
            )
        return Response({"version": VERSION, "groups": groups.groups or []})

    def post(self, request: Request) -> Response:
        """Take the groups, all or none, and answer how many there are."""
        who, now = caller_of(request), timezone.now()
        named = repeats.key_of(request.META)
        body = _body(cast("HttpRequest", request))
        groups = read_groups(body)
        answer = {"groups": len(groups.groups or ()), "entries": entries_of(groups)}
        claim = None
        if named is not None:
            claim = repeats.Claim(
                door="groups/raw",
                key=named,
                digest=sha256(body),
                answer=msgspec.json.encode(answer),
            )
        actor = Actor(kind="key", id=who.key)
        earlier = replace_groups(
            tenant=who.tenant, groups=groups, actor=actor, now=now, claim=claim
        )
        return Response(answer if earlier is None else msgspec.json.decode(earlier))


def _body(request: HttpRequest) -> bytes:
    """Read the body, inflated; raise `Refused` past `MAX_BODY` or for what does not inflate."""
    encoding = request.META.get("HTTP_CONTENT_ENCODING", "").strip().lower()
    body = bytearray()
    try:
        for piece in inflated(_pieces(request), encoding):
            body += piece
            if len(body) > MAX_BODY:
                raise _too_large()
    except Unreadable as error:
        raise Refused(error.message) from None
    return bytes(body)


def _pieces(request: HttpRequest) -> Iterator[bytes]:
    total = 0
    while piece := request.read(PIECE):
        total += len(piece)
        if total > MAX_BODY:
            raise _too_large()
        yield piece


def _too_large() -> Refused:
    return Refused(f"The body is larger than the limit of {MAX_BODY} bytes (1 MiB).")
