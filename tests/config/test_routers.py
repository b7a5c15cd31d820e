"""Which database holds which rows."""

from typing import Any

import pytest
from django.apps import apps
from django.db import connections, router

from audit.models import Staged
from config.routers import ByPurpose
from feeds.models import Feed
from tenants.models import DataKey, Tenant, TenantKey, Work


@pytest.mark.parametrize(
    ("model", "alias"),
    [
        (Tenant, "default"),
        (Work, "default"),
        (DataKey, "default"),
        (TenantKey, "keys"),
        (Feed, "wisdom"),
    ],
)
def test_a_row_lives_in_the_database_of_its_purpose(model: type, alias: str) -> None:
    assert router.db_for_read(model) == router.db_for_write(model) == alias


def test_relations_stay_inside_one_database() -> None:
    rows = ByPurpose()
    assert rows.allow_relation(Tenant(), Work())
    assert not rows.allow_relation(Tenant(), TenantKey())
    assert not rows.allow_relation(Tenant(), Feed())


@pytest.mark.parametrize(
    ("hints", "homes"),
    [
        ({}, {"default"}),
        ({"database": "keys"}, {"keys"}),
        ({"databases": ("default", "wisdom")}, {"default", "wisdom"}),
    ],
)
def test_a_raw_operation_runs_where_its_hint_says(hints: dict[str, Any], homes: set[str]) -> None:
    rows = ByPurpose()
    databases = ("default", "keys", "wisdom")
    assert {each for each in databases if rows.allow_migrate(each, "tenants", **hints)} == homes


def test_the_staging_of_audit_rows_is_in_both_databases_that_have_deeds() -> None:
    homes = {each for each in connections if ByPurpose().allow_migrate(each, "audit")}
    assert homes == {"default", "wisdom"}
    assert router.db_for_write(Staged) == "default"


@pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])
@pytest.mark.parametrize("alias", ["default", "keys", "wisdom"])
def test_tables_are_where_the_router_says_and_nowhere_else(alias: str) -> None:
    tables = set(connections[alias].introspection.table_names())
    for model in apps.get_models():
        name = model._meta.label_lower
        wanted = ByPurpose().allow_migrate(alias, *name.split("."))
        assert (model._meta.db_table in tables) == wanted, name
