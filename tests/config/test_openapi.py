"""The API's document covers what each deployment answers, no more and no less."""

import json
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from openapi_spec_validator import OpenAPIV31SpecValidator

from config.methods import reads
from config.openapi import schema_view
from tests.config.described import described, document_of, doors, faults

DEPLOYMENTS = ("config.urls.cloud", "config.urls.engine", "config.urls.embedded")


@pytest.fixture(params=DEPLOYMENTS)
def urlconf(request: Any) -> str:
    name: str = request.param
    return name


def test_every_route_is_described_and_every_operation_has_a_route(urlconf: str) -> None:
    found, said = doors(urlconf), described(urlconf, document_of(urlconf))
    assert said - found == set(), "operations without a route"
    assert found - said == set(), "routes without an operation"


def test_a_route_or_an_operation_that_stands_alone_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    @reads
    def new(_request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    urls = ModuleType("alone")
    vars(urls)["urlpatterns"] = [path("v1/new", new), path("v1/schema", schema_view())]
    monkeypatch.setitem(sys.modules, urls.__name__, urls)
    found, said = doors(urls.__name__), described(urls.__name__, document_of(urls.__name__))
    assert found - said == {("GET", "v1/new")}
    assert said - found == {("GET", "/healthz"), ("GET", "/readyz")}


def test_the_document_follows_the_specification(urlconf: str) -> None:
    assert list(OpenAPIV31SpecValidator(document_of(urlconf)).iter_errors()) == []


def test_the_engine_says_nothing_of_wisdoms_own_doors() -> None:
    paths = set(document_of("config.urls.engine")["paths"])
    assert "/v1/wisdom" in paths
    assert not paths & {"/v1/wisdom/reports", "/v2/items", "/v2/families"}


def test_every_error_is_described_with_its_message(urlconf: str) -> None:
    document = document_of(urlconf)
    for _, operation in operations(document):
        for status, said in operation["responses"].items():
            if int(status) >= 400 and said["content"]["application/json"]["schema"] == {
                "$ref": "#/components/schemas/Problem"
            }:
                assert said["content"]["application/json"]["example"]["message"]
    assert "message" in document["components"]["schemas"]["Problem"]["required"]


def test_the_doors_for_events_never_answer_429_and_name_their_encodings(urlconf: str) -> None:
    events = {
        where: operation
        for where, operation in operations(document_of(urlconf))
        if where.startswith("/v1/events/")
    }
    assert set(events) == {f"/v1/events/{each}" for each in ("dns", "ip", "http", "tls", "lease")}
    for operation in events.values():
        assert "429" not in operation["responses"]
        assert "Retry-After" in operation["responses"]["503"]["headers"]
        assert set(operation["requestBody"]["content"]) == {
            "application/json", "application/x-ndjson",
        }  # fmt: skip
        encoding, once = operation["parameters"]
        assert encoding["schema"]["enum"] == ["identity", "gzip", "deflate", "zstd"]
        assert (once["name"], once["required"]) == ("Idempotency-Key", False)


def test_every_operation_has_words_and_an_example_that_fits_its_schema(urlconf: str) -> None:
    document = document_of(urlconf)
    for where, operation in operations(document):
        assert operation["summary"], where
        assert operation["description"], where
        shown = list(examples(operation))
        assert shown or where == "/v1/schema", where
        for schema, example in shown:
            assert faults(document, schema, example) == [], (where, example)


def test_examples_hold_addresses_and_names_for_documentation_only(urlconf: str) -> None:
    text = json.dumps(document_of(urlconf))
    for private in ("alphasoc", ".com/", "10.0.", "192.168.", "8.8.8.8"):
        assert private not in text.replace("example.com/", "")


@pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])
def test_the_document_is_kept_by_its_etag() -> None:
    first = Client().get("/v1/schema")
    assert (first.status_code, first["Content-Type"]) == (200, "application/json")
    assert first["Cache-Control"] == "public, max-age=300"
    again = Client().get("/v1/schema", HTTP_IF_NONE_MATCH=first["ETag"])
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    refused = Client().post("/v1/schema")
    assert (refused.status_code, refused["Allow"]) == (405, "GET, HEAD")
    assert json.loads(refused.content)["message"]


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for where, item in document["paths"].items():
        for operation in item.values():
            yield where, operation


def examples(operation: dict[str, Any]) -> Iterator[tuple[dict[str, Any], Any]]:
    holders = [
        *operation.get("parameters", ()),
        *operation.get("requestBody", {}).get("content", {}).values(),
        *(
            content
            for said in operation["responses"].values()
            for content in said.get("content", {}).values()
        ),
    ]
    for holder in holders:
        if "example" in holder:
            yield holder["schema"], holder["example"]
