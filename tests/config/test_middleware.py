"""The API's requests pass hardly any middleware, and a page passes the gate wherever it is."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory, override_settings

from config import middleware
from config.middleware import ByDoor

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])
PASSED: list[str] = []


class Noting:
    """Notes that a request passed, and which view it was for."""

    def __init__(self, get_response: middleware.Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> object:
        PASSED.append(f"passed {request.path}")
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_view: object) -> HttpResponse | None:
        PASSED.append("view")
        return HttpResponse("kept") if "keep" in request.path else None


class Hooked(Noting):
    """Has a hook that is not passed on."""

    def process_exception(self, *_what: object) -> None:
        """Never called."""


HERE = f"{__name__}.Noting"


def door(*, pages: list[str], api: list[str]) -> ByDoor:
    with override_settings(PAGE_MIDDLEWARE=pages, API_MIDDLEWARE=api):
        return ByDoor(lambda _request: HttpResponse("answered"))


@pytest.mark.parametrize("path", ["/v1/alerts", "/v2/items", "/healthz", "/readyz"])
def test_the_api_does_not_pass_the_pages_middleware(path: str) -> None:
    PASSED.clear()
    answer = door(pages=[HERE], api=[])(RequestFactory().get(path))
    assert (answer.status_code, PASSED) == (200, [])


@pytest.mark.parametrize("path", ["/console/", "/static/a.css", "/", "/elsewhere", "/v1"])
def test_everything_else_does(path: str) -> None:
    PASSED.clear()
    door(pages=[HERE], api=[])(RequestFactory().get(path))
    assert [f"passed {path}"] == PASSED


def test_a_chains_middleware_may_answer_in_a_views_place() -> None:
    both = door(pages=[HERE], api=[])
    for path, kept in (("/keep", True), ("/go", False), ("/v1/keep", False)):
        answer = both.process_view(RequestFactory().get(path), lambda: None, (), {})
        assert (answer is not None) is kept


def test_a_hook_that_would_be_lost_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match="has a hook"):
        door(pages=[f"{__name__}.Hooked"], api=[])


def test_no_cookie_is_set_on_the_api_and_its_answers_are_not_sniffed() -> None:
    answer = Client().get("/healthz")
    assert answer.status_code == 200
    assert not answer.cookies
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert int(answer["Content-Length"]) == len(answer.content)
