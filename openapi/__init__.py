"""The HTTP API described as data: each package declares its doors, one document is made of them.

Pure: no framework. A package lists frozen `Operation` values beside its views; whoever composes a
deployment hands them to `document`. What a client sends or reads is described by the very structs
that the product decodes and encodes, wherever there is one.
"""

from openapi.document import Api, document
from openapi.operations import (
    Access,
    Answer,
    Body,
    Method,
    Operation,
    Parameter,
    Problem,
    Schema,
    Shape,
)

__all__ = [
    "Access",
    "Answer",
    "Api",
    "Body",
    "Method",
    "Operation",
    "Parameter",
    "Problem",
    "Schema",
    "Shape",
    "document",
]
