"""``manage.py tenant``: the last line of stdout is one JSON value."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from django.core import mail
from django.core.management import CommandError, call_command

from tenants import letters
from tenants.actions.tenants import create_provisional
from tenants.apikeys import Scope
from tenants.auth import caller
from tenants.errors import Forbidden
from tenants.models import KeyIndex, Tenant
from tests.tenants.doors import basic

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])


def run(*arguments: str) -> Any:
    out = StringIO()
    call_command("tenant", *arguments, "--json", stdout=out)
    return json.loads(out.getvalue().splitlines()[-1])


def opens(key: str, scope: Scope = Scope.ALERTS, *, later: timedelta = timedelta()) -> bool:
    try:
        return bool(caller(basic(key), scope=scope, now=datetime.now(UTC) + later))
    except Forbidden:
        return False


def test_a_key_is_made_listed_rotated_and_revoked(tenant: tuple[UUID, str]) -> None:
    made = run("key", "create", "first.example", "--label", "sensor", "--scope", "alerts:read",
               "--days", "90")  # fmt: skip
    assert opens(made["api_key"])
    assert not opens(made["api_key"], Scope.INGEST)
    assert not opens(made["api_key"], later=timedelta(days=90))
    successor = run("key", "rotate", made["key"], "--hours", "1")
    assert opens(made["api_key"])
    assert not opens(made["api_key"], later=timedelta(hours=1))
    assert opens(successor["api_key"], later=timedelta(hours=1))
    assert run("key", "revoke", successor["key"])["changed"] is True
    assert run("key", "revoke", successor["key"])["changed"] is False
    assert not opens(successor["api_key"])
    rows = {row["key"]: row for row in run("key", "list", str(tenant[0]))}
    assert set(rows) == {tenant[1].split("_")[1], made["key"], successor["key"]}
    assert [rows[key]["live"] for key in (made["key"], successor["key"])] == [True, False]
    assert rows[made["key"]]["last_used"] is not None
    assert KeyIndex.objects.get(id=made["key"]).label == "sensor"


def test_a_tenant_is_suspended_resumed_and_put_on_a_plan(tenant: tuple[UUID, str]) -> None:
    assert run("suspend", "first.example")["changed"] is True
    assert not opens(tenant[1])
    assert run("resume", str(tenant[0]))["changed"] is True
    assert run("resume", str(tenant[0]))["changed"] is False
    assert opens(tenant[1])
    provisional = create_provisional(now=datetime.now(UTC) - timedelta(days=31))
    assert not opens(provisional.api_key)
    assert run("plan", str(provisional.tenant.id), "full")["changed"] is True
    assert opens(provisional.api_key)
    row = Tenant.objects.get(id=provisional.tenant.id)
    assert (row.is_provisional, row.is_registered, row.expires_at) == (False, True, None)


def test_a_member_is_named_and_mailed_and_listed_without_a_name(tenant: tuple[UUID, str]) -> None:
    run("member", "add", "first.example", "Ann@example.org", "--name", "Ann", "--role", "owner")
    letters.deliver(now=datetime.now(UTC))
    assert mail.outbox[0].to == ["ann@example.org"]
    (row,) = run("member", "list", str(tenant[0]))
    assert set(row) == {"member", "role", "verified"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("key", "list", "nobody.example"), "no tenant"),
        (("key", "create", "first.example", "--days", "400"), "365"),
        (("key", "create", "first.example", "--network", "x"), "network"),
        (("key", "rotate", "nobody"), "live"),
        (("member", "add", "first.example", "x", "--name", "X"), "e-mail"),
    ],
)
@pytest.mark.usefixtures("tenant")
def test_what_cannot_be_done_is_said(arguments: tuple[str, ...], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        run(*arguments)


@pytest.mark.usefixtures("tenant")
def test_without_json_it_is_for_people() -> None:
    out = StringIO()
    call_command("tenant", "list", stdout=out)
    assert "name: first.example" in out.getvalue()
