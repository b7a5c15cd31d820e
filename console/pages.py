"""What a page says about itself: who may see it, and what its sight leaves in the audit log.

A view of the console without `page` (or `public`) is refused by the gate: nothing is shown because
somebody forgot to say who may see it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, resolve, reverse

from audit.events import EventType
from console.models import Role, Staff

View = TypeVar("View", bound=Callable[..., HttpResponse])

EVERYONE = frozenset(Role)
WORKING = frozenset({Role.OWNER, Role.OPERATOR, Role.ANALYST})
"""Who looks after tenants and their telemetry's flow; an auditor reads the log and no more."""
AUDITING = frozenset({Role.OWNER, Role.AUDITOR})

PAGES = (
    ("console:overview", "Overview"),
    ("console:tenants", "Tenants"),
    ("console:feeds", "Feeds"),
    ("console:audit", "Audit log"),
)
"""The navigation, in its order. A deployment without a page has no such name in its URLs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Who may use a view.

    `roles` empty means everybody, signed in or not. `event` is recorded before a GET is answered.
    `before_mfa` lets those in who must first replace their second factor.
    """

    roles: frozenset[Role]
    event: EventType | None
    before_mfa: bool = False

    @property
    def public(self) -> bool:
        """Whether nobody needs to be signed in."""
        return not self.roles


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An entry of the navigation."""

    title: str
    path: str
    current: bool


def page(
    *, roles: frozenset[Role], event: EventType | None, before_mfa: bool = False
) -> Callable[[View], View]:
    """Declare who may use a view of the console."""
    if not roles:
        raise ValueError("a page names its roles; a page for everybody is `public`")
    return _declare(Rules(roles=roles, event=event, before_mfa=before_mfa))


def public(view: View) -> View:
    """Declare a view of the console that answers before anybody has signed in."""
    return _declare(Rules(roles=frozenset(), event=None, before_mfa=True))(view)


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
        if rules is not None and staff.role in rules.roles:
            yield Link(title=title, path=where, current=where == path)


def landing(staff: Staff) -> str:
    """Return the path of the first page that `staff` may see."""
    return next(navigation(staff)).path


def staff_of(request: HttpRequest) -> Staff:
    """Return who is signed in; the gate has let nobody else through."""
    assert isinstance(request.user, Staff)
    return request.user


def show(
    request: HttpRequest, template: str, *, status: int = 200, **context: object
) -> HttpResponse:
    """Render a page of the console, with the navigation of whoever is signed in."""
    links: tuple[Link, ...] = ()
    staff = None
    if getattr(request, "passed_gate", False):
        staff = staff_of(request)
        if not staff.must_replace_mfa:
            links = tuple(navigation(staff, path=request.path_info))
    return render(request, template, {"links": links, "staff": staff, **context}, status=status)
