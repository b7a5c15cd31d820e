"""What a page says about itself: who may see it, and what its sight leaves in the audit log.

A view of the console without `page` (or `public`) is refused by the gate: nothing is shown because
somebody forgot to say who may see it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import NoReverseMatch, resolve, reverse
from django.utils import timezone

from audit.actors import Actor
from audit.events import EventType
from console import notices
from console.devices import owes_passkey
from console.models import Staff
from console.permissions import Permission, permits

View = TypeVar("View", bound=Callable[..., HttpResponseBase])

PAGES = (
    ("console:overview", "Overview"),
    ("console:tenants", "Tenants"),
    ("console:feeds", "Feeds"),
    ("console:jobs", "Jobs"),
    ("console:audit", "Audit log"),
    ("console:grants", "Grants"),
    ("console:keys", "Keys"),
    ("console:staff", "Staff"),
    ("console:approvals", "Approvals"),
    ("console:system", "System"),
)
"""The navigation, in its order. A deployment without a page has no such name in its URLs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Who may use a view.

    Without a `permission` everybody may, signed in or not. `event` is recorded before a GET is
    answered. `before_mfa` lets those in who must first replace their second factor. `fresh` asks
    for a second factor proved within `sessions.FRESH`. `visited` is false where only a form leads.
    `before_passkey` lets those in who owe a passkey (``STAFF_MFA``), which comes first: it says
    nothing of `before_mfa`, nor that of it. `scripted` is for what a script asks: it is told what
    is owed, and not led there.
    """

    permission: Permission | None
    event: EventType | None
    before_mfa: bool = False
    before_passkey: bool = False
    fresh: bool = False
    visited: bool = True
    scripted: bool = False
    watched: bool = False

    @property
    def public(self) -> bool:
        """Whether nobody needs to be signed in."""
        return self.permission is None

    def admit(self, staff: Staff) -> bool:
        """Say whether the role of `staff` has the permission."""
        return self.permission is None or permits(staff.role, self.permission)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An entry of the navigation."""

    title: str
    path: str
    current: bool


def page(
    *,
    permission: Permission,
    event: EventType | None,
    before_mfa: bool = False,
    before_passkey: bool = False,
    fresh: bool = False,
    visited: bool = True,
    scripted: bool = False,
    watched: bool = False,
) -> Callable[[View], View]:
    """Declare who may use a view of the console; see `Rules`."""
    return _declare(
        Rules(
            permission=permission,
            event=event,
            before_mfa=before_mfa,
            before_passkey=before_passkey,
            fresh=fresh,
            visited=visited,
            scripted=scripted,
            watched=watched,
        )
    )


def public(view: View) -> View:
    """Declare a view of the console that answers before anybody has signed in."""
    return _declare(Rules(permission=None, event=None))(view)


def _declare(rules: Rules) -> Callable[[View], View]:
    def mark(view: View) -> View:
        view.console_rules = rules  # type: ignore[attr-defined] # how Django marks views as well
        return view

    return mark


def rules_of(view: Callable[..., Any]) -> Rules | None:
    """Return what a view declared, ``None`` for one that declared nothing."""
    return getattr(view, "console_rules", None)


def navigation(staff: Staff, *, path: str = "") -> Iterator[Link]:
    """List the pages that the deployment has and that `staff` may see."""
    for name, title in PAGES:
        try:
            where = reverse(name)
        except NoReverseMatch:  # this deployment has no such page
            continue
        rules = rules_of(resolve(where).func)
        if rules is not None and rules.admit(staff):
            yield Link(title=title, path=where, current=_is_current(where, path))


def _is_current(where: str, path: str) -> bool:
    if where == reverse("console:overview"):
        return path == where
    return path.startswith(where)


def landing(staff: Staff) -> str:
    """Return the path of the first page that `staff` may see."""
    return next(navigation(staff)).path


def staff_of(request: HttpRequest) -> Staff:
    """Return who is signed in; the gate has let nobody else through."""
    assert isinstance(request.user, Staff)
    return request.user


def actor_of(request: HttpRequest) -> Actor:
    """Return who is signed in as the audit log names them."""
    return Actor(kind="staff", id=str(staff_of(request).id))


def show(
    request: HttpRequest, template: str, *, status: int = 200, **context: object
) -> HttpResponse:
    """Render a page of the console, with the navigation of whoever is signed in."""
    links: tuple[Link, ...] = ()
    staff = told = None
    if getattr(request, "passed_gate", False):
        staff = staff_of(request)
        owes = owes_passkey(staff.otp_device)  # type: ignore[attr-defined] # django-otp adds it
        if not staff.must_replace_mfa and not owes:
            links = tuple(navigation(staff, path=request.path_info))
            told = notices.told(staff, now=timezone.now())  # noqa: TID251 -- the edge, like a view
    shown = {"links": links, "staff": staff, "told": told, **_abilities(staff), **context}
    return render(request, template, shown, status=status)


def _abilities(staff: Staff | None) -> dict[str, bool]:
    """Return what a page offers `staff` to do; the gate judges it again when it is done."""
    may = {
        "may_keys": Permission.KEYS,
        "may_grant": Permission.GRANTS,
        "may_state": Permission.TENANT_STATE,
        "may_staff": Permission.STAFF_ROLES,
        "may_export": Permission.AUDIT_EXPORT,
        "may_approve": Permission.APPROVE,
        "may_delete": Permission.ASK_DELETION,
        "may_emergency": Permission.ASK_EMERGENCY,
        "may_review": Permission.REVIEW_EMERGENCY,
        "may_audit": Permission.AUDIT,
        "may_feeds": Permission.FEED_STATE,
        "may_retry": Permission.WORK_RETRY,
    }
    return {
        name: staff is not None and permits(staff.role, permission)
        for name, permission in may.items()
    }
