"""Errors: a page where people look, a problem where programs do."""

import json
from collections.abc import Callable
from functools import partial
from types import ModuleType

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client, RequestFactory, override_settings
from django.urls import path

from console import errors

HANDLERS: list[tuple[int, Callable[[HttpRequest], HttpResponse]]] = [
    (400, partial(errors.bad_request, exception=SuspiciousOperation())),
    (403, partial(errors.forbidden, exception=PermissionDenied())),
    (404, partial(errors.not_found, exception=Http404())),
    (500, errors.server_error),
]


def ask(path: str) -> HttpRequest:
    return RequestFactory().get(path)


@pytest.mark.parametrize(("status", "handler"), HANDLERS)
def test_a_path_of_the_console_gets_a_page_that_tells_nothing_of_it(
    status: int, handler: Callable[[HttpRequest], HttpResponse]
) -> None:
    answer = handler(ask("/console/secret-path/"))
    assert answer.status_code == status
    assert answer["Content-Type"].startswith("text/html")
    assert str(status).encode() in answer.content
    assert b"secret-path" not in answer.content


@pytest.mark.parametrize(("status", "handler"), HANDLERS)
def test_any_other_path_gets_the_problem_that_api_clients_read(
    status: int, handler: Callable[[HttpRequest], HttpResponse]
) -> None:
    answer = handler(ask("/v1/secret-path"))
    assert answer.status_code == status
    problem = json.loads(answer.content)
    assert problem["status"] == status
    assert problem["message"]
    assert "secret-path" not in answer.content.decode()


def raising(error: type[Exception]) -> Callable[[HttpRequest], HttpResponse]:
    def view(_request: HttpRequest) -> HttpResponse:
        raise error

    return view


@pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])
@pytest.mark.parametrize(
    ("status", "error"),
    [(400, SuspiciousOperation), (403, PermissionDenied), (404, Http404), (500, ZeroDivisionError)],
)
def test_a_urlconf_that_names_the_handlers_answers_with_them(
    status: int, error: type[Exception]
) -> None:
    urlconf = ModuleType("urlconf_of_a_test")
    vars(urlconf)["urlpatterns"] = [path("v1/fails", raising(error))]
    for number, handler in HANDLERS:
        name = getattr(handler, "func", handler).__name__
        vars(urlconf)[f"handler{number}"] = f"console.errors.{name}"
    with override_settings(ROOT_URLCONF=urlconf):
        answer = Client(raise_request_exception=False).get("/v1/fails")
    assert answer.status_code == status
    assert answer.json()["status"] == status


def test_a_refused_form_says_what_to_do_on_the_console_and_is_a_problem_elsewhere() -> None:
    assert b"reload and try again" in errors.csrf_refused(ask("/console/login/"), "why").content
    assert json.loads(errors.csrf_refused(ask("/v1/alerts"), "why").content)["status"] == 403


@pytest.mark.parametrize(
    ("path", "is_console"),
    [
        ("/console", True),
        ("/console/", True),
        ("/console/x", True),
        ("/consoles/", False),
        ("/", False),
    ],
)
def test_the_console_is_known_by_its_path(path: str, is_console: bool) -> None:  # noqa: FBT001 -- a parameter
    assert errors.is_console_path(path) == is_console
