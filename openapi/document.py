"""The OpenAPI 3.1 document of some operations."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from openapi import errors
from openapi.operations import (
    JSON,
    Access,
    Answer,
    Described,
    Operation,
    Parameter,
    Problem,
    Schema,
    Shape,
)

VERSION = "3.1.1"
REFERENCE = "#/components/schemas/{name}"
_LITERAL = re.compile(r"``(.+?)``")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")

Tree = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """What the document says of the whole: title, version of the API, prose, tags with prose."""

    title: str
    version: str
    description: str
    tags: Mapping[str, str]


def document(api: Api, operations: Sequence[Operation]) -> Tree:
    """Describe operations, in their order by path.

    Raises
    ------
    ValueError
        For two operations of one method and path or of one id, a placeholder in a path without
        its parameter, and a tag that ``api`` does not describe.

    """
    _check(api, operations)
    schemas = _Schemas(operations)
    paths: dict[str, Tree] = {}
    for operation in sorted(operations, key=lambda each: each.path):
        item = paths.setdefault(operation.path, {})
        item[operation.method.lower()] = _operation(operation, schemas)
    used = {operation.tag for operation in operations}
    return {
        "openapi": VERSION,
        "info": {"title": api.title, "version": api.version, "description": api.description},
        "tags": [
            {"name": name, "description": text} for name, text in api.tags.items() if name in used
        ],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "headers": {name: _header(name) for name in errors.HEADERS},
            "securitySchemes": {
                "basic": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "The key is the user name; whatever password comes is ignored.",
                },
                "bearer": {"type": "http", "scheme": "bearer", "description": "The key itself."},
            },
        },
    }


def _check(api: Api, operations: Sequence[Operation]) -> None:
    doors = [(operation.method, operation.path) for operation in operations]
    names = [operation.id for operation in operations]
    if len(set(doors)) < len(doors) or len(set(names)) < len(names):
        raise ValueError("two operations of one method and path, or of one id")
    for operation in operations:
        given = {each.name for each in operation.parameters if each.place == "path"}
        if set(_PLACEHOLDER.findall(operation.path)) != given:
            raise ValueError(f"{operation.path}: path parameters are {sorted(given)}")
        if operation.tag not in api.tags:
            raise ValueError(f"{operation.path}: no words on the tag {operation.tag!r}")


class _Schemas:
    """The component schemas of all types that operations name, and references to them."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        shapes = [_shape(each) for each in _described(operations) if not isinstance(each, Mapping)]
        types = list(dict.fromkeys([Problem, *(shape.type for shape in shapes)]))
        references, components = msgspec.json.schema_components(types, ref_template=REFERENCE)
        self._references = dict(zip(types, references, strict=True))
        self.components: Tree = {name: _plain(schema) for name, schema in components.items()}
        for shape in shapes:
            self._say_more(shape)

    def of(self, described: Described) -> Schema:
        """Return the schema of what was described: by reference where it is a type's."""
        if isinstance(described, Mapping):
            return described
        return self._references[_shape(described).type]

    def _say_more(self, shape: Shape) -> None:
        component = self.components[self._references[shape.type]["$ref"].rpartition("/")[2]]
        if shape.required:
            component["required"] = sorted({*component.get("required", ()), *shape.required})
        for name, text in shape.fields.items():
            component["properties"][name] = {**component["properties"][name], "description": text}


def _shape(described: type | Shape) -> Shape:
    return described if isinstance(described, Shape) else Shape(type=described)


def _described(operations: Iterable[Operation]) -> Iterator[Described]:
    for operation in operations:
        if operation.body is not None:
            for described, _ in operation.body.content.values():
                yield from _inside(described)
        for answer in operation.answers:
            if answer.shape is not None:
                yield from _inside(answer.shape)


def _inside(described: Described) -> Iterator[Described]:
    """Give what was described and every type that stands in a schema in the place of one."""
    yield described
    if isinstance(described, Mapping):
        for each in described.values():
            for inner in each if isinstance(each, Sequence) else (each,):
                if isinstance(inner, type | Shape | Mapping):
                    yield from _inside(inner)


def _operation(operation: Operation, schemas: _Schemas) -> Tree:
    described: Tree = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": operation.description,
        "security": _security(operation),
    }
    if operation.parameters:
        described["parameters"] = [_parameter(each) for each in operation.parameters]
    if operation.body is not None:
        described["requestBody"] = {
            "description": operation.body.description,
            "required": operation.body.required,
            "content": {
                media: _content(schema, example, schemas)
                for media, (schema, example) in operation.body.content.items()
            },
        }
    described["responses"] = {
        **{str(answer.status): _answer(answer, operation, schemas) for answer in operation.answers},
        **{str(status): _error(status, operation) for status in _statuses(operation)},
    }
    return described


def _security(operation: Operation) -> list[Tree]:
    if operation.access is Access.NOBODY:
        return []
    needed = [operation.scope] if operation.scope else []
    return [{"basic": needed}, {"bearer": needed}]


def _parameter(parameter: Parameter) -> Tree:
    described: Tree = {
        "name": parameter.name,
        "in": parameter.place,
        "description": parameter.description,
        "required": parameter.required or parameter.place == "path",
        "schema": dict(parameter.schema),
    }
    if parameter.example is not None:
        described["example"] = parameter.example
    return described


def _content(described: Described, example: Any, schemas: _Schemas) -> Tree:
    content: Tree = {"schema": _resolved(described, schemas)}
    if example is not None:
        content["example"] = example
    return content


def _resolved(described: Any, schemas: _Schemas) -> Any:
    """Write a schema with a reference wherever it holds a type."""
    if isinstance(described, type | Shape):
        return dict(schemas.of(described))
    if isinstance(described, Mapping):
        return {name: _resolved(each, schemas) for name, each in described.items()}
    if isinstance(described, list | tuple):
        return [_resolved(each, schemas) for each in described]
    return described


def _answer(answer: Answer, operation: Operation, schemas: _Schemas) -> Tree:
    described: Tree = {"description": answer.description}
    headers: Tree = {
        name: {"description": text, "schema": {"type": "string"}}
        for name, text in answer.headers.items()
    }
    if operation.limited is not None:
        headers |= {name: _by_name(name) for name in (errors.RATE_LIMIT, errors.RATE_POLICY)}
    if headers:
        described["headers"] = headers
    if answer.shape is not None:
        described["content"] = {answer.media: _content(answer.shape, answer.example, schemas)}
    return described


def _statuses(operation: Operation) -> list[int]:
    keyed = () if operation.access is Access.NOBODY else (401, 403)
    limited = () if operation.limited is None else (operation.limited,)
    own = {answer.status for answer in operation.answers}
    return sorted({*operation.refusals, *operation.reasons, *keyed, *limited, 405} - own)


def _error(status: int, operation: Operation) -> Tree:
    reason = operation.reasons.get(status, errors.REASONS[status])
    described: Tree = {
        "description": reason,
        "content": {
            JSON: {
                "schema": {"$ref": REFERENCE.format(name=Problem.__name__)},
                "example": errors.example(status, reason),
            }
        },
    }
    headers = errors.WITH.get(status, ())
    if headers:
        described["headers"] = {name: _by_name(name) for name in headers}
    return described


def _by_name(name: str) -> Tree:
    return {"$ref": f"#/components/headers/{name}"}


def _header(name: str) -> Tree:
    text, schema, example = errors.HEADERS[name]
    return {"description": text, "schema": schema, "example": example}


def _plain(schema: Any) -> Any:
    """Take out what is ours alone: defaults that stand for unset, and the marks of docstrings."""
    if isinstance(schema, dict):
        return {
            key: _LITERAL.sub(r"`\1`", value) if key == "description" and isinstance(value, str)
            else _plain(value)
            for key, value in schema.items()
            if key != "default" or isinstance(value, dict)  # a member may bear that name
        }  # fmt: skip
    if isinstance(schema, list):
        return [_plain(each) for each in schema]
    return schema
