"""The state of the deployment: versions, databases, checks, the newest checkpoint; its keys."""

from django.core import checks
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from audit.events import EventType
from audit.models import Checkpoint, Head
from console.engine import keys as custody, system as state
from console.engine.overview import ROOT_AGE, UNSIGNED_AFTER
from console.pages import page, show
from console.permissions import Permission
from tenants.models import KeyringReader


@page(permission=Permission.SYSTEM, event=EventType.STAFF_READ)
@require_safe
def system(request: HttpRequest) -> HttpResponse:
    """Show versions, databases, what the system checks say, and how old the checkpoint is."""
    now = timezone.now()
    head, signed = Head.objects.first(), Checkpoint.objects.order_by("-size").first()
    unsigned = (head.size if head else 0) - (signed.size if signed else 0)
    return show(
        request,
        "console/system.html",
        versions=state.versions(),
        databases=state.databases(),
        disks=state.disks(),
        messages=[(f"{each.id}: {each.msg}", each.is_serious()) for each in checks.run_checks()],
        checkpoint=signed,
        unsigned=unsigned,
        is_late=signed is not None and unsigned > 0 and now - signed.signed_at > UNSIGNED_AFTER,
        processes=list(KeyringReader.objects.order_by("-seen_at")[: custody.SHOWN_PROCESSES]),
        now=now,
    )


@page(permission=Permission.KEY_STATE, event=EventType.STAFF_READ)
@require_safe
def keys(request: HttpRequest) -> HttpResponse:
    """Show the versions, ages and counts of the deployment's keys."""
    now = timezone.now()
    seen = custody.sight()
    root = seen.primary
    since = None if root is None else root.primary_at or root.added_at
    return show(
        request,
        "console/keys.html",
        seen=seen,
        since=since,
        is_old=since is not None and now - since > ROOT_AGE,
        now=now,
    )
