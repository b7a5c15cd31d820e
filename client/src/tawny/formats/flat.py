"""Nested objects as values under dotted names, the two spellings ECS has."""

from collections.abc import Iterator, Mapping
from typing import Any

MAX_DEPTH = 8  # that of an event in the service


def flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """Give ``{"source": {"ip": x}}`` as ``{"source.ip": x}``.

    Of objects in a list each name has the list of their values: ``dns.answers.data``.
    """
    if not any(isinstance(value, dict | list) for value in values.values()):
        return dict(values)
    return dict(_leaves(values, "", MAX_DEPTH))


def _leaves(values: Mapping[str, Any], prefix: str, depth: int) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        yield prefix + name, value
        if not depth:
            continue
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{name}.", depth - 1)
        elif isinstance(value, list):
            objects = [each for each in value if isinstance(each, dict)]
            for inner in dict.fromkeys(key for each in objects for key in each):
                yield f"{prefix}{name}.{inner}", [each[inner] for each in objects if inner in each]
