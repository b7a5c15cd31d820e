"""The pages of one tenant, and the deeds on it and its keys."""

from datetime import timedelta
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from audit.events import EventType
from console.deeds import Answer, Deed, Field, confirm
from console.engine.tenant import found, live_key, sight
from console.pages import actor_of, page, show
from console.permissions import Permission
from tenants import actions, holds
from tenants.apikeys import Scope
from tenants.models import TenantState
from tenants.plans import Plan

GET_AND_POST = ["GET", "HEAD", "POST"]
SCOPES = tuple((scope.value, scope.value) for scope in Scope)
OVERLAPS = (("0", "none: the old key ends now"), ("24", "a day"), ("168", "a week"))
"""Hours that a rotated key goes on beside its successor."""


@page(permission=Permission.TENANTS, event=EventType.STAFF_READ)
@require_safe
def tenant(request: HttpRequest, tenant: UUID) -> HttpResponse:
    """Show one tenant."""
    now = timezone.now()
    seen = sight(tenant, now=now)
    return show(request, "console/tenant.html", seen=seen, holds=holds.standing(tenant), now=now)


@page(permission=Permission.KEYS, event=EventType.STAFF_READ, fresh=True)
@require_http_methods(GET_AND_POST)
def create_key(request: HttpRequest, tenant: UUID) -> HttpResponse:
    """Make an API key and show it once."""
    row = found(tenant)
    deed = Deed(
        title=f"New API key for {row.name}",
        words="The key is shown once, on the next page.",
        button="Make the key",
        back=_home(tenant),
        fields=(
            Field(name="label", label="Label", hint="what it is for", required=False),
            Field(name="scopes", label="It may", options=SCOPES, many=True),
            Field(
                name="networks",
                label="From these networks alone",
                hint="192.0.2.0/24, divided by blanks; none: from everywhere",
                required=False,
            ),
        ),
    )

    def act(answer: Answer) -> HttpResponse:
        text = actions.create_key(
            tenant=row,
            label=answer.values["label"],
            scopes=[Scope(scope) for scope in answer.values["scopes"].split()],
            networks=answer.values["networks"].replace(",", " ").split(),
            actor=actor_of(request),
            reason=answer.reason,
            now=timezone.now(),
        )
        return _show_key(request, "The new API key", text, tenant)

    return confirm(request, deed, act)


@page(permission=Permission.KEYS, event=EventType.STAFF_READ, fresh=True)
@require_http_methods(GET_AND_POST)
def rotate_key(request: HttpRequest, tenant: UUID, key: str) -> HttpResponse:
    """Make a successor of a key, on the same terms, and show it once."""
    now = timezone.now()
    row = live_key(tenant, key, now=now)
    deed = Deed(
        title=f"Rotate a key of {row.tenant.name}",
        words="A successor on the same terms is made and shown once, on the next page.",
        button="Rotate the key",
        back=_home(tenant),
        phrase=key,
        fields=(Field(name="overlap", label="The old key goes on for", options=OVERLAPS),),
    )

    def act(answer: Answer) -> HttpResponse:
        new = actions.rotate_key(
            key=key,
            overlap=timedelta(hours=int(answer.values["overlap"])),
            actor=actor_of(request),
            reason=answer.reason,
            now=now,
        )
        return _show_key(request, "The successor", new.text, tenant)

    return confirm(request, deed, act)


@page(permission=Permission.KEYS, event=EventType.STAFF_READ, fresh=True)
@require_http_methods(GET_AND_POST)
def revoke_key(request: HttpRequest, tenant: UUID, key: str) -> HttpResponse:
    """End a key for good."""
    now = timezone.now()
    row = live_key(tenant, key, now=now)
    deed = Deed(
        title=f"Revoke a key of {row.tenant.name}",
        words=f"The key {key} ({row.label or 'no label'}) stops at once, for good.",
        button="Revoke the key",
        back=_home(tenant),
        phrase=key,
    )

    def act(answer: Answer) -> None:
        actions.revoke_key(key=key, actor=actor_of(request), reason=answer.reason, now=now)

    return confirm(request, deed, act)


@page(permission=Permission.TENANT_STATE, event=EventType.STAFF_READ, fresh=True)
@require_http_methods(GET_AND_POST)
def change_state(request: HttpRequest, tenant: UUID) -> HttpResponse:
    """Suspend an active tenant, resume a suspended one."""
    row = found(tenant)
    active = row.state == TenantState.ACTIVE
    deed = Deed(
        title=f"{'Suspend' if active else 'Resume'} {row.name}",
        words=(
            "Its keys stop working at once; what it sent stays."
            if active
            else "Its keys work again at once."
        ),
        button="Suspend" if active else "Resume",
        back=_home(tenant),
        phrase=row.name,
    )

    def act(answer: Answer) -> None:
        change = actions.suspend_tenant if active else actions.resume_tenant
        change(tenant=tenant, actor=actor_of(request), reason=answer.reason, now=timezone.now())

    return confirm(request, deed, act)


@page(permission=Permission.TENANT_STATE, event=EventType.STAFF_READ, fresh=True)
@require_http_methods(GET_AND_POST)
def change_plan(request: HttpRequest, tenant: UUID) -> HttpResponse:
    """Put a tenant on another plan."""
    row = found(tenant)
    plans = tuple((plan.value, plan.value) for plan in Plan)
    deed = Deed(
        title=f"Plan of {row.name}",
        words="Limits and the length of life become those of the plan. Keys keep their scopes.",
        button="Change the plan",
        back=_home(tenant),
        phrase=row.name,
        fields=(Field(name="plan", label="Plan", options=plans, value=row.plan),),
    )

    def act(answer: Answer) -> None:
        actions.change_plan(
            tenant=tenant,
            plan=Plan(answer.values["plan"]),
            actor=actor_of(request),
            reason=answer.reason,
            now=timezone.now(),
        )

    return confirm(request, deed, act)


def _home(tenant: UUID) -> str:
    return reverse("console:tenant", args=[tenant])


def _show_key(request: HttpRequest, title: str, text: str, tenant: UUID) -> HttpResponse:
    return show(
        request,
        "console/secret.html",
        title=title,
        words="The key works.",
        secret=text,
        back=_home(tenant),
    )
