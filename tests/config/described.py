"""The document at ``/v1/schema`` held against routes and answers."""

import json
from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest
from django.test import RequestFactory
from django.urls import Resolver404, URLPattern, URLResolver, get_resolver
from jsonschema import Draft202012Validator

METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
NO_API = ("console/", "static/")
"""Pages for people."""

Document = dict[str, Any]
Door = tuple[str, str]
"""A method and a route of the URLconf."""


def document_of(urlconf: str) -> Document:
    """Read the document as a deployment serves it."""
    request = RequestFactory().get("/v1/schema")
    served = get_resolver(urlconf).resolve("/v1/schema").func(request)
    found: Document = json.loads(served.content)
    return found


def doors(urlconf: str) -> set[Door]:
    """Find what a deployment answers besides pages: each route with each of its methods."""
    return {
        (method, route)
        for route, view in _routes(get_resolver(urlconf), "")
        if not route.startswith(NO_API)
        for method in _methods(route, view)
    }


def described(urlconf: str, document: Document) -> set[Door]:
    """Find the route of each operation; a path that leads nowhere is its own route."""
    return {
        (method.upper(), _route(urlconf, path, operation))
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }


def _route(urlconf: str, path: str, operation: dict[str, Any]) -> str:
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", str(parameter["example"]))
    try:
        return get_resolver(urlconf).resolve(path).route
    except Resolver404:
        return path


def _routes(resolver: URLResolver, before: str) -> Iterator[tuple[str, Any]]:
    for each in resolver.url_patterns:
        route = before + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from _routes(each, route)
        elif isinstance(each, URLPattern):
            yield route, each.callback


def _methods(route: str, view: Any) -> set[str]:
    """Name the methods of a class's view by its handlers, of a plain one by what it allows."""
    kind = getattr(view, "cls", None) or getattr(view, "view_class", None)
    if kind is not None:
        return {name.upper() for name in kind.http_method_names if hasattr(kind, name)} & METHODS
    request: HttpRequest = RequestFactory().generic("TRACE", "/")
    names = [part.partition(":")[2].rstrip(">") for part in route.split("<")[1:]]
    refused = view(request, **{name.partition(">")[0]: "x" for name in names})
    assert refused.status_code == 405, f"{route} answers every method"
    return {each.strip() for each in refused["Allow"].split(",")} & METHODS


def strict(document: Document) -> Document:
    """Give a copy whose objects may have no member that is not described."""
    copy: Document = json.loads(json.dumps(document))
    for schema in copy["components"]["schemas"].values():
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)
    return copy


def faults(document: Document, schema: dict[str, Any], value: Any) -> list[str]:
    """Say what of a value is not as its schema says."""
    whole = {**schema, "components": document["components"]}
    return [
        f"{error.json_path}: {error.message}"
        for error in Draft202012Validator(whole).iter_errors(value)
    ]


def check_answer(document: Document, method: str, path: str, response: Any) -> None:
    """Hold an answer against its operation: status, media type, headers, every member."""
    responses = document["paths"][path][method.lower()]["responses"]
    assert str(response.status_code) in responses, (path, response.status_code, response.content)
    said = responses[str(response.status_code)]
    for name in said.get("headers", ()):
        assert name in response, f"{path}: {response.status_code} without {name}"
    if "content" not in said:
        assert not response.content
        return
    media = response["Content-Type"].partition(";")[0]
    schema = said["content"][media]["schema"]
    if media == "application/json":
        assert faults(strict(document), schema, json.loads(response.content)) == []
