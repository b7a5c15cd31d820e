"""The document is made of the operations and says nothing else."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from openapi import Access, Answer, Api, Body, Operation, Parameter, Shape, document

API = Api(title="Test", version="1", description="A test's.", tags={"things": "Things."})


class Size(msgspec.Struct, kw_only=True):
    """How large; ``width`` is in metres."""

    width: float = float("nan")
    default: int = -1


class Thing(msgspec.Struct, kw_only=True):
    name: str
    size: Size


READ = Operation(
    method="GET",
    path="/things/{name}",
    id="read-thing",
    tag="things",
    summary="Read a thing",
    description="Reads one.",
    scope="things:read",
    parameters=(Parameter(name="name", place="path", description="Its name."),),
    answers=(Answer(description="The thing.", shape=Thing, headers={"x-more": "More."}),),
    refusals=(404,),
    limited=429,
)
WRITE = Operation(
    method="POST",
    path="/things",
    id="write-things",
    tag="things",
    summary="Write things",
    description="Writes some.",
    access=Access.NOBODY,
    body=Body(
        description="Sizes.",
        content={
            "application/json": (
                {"oneOf": [Shape(type=Size, required=("width",), fields={"width": "In metres."})]},
                {"width": 2},
            )
        },
    ),
    answers=(Answer(status=204, description="Done.", shape=None),),
    reasons={409: "It is there already."},
)


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(document(API, [READ, WRITE])))
    return found


def test_it_follows_the_specification(made: dict[str, Any]) -> None:
    assert list(OpenAPIV31SpecValidator(made).iter_errors()) == []
    assert made["openapi"].startswith("3.1.")


def test_each_operation_is_where_its_path_and_method_say(made: dict[str, Any]) -> None:
    found = {(path, method) for path, item in made["paths"].items() for method in item}
    assert found == {("/things/{name}", "get"), ("/things", "post")}


def test_a_door_with_a_key_names_both_schemes_and_the_refusals_of_a_key(
    made: dict[str, Any],
) -> None:
    read, write = made["paths"]["/things/{name}"]["get"], made["paths"]["/things"]["post"]
    assert read["security"] == [{"basic": ["things:read"]}, {"bearer": ["things:read"]}]
    assert set(read["responses"]) == {"200", "401", "403", "404", "405", "429"}
    assert write["security"] == []
    assert set(write["responses"]) == {"204", "405", "409"}
    assert write["responses"]["409"]["description"] == "It is there already."


def test_headers_stand_where_they_are_sent(made: dict[str, Any]) -> None:
    answers = made["paths"]["/things/{name}"]["get"]["responses"]
    assert set(answers["200"]["headers"]) == {"x-more", "RateLimit", "RateLimit-Policy"}
    assert set(answers["401"]["headers"]) == {"WWW-Authenticate"}
    assert "Retry-After" in answers["429"]["headers"]


def test_a_shape_says_more_than_its_type(made: dict[str, Any]) -> None:
    size = made["components"]["schemas"]["Size"]
    assert size["required"] == ["width"]
    assert size["properties"]["width"]["description"] == "In metres."
    assert size["description"] == "How large; `width` is in metres."


def test_a_value_that_stands_for_unset_is_not_told_but_a_member_called_default_is(
    made: dict[str, Any],
) -> None:
    properties = made["components"]["schemas"]["Size"]["properties"]
    assert set(properties) == {"width", "default"}
    assert all("default" not in each for each in properties.values())


@pytest.mark.parametrize(
    "wrong",
    [
        [READ, READ],
        [READ, replace(WRITE, id=READ.id)],
        [replace(READ, parameters=())],
        [replace(READ, tag="others")],
    ],
)
def test_what_contradicts_itself_is_no_document(wrong: list[Operation]) -> None:
    with pytest.raises(ValueError, match=r"two operations|parameters|tag"):
        document(API, wrong)
