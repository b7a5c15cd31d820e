"""Security headers on every route, held against one table (SUP-1)."""

import re
from collections.abc import Iterator
from uuid import UUID

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from console.gate import FEATURES
from tests.console.people import Person

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])

FILLED = {"uuid": str(UUID(int=0)), "str": "none", "int": "1", "slug": "none", "path": "none"}
EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
PAGES = {
    **EVERYWHERE,
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": FEATURES,
}
POLICY = {
    "default-src 'none'",
    "object-src 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "form-action 'self'",
    "connect-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
}
"""What the policy of each page says, besides which scripts run."""
API = {**EVERYWHERE, "Referrer-Policy": "no-referrer"}


def routes(under: URLResolver, before: str = "/") -> Iterator[str]:
    """Yield a path of every route, its parameters filled in."""
    for each in under.url_patterns:
        path = before + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from routes(each, path)
            continue
        assert isinstance(each, URLPattern)
        for converter, value in FILLED.items():
            for name in each.pattern.converters:
                path = path.replace(f"<{converter}:{name}>", value)
        yield path


def test_every_route_answers_with_the_headers_of_its_door(jo: Person) -> None:
    jo.sign_in()
    walked = 0
    for path in routes(get_resolver()):
        assert "<" not in path
        for browser in (Client(raise_request_exception=False), jo.browser):
            answer = browser.get(path)
            console = path.startswith("/console/")
            table = PAGES if console else API
            assert {name: answer.get(name) for name in table} == table, path
            policy = answer["Content-Security-Policy"]
            assert "default-src 'none'" in policy, path
            assert "frame-ancestors 'none'" in policy, path
            assert "unsafe" not in policy, path
            if console:
                said = {each.strip() for each in policy.split(";")}
                (scripts,) = said - POLICY
                assert said >= POLICY, path
                assert re.fullmatch(r"script-src 'self'( 'nonce-[A-Za-z0-9+/=]{24}')?", scripts), (
                    path
                )
            walked += 1
    assert walked >= 2 * 40
