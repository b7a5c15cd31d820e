"""The pages of staff: who there is, who is invited, what they may, whose access ends."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from audit.events import EventType
from console import colleagues, invites
from console.deeds import Answer, Deed, Field, confirm
from console.models import Role, Staff
from console.pages import actor_of, page, show
from console.permissions import PERMISSIONS, Permission

GET_AND_POST = ["GET", "HEAD", "POST"]
ROLES = tuple(
    (role.value, f"{role.value}: {len(PERMISSIONS[role])} of {len(Permission)} permissions")
    for role in Role
)


@page(permission=Permission.STAFF, event=EventType.STAFF_READ)
@require_safe
def staff(request: HttpRequest) -> HttpResponse:
    """List staff, and what each role may."""
    table = [
        (permission.value, [(role.value, permission in PERMISSIONS[role]) for role in Role])
        for permission in Permission
    ]
    now = timezone.now()
    return show(
        request,
        "console/staff.html",
        people=colleagues.everybody(now=now),
        now=now,
        roles=[role.value for role in Role],
        table=table,
    )


@page(permission=Permission.STAFF_ROLES, event=EventType.STAFF_READ, fresh=True)
@require_http_methods(GET_AND_POST)
def invite(request: HttpRequest) -> HttpResponse:
    """Invite somebody and show the link once."""
    deed = Deed(
        title="Invite somebody",
        words="The link is shown once, works once, and for a day. Hand it over yourself.",
        button="Make the invitation",
        back=_home(),
        fields=(
            Field(name="username", label="User name", hint="lower case letters, digits, . _ -"),
            Field(name="role", label="Role", options=ROLES, value=Role.ANALYST.value),
        ),
    )

    def act(answer: Answer) -> HttpResponse:
        made = invites.invite(
            username=answer.values["username"],
            role=Role(answer.values["role"]),
            actor=actor_of(request),
            reason=answer.reason,
            now=timezone.now(),
        )
        return show(
            request,
            "console/secret.html",
            title=f"Invitation of {made.staff.username}",
            words="Whoever opens the link first becomes this person.",
            secret=made.link,
            back=_home(),
        )

    return confirm(request, deed, act)


@page(permission=Permission.STAFF_ROLES, event=EventType.STAFF_READ, fresh=True)
@require_http_methods(GET_AND_POST)
def change_role(request: HttpRequest, person: UUID) -> HttpResponse:
    """Give somebody another role; their sessions end."""
    row = get_object_or_404(Staff, pk=person, is_active=True)
    deed = Deed(
        title=f"Role of {row.username}",
        words="Their sessions end at once.",
        button="Change the role",
        back=_home(),
        phrase=row.username,
        fields=(Field(name="role", label="Role", options=ROLES, value=row.role),),
    )

    def act(answer: Answer) -> None:
        colleagues.change_role(
            person=person,
            role=Role(answer.values["role"]),
            actor=actor_of(request),
            reason=answer.reason,
            now=timezone.now(),
        )

    return confirm(request, deed, act)


@page(permission=Permission.STAFF_ROLES, event=EventType.STAFF_READ, fresh=True)
@require_http_methods(GET_AND_POST)
def disable(request: HttpRequest, person: UUID) -> HttpResponse:
    """End somebody's access."""
    row = get_object_or_404(Staff, pk=person, is_active=True)
    deed = Deed(
        title=f"Disable {row.username}",
        words="They cannot sign in any more, and their sessions end at once.",
        button="Disable",
        back=_home(),
        phrase=row.username,
    )

    def act(answer: Answer) -> None:
        colleagues.disable(
            person=person, actor=actor_of(request), reason=answer.reason, now=timezone.now()
        )

    return confirm(request, deed, act)


def _home() -> str:
    return reverse("console:staff")
