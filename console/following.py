"""Where a person is led after they proved themselves: to a page of the console, or nowhere."""

from django.urls import Resolver404, resolve

from console.errors import is_console_path
from console.models import Staff
from console.pages import Rules, landing, rules_of

LIMIT = 2000
"""Characters of a path with its query that are taken along."""


def followed(target: str | None) -> str:
    """Return a path of the console that answers GET, with its query, else nothing."""
    if target is None or len(target) > LIMIT or not target.isprintable():
        return ""
    rules = _rules(target)
    return target if rules is not None and not rules.public and rules.visited else ""


def permitted(staff: Staff, target: str) -> str:
    """Return `target` if the role of `staff` sees it, else the first page that it sees."""
    rules = _rules(target)
    return target if rules is not None and rules.admit(staff) else landing(staff)


def _rules(target: str) -> Rules | None:
    path = target.partition("?")[0]
    if not is_console_path(path):
        return None
    try:
        return rules_of(resolve(path).func)
    except Resolver404:
        return None
