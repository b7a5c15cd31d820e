"""``GET /v1/findings``: every change of an alert as an OCSF Detection Finding, for SIEMs."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.http import QueryDict
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analytics.actions import ocsf
from analytics.actions.bookmarks import is_first_call, place_of, token_of
from analytics.actions.changes import changes_after, known_place, place_before
from analytics.actions.durations import parse_duration
from audit.actors import Actor
from audit.events import EventType
from audit.record import tally
from tenants.apikeys import Scope
from tenants.auth import caller_of
from tenants.errors import Refused
from tenants.renderers import AlwaysJson
from tenants.scope import tenant_scope

PAGE = 500
"""Changes of one page: some 2.5 MB of JSON at the most."""
FIRST_CALL = timedelta(days=3)
"""How far back a client without a bookmark is told, unless it says how far."""
SCHEMAS = frozenset({"", "ocsf"})
UNITS = {"ms": ocsf.MILLISECONDS, "s": ocsf.SECONDS}
UNSET = frozenset({"", "undefined"})
"""What a template writes for a name that has no value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a request asks for; ``after`` is absent on a client's first call."""

    after: int | None
    age: timedelta
    unit: int

    @classmethod
    def of(cls, query: QueryDict) -> "Asked":
        """Read the query; unknown parameters are ignored (a compatibility route).

        Times are in milliseconds, as the schema says, for whoever names the schema, unless the
        deployment says otherwise. A client that names none knows the vendor's own form: seconds.
        """
        schema = query.get("schema", "")
        unit = UNITS.get(query.get("time") or (settings.FINDINGS_TIME if schema else "s"))
        if unit is None:
            raise Refused("Invalid time parameter: ms (milliseconds, as OCSF says) or s (seconds).")
        if schema not in SCHEMAS:
            raise Refused("Invalid schema parameter: ocsf is what there is.")
        follow = query.get("follow", "")
        return cls(
            after=None if is_first_call(follow) else place_of(follow),
            age=_age(query.get("maxAge", "")),
            unit=unit,
        )


def _age(text: str) -> timedelta:
    if text in UNSET:
        return FIRST_CALL
    try:
        return parse_duration(text)
    except ValueError as error:
        raise Refused(f"Invalid maxAge parameter: {error}.") from None


class Findings(APIView):
    """The changes of the caller's alerts since a bookmark.

    ``maxAge`` says how far back the first call looks. With a bookmark nothing is left out, however
    long the client was away.
    """

    scope = Scope.ALERTS
    content_negotiation_class = AlwaysJson
    http_method_names = ["get", "head"]

    def get(self, request: Request) -> Response:
        """Answer one page: ``follow``, ``more`` and ``records``; ``x-stream-follow`` besides."""
        asked = Asked.of(request.query_params)
        who = caller_of(request)
        now = timezone.now()
        with tenant_scope(who.tenant):
            after = None if asked.after is None else known_place(asked.after)
            if after is None or after < (asked.after or 0):
                after = place_before(_since(now, asked.age))
            changes, last, more = changes_after(after, limit=PAGE)
            tally(
                event=EventType.ALERTS_POLLED,
                actor=Actor(kind="key", id=who.key),
                tenant=who.tenant,
                now=now,
                calls=1,
                items=len(changes),
            )
        records: list[dict[str, Any]] = [
            ocsf.record_of(change, tenant=who.tenant, unit=asked.unit) for change in changes
        ]
        follow = token_of(last)
        return Response(
            {"follow": follow, "more": more, "records": records},
            headers={"x-stream-follow": follow},
        )


def _since(now: datetime, age: timedelta) -> datetime:
    """Return the moment `age` ago, within the years that an id can tell."""
    return max(now - age, datetime(1970, 1, 2, tzinfo=now.tzinfo))
