"""From an Authorization header to a tenant.

Existing clients send HTTP Basic with the key as user name and an empty, missing or arbitrary
password; ``Bearer`` is accepted as well. Nothing is cached: a revoked key stops at once. When a key
was last used is written at most once a minute, by a statement that waits for nobody.
"""

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from audit.actors import Actor
from audit.events import EventType, Outcome
from audit.record import record
from tenants import apikeys, keys, refusals
from tenants.addresses import client_address
from tenants.apikeys import Scope
from tenants.errors import Forbidden, Limited, Refused, Unauthenticated
from tenants.keys import peppers
from tenants.models import KeyIndex
from tenants.plans import Plan

OTHERS = "others"
"""Every door but the events': they share the other buckets."""
MAX_HEADER = 8_192
"""Characters of an Authorization header that are looked at: a key has 68, a password any number."""

USED_EVERY = timedelta(seconds=60)
"""How often a key's last use is written: one row of each key a minute, not one a request."""
# A row that is locked (the key is being revoked) is not waited for: the next request writes it.
_USED = """
UPDATE key_index SET last_used_at = %s
 WHERE id IN (SELECT id FROM key_index
               WHERE id = %s AND (last_used_at IS NULL OR last_used_at <= %s)
                 FOR UPDATE SKIP LOCKED)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who sent a request: one key of one tenant, and on which plan."""

    tenant: UUID
    key: str
    plan: Plan = Plan.FULL

    is_authenticated = True  # what REST framework asks of a user


def key_text(authorization: str) -> str:
    """Return the key of an Authorization header, or raise `Unauthenticated`."""
    scheme, _, value = authorization[:MAX_HEADER].strip().partition(" ")
    value = value.strip()
    if scheme.lower() == "bearer" and value:
        return value
    if scheme.lower() == "basic" and value:
        try:
            user, _, _ = base64.b64decode(value, validate=True).partition(b":")
            return user.decode("ascii")
        except (ValueError, binascii.Error):
            raise Unauthenticated("The Authorization header is not valid HTTP Basic.") from None
    raise Unauthenticated("An API key is needed: send it as the user name of HTTP Basic.")


def caller(
    authorization: str,
    *,
    scope: Scope,
    now: datetime,
    address: str = "",
    serves_expired: bool = False,
) -> Caller:
    """Return who holds the key of an Authorization header.

    `address` is where the request comes from, ``""`` if unknown: a key that is bound to networks
    is then refused. `serves_expired` lets a tenant in whose time is over, to be told so.

    Raises `Unauthenticated` for no key or an unknown one, `Forbidden` for a revoked or expired
    key, one used from elsewhere or without `scope`, and for a suspended or expired tenant.
    """
    row = _known(key_text(authorization))
    if row.revoked_at is not None:
        raise Forbidden("The API key was revoked.")
    if row.is_expired(now=now):
        raise Forbidden("The API key has expired.")
    if not row.tenant.is_active:
        raise Forbidden("The account is suspended.")
    if row.tenant.is_expired(now=now) and not serves_expired:
        raise Forbidden("The account has expired.")
    if not row.admits(address):
        raise Forbidden("The API key may not be used from this network address.")
    if not row.may(scope):
        raise Forbidden(f"The API key lacks the scope {scope}.")
    if row.last_used_at is None or row.last_used_at <= now - USED_EVERY:
        _note_use(row.id, now=now)
    return Caller(tenant=row.tenant_id, key=row.id, plan=Plan(row.tenant.plan))


def caller_from(
    request: Request | HttpRequest, *, scope: Scope, now: datetime, serves_expired: bool = False
) -> Caller:
    """Return who sent a request; see `caller`."""
    return caller(
        request.META.get("HTTP_AUTHORIZATION", ""),
        scope=scope,
        now=now,
        address=client_address(request.META, trusted=settings.TRUSTED_PROXIES),
        serves_expired=serves_expired,
    )


def _known(text: str) -> KeyIndex:
    key_id = apikeys.key_id(apikeys.TENANT_PREFIX, text)
    row = (
        KeyIndex.objects.select_related("tenant").filter(id=key_id).first()
        if key_id is not None
        else None
    )
    if row is None or not apikeys.matches(
        text, stored=bytes(row.mac), pepper=keys.pepper(row.pepper)
    ):
        raise Unauthenticated("The API key is unknown.")
    peppers.retag(row, text)
    return row


def _note_use(key: str, *, now: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_USED, [now, key, now - USED_EVERY])


def caller_of(request: Request) -> Caller:
    """Return whose key `KeyAuthentication` honoured."""
    return cast("Caller", request.user)


def record_denial(request: Request | HttpRequest, error: Refused) -> None:
    """Write a refused request to the audit log: which door, not who knocked with what.

    One over a limit is not written here: `tenants.limits` counts those by the minute.
    """
    if isinstance(error, Limited):
        return
    door = request.resolver_match
    record(
        event=EventType.AUTH_DENIED,
        actor=Actor(kind="anonymous", id="-"),
        now=timezone.now(),  # noqa: TID251 -- the framework's view layer
        outcome=Outcome.DENIED,
        resource=door.route if door else "",
        detail={"code": error.code},
    )


class KeyAuthentication(BaseAuthentication):
    """REST framework's door to `caller`; the view names the scope it needs as ``scope``.

    A view that answers an expired account too says so with ``serves_expired``.
    """

    def authenticate(self, request: Request) -> tuple[Any, None]:
        """Return the caller, or raise REST framework's 401 or 403."""
        view = request.parser_context["view"]
        now = timezone.now()  # noqa: TID251 -- the framework's view layer
        refusals.repeat(
            request.META.get("HTTP_AUTHORIZATION", ""), door=getattr(view, "door", OTHERS), now=now
        )
        try:
            who = caller_from(
                request,
                scope=view.scope,
                now=now,
                serves_expired=getattr(view, "serves_expired", False),
            )
        except Refused as refusal:
            record_denial(request, refusal)
            if isinstance(refusal, Unauthenticated):
                raise AuthenticationFailed(refusal.message) from None
            raise PermissionDenied(refusal.message) from None
        return who, None

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 -- the framework's signature
        """Name the scheme of a 401."""
        return 'Basic realm="Tawny"'


class HasScope(BasePermission):
    """Let a request pass whose key was honoured; the scope was checked with the key."""

    def has_permission(self, request: Request, view: Any) -> bool:  # noqa: ARG002 -- see above
        """Say whether a key was honoured."""
        return isinstance(request.user, Caller)
