"""From an Authorization header to a tenant.

Existing clients send HTTP Basic with the key as user name and an empty, missing or arbitrary
password; ``Bearer`` is accepted as well. Nothing is cached: a revoked key stops at once.
"""

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from audit.actors import Actor
from audit.events import EventType, Outcome
from audit.record import record
from tenants import apikeys, keys
from tenants.apikeys import Scope
from tenants.errors import Forbidden, Refused, Unauthenticated
from tenants.models import KeyIndex

MAX_HEADER = 8_192
"""Characters of an Authorization header that are looked at: a key has 68, a password any number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who sent a request: one key of one tenant."""

    tenant: UUID
    key: str

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


def caller(authorization: str, *, scope: Scope, now: datetime) -> Caller:
    """Return who holds the key of an Authorization header.

    Raises `Unauthenticated` for no key or an unknown one, `Forbidden` for a revoked or expired
    key, a suspended tenant, or a key without `scope`.
    """
    text = key_text(authorization)
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
    if row.is_revoked(now=now):
        raise Forbidden("The API key is revoked or expired.")
    if not row.tenant.is_active:
        raise Forbidden("The account is suspended.")
    if not row.may(scope):
        raise Forbidden(f"The API key lacks the scope {scope}.")
    return Caller(tenant=row.tenant_id, key=row.id)


def caller_of(request: Request) -> Caller:
    """Return whose key `KeyAuthentication` honoured."""
    return cast("Caller", request.user)


def record_denial(request: Request | HttpRequest, error: Refused) -> None:
    """Write a refused request to the audit log: which door, not who knocked with what."""
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
    """REST framework's door to `caller`; the view names the scope it needs as ``scope``."""

    def authenticate(self, request: Request) -> tuple[Any, None]:
        """Return the caller, or raise REST framework's 401 or 403."""
        view = request.parser_context["view"]
        try:
            who = caller(
                request.META.get("HTTP_AUTHORIZATION", ""),
                scope=view.scope,
                now=timezone.now(),  # noqa: TID251 -- the framework's view layer
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
