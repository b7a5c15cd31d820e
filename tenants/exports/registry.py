"""What is exported of a tenant: sections, each with its tables, or a reason why a table is not."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.apps import apps

from tenants.models import TenantModel

Lines = Callable[[UUID], Iterator[Mapping[str, Any]]]
"""Yields a section's lines, inside the tenant's scope, holding few rows at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of an archive: a folder of NDJSON, and the tables whose rows it tells."""

    name: str
    tables: tuple[str, ...]
    lines: Lines


_sections: dict[str, Section] = {}
_left_out: dict[str, str] = {}


def register(section: Section) -> None:
    """Have a section in every archive; a later one of the same name takes its place."""
    _sections[section.name] = section


def leave_out(table: str, reason: str) -> None:
    """Say why a tenant's table is not exported; the archive's manifest says it too."""
    _left_out[table] = reason


def sections() -> tuple[Section, ...]:
    """Return the sections in the order of their names."""
    return tuple(_sections[name] for name in sorted(_sections))


def left_out() -> dict[str, str]:
    """Return the reasons by table."""
    return dict(sorted(_left_out.items()))


def unaccounted() -> set[str]:
    """Return the tenants' tables that are neither exported nor left out with a reason."""
    told = {table for section in _sections.values() for table in section.tables}
    every = {model._meta.db_table for model in apps.get_models() if issubclass(model, TenantModel)}
    return every - told - _left_out.keys()
