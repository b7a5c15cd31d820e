"""Where the console may touch tenants' rows: under a grant, or to count them, in places listed."""

import ast
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
COUNTS: dict[str, str] = {
    "console/engine/tenant.py": "number of members, and today's events, which the plan bounds",
}
"""Files that open a tenant's own scope, and what for. Nothing sealed is read in any of them."""
UNSEALED: dict[str, str] = {
    "console/engine/granted.py": "under staff_scope, after the read is on record",
}
DOORS = frozenset({"tenant_scope", "used_today"})
OPENERS = frozenset({"unseal", "open_alert", "open_content", "open_groups"})
"""What opens sealed bytes of a tenant's; `system_unseal` is the deployment's own."""


def names(source: str) -> Iterator[str]:
    """Return every name that a file imports or reaches through an attribute."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Name):
            yield node.id


def files_with(wanted: frozenset[str]) -> set[str]:
    return {
        str(file.relative_to(REPOSITORY))
        for file in (REPOSITORY / "console").rglob("*.py")
        if not wanted.isdisjoint(names(file.read_text("utf-8")))
    }


def test_no_page_opens_a_tenants_own_scope_but_to_count() -> None:
    assert files_with(DOORS) == set(COUNTS)
    assert all(COUNTS.values())


def test_nothing_sealed_is_opened_but_under_a_grant() -> None:
    assert files_with(OPENERS) == set(UNSEALED)
    source = (REPOSITORY / "console/engine/granted.py").read_text("utf-8")
    assert {"staff_scope", "record_read"} <= set(names(source))


def test_the_search_finds_each_way_to_say_it() -> None:
    for source in (
        "from tenants.scope import tenant_scope",
        "from tenants import scope\nwith scope.tenant_scope(x): pass",
        "import tenants.scope as s\ns.tenant_scope(x)",
    ):
        assert "tenant_scope" in set(names(source))
