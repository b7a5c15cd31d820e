"""What one door of the API takes and gives."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

import msgspec

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Place = Literal["query", "path", "header"]
Schema = Mapping[str, Any]
"""A JSON Schema (draft 2020-12), as OpenAPI 3.1 uses it."""

JSON = "application/json"


class Access(StrEnum):
    """Whose key a door asks for."""

    NOBODY = "nobody"
    TENANT = "tenant"
    ENGINE = "engine"


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Every error's body: the members of RFC 9457, and ``message``, which existing clients read.

    ``message`` and ``detail`` are the same sentence; ``code`` never changes its meaning.
    """

    type: str
    title: str
    status: int
    detail: str
    message: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A type whose schema says more than the type does.

    ``required`` names members that the type itself would let be absent; ``fields`` describes
    members, by name.
    """

    type: type
    required: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)


Described = type | Shape | Schema
"""A type, a type with more said of it, or a schema where there is no type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One value in the address or in a header."""

    name: str
    description: str
    place: Place = "query"
    required: bool = False
    schema: Schema = field(default_factory=lambda: {"type": "string"})
    example: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What a request carries: by media type, a shape and an example."""

    description: str
    content: Mapping[str, tuple[Described, Any]]
    required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer that is not an error. ``headers`` describes by name what is sent beside the usual.

    ``shape`` None is an answer without a body.
    """

    description: str
    shape: Described | None
    status: int = 200
    media: str = JSON
    example: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path.

    ``refusals`` are the statuses of its errors beside 405, each described once for all doors or
    here by ``reasons``; a door that asks for a key answers 401 and 403 too. A door that is
    ``limited`` sends RateLimit headers, and this status for a request past the limits.
    """

    method: Method
    path: str
    id: str
    tag: str
    summary: str
    description: str
    answers: tuple[Answer, ...]
    access: Access = Access.TENANT
    scope: str = ""
    parameters: tuple[Parameter, ...] = ()
    body: Body | None = None
    refusals: tuple[int, ...] = ()
    reasons: Mapping[int, str] = field(default_factory=dict)
    limited: Literal[429, 503] | None = None
