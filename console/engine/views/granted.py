"""The pages of grants, and of a tenant's data under one."""

import functools
import logging
from collections.abc import Callable
from http import HTTPStatus
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from audit.events import EventType
from console.deeds import Answer, Deed, Field, confirm
from console.engine import granted
from console.engine.grants import grant_rows
from console.engine.tenant import found
from console.errors import UNRECORDED, error_page
from console.pages import actor_of, page, show, staff_of
from console.permissions import Permission, permits
from tenants import grants as held
from tenants.errors import NoGrant, Unrecorded
from tenants.grants import GrantScope

log = logging.getLogger(__name__)

GET_AND_POST = ["GET", "HEAD", "POST"]
MINUTES = (("15", "15 minutes"), ("30", "30 minutes"), ("60", "an hour"))
SCOPES = (
    (GrantScope.ALERTS.value, "alerts: what was found, and its evidence"),
    (GrantScope.SERIES.value, "series: who contacted whom, and when"),
)

View = Callable[..., HttpResponse]


def under_grant(view: View) -> View:
    """Answer 403 with the reason where no live grant opens what is asked for, 503 unrecorded.

    Nothing of a page is sent before its view has returned, so that neither answer follows any of
    what was read.
    """

    @functools.wraps(view)
    def answer(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except NoGrant as refusal:
            back = reverse("console:grants")
            return error_page(HTTPStatus.FORBIDDEN, str(refusal), back=back)
        except Unrecorded:
            log.exception("not recorded, and so not done")
            return error_page(HTTPStatus.SERVICE_UNAVAILABLE, UNRECORDED)

    return answer


@page(permission=Permission.GRANTS_SEEN, event=EventType.STAFF_READ)
@require_safe
def grants(request: HttpRequest) -> HttpResponse:
    """List one's own live grants; everybody's, those that are over too, for who may see them."""
    staff, now = staff_of(request), timezone.now()
    everybodys = permits(staff.role, Permission.GRANTS_OF_ALL)
    return show(
        request,
        "console/grants.html",
        rows=grant_rows(staff=staff, everybodys=everybodys, now=now),
        everybodys=everybodys,
    )


@page(permission=Permission.GRANTS, event=EventType.STAFF_READ, fresh=True)
@require_http_methods(GET_AND_POST)
@under_grant
def open_grant(request: HttpRequest, tenant: UUID) -> HttpResponse:
    """Open a grant on a tenant's data for oneself."""
    row = found(tenant)
    deed = Deed(
        title=f"Read data of {row.name}",
        words="The tenant sees at once who reads, why, for which ticket and until when.",
        button="Open the grant",
        back=reverse("console:tenant", args=[tenant]),
        fields=(
            Field(name="ticket", label="Ticket", hint="where the reason can be looked up"),
            Field(name="scopes", label="It opens", options=SCOPES, many=True),
            Field(name="minutes", label="For", options=MINUTES, value=MINUTES[0][0]),
        ),
    )

    def act(answer: Answer) -> HttpResponse:
        scopes = [GrantScope(each) for each in answer.values["scopes"].split()]
        opened = held.open_grant(
            tenant=tenant,
            staff=staff_of(request).id,
            scopes=scopes,
            reason=answer.reason,
            ticket=answer.values["ticket"],
            minutes=int(answer.values["minutes"]),
            actor=actor_of(request),
            now=timezone.now(),
        )
        if GrantScope.ALERTS in scopes:
            return HttpResponseRedirect(reverse("console:grant_alerts", args=[opened.id]))
        return HttpResponseRedirect(reverse("console:grants"))

    return confirm(request, deed, act)


@page(permission=Permission.GRANTS, event=EventType.STAFF_READ)
@require_http_methods(GET_AND_POST)
@under_grant
def revoke_grant(request: HttpRequest, grant: UUID) -> HttpResponse:
    """End a grant of one's own; an owner, anybody's."""
    staff, now = staff_of(request), timezone.now()
    mine = None if permits(staff.role, Permission.GRANTS_OF_ALL) else staff.id
    if grant not in {each.id for each in held.live_grants(staff=mine, now=now)}:
        words = "The grant is over, or not yours."
        if request.method == "POST":  # of a page's sight the gate has made an entry
            held.record_refusal(grant=grant, actor=actor_of(request), words=words, now=now)
        raise NoGrant(words)
    deed = Deed(
        title="Revoke a grant",
        words="What it opened closes at once. The tenant sees that it was revoked, and why.",
        button="Revoke",
        back=reverse("console:grants"),
    )

    def act(answer: Answer) -> None:
        held.revoke_grant(grant=grant, actor=actor_of(request), reason=answer.reason, now=now)

    return confirm(request, deed, act)


@page(permission=Permission.GRANTS, event=None, fresh=True)  # granted.reading records it
@require_safe
@under_grant
def alerts(request: HttpRequest, grant: UUID) -> HttpResponse:
    """List a tenant's alerts, opened."""
    behind = request.GET.get("after", "")
    after = granted.place(behind)
    with granted.reading(
        grant,
        staff=staff_of(request).id,
        actor=actor_of(request),
        resource="page:console:grant_alerts",
        now=timezone.now(),
    ) as under:
        rows, following = granted.alert_rows(after=after)
    return show(
        request,
        "console/grant_alerts.html",
        grant=under,
        rows=rows,
        after=behind,
        following=following,
    )


@page(permission=Permission.GRANTS, event=None, fresh=True)  # granted.reading records it
@require_safe
@under_grant
def alert(request: HttpRequest, grant: UUID, alert: UUID) -> HttpResponse:
    """Show one alert of a tenant: what was found, why, and on which evidence."""
    with granted.reading(
        grant,
        staff=staff_of(request).id,
        actor=actor_of(request),
        resource=f"alert:{alert}",
        now=timezone.now(),
    ) as under:
        seen = granted.alert_sight(alert)
    return show(request, "console/grant_alert.html", grant=under, seen=seen)
