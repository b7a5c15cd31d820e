"""A lost key: the same answer to every address, a mail to its owner, a new key by a button."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.actors import Actor
from tenants.actions import create_key, suspend_tenant
from tenants.actions.tenants import create_provisional
from tenants.apikeys import Scope
from tenants.auth import caller
from tenants.errors import Forbidden
from tenants.models import KeyIndex, Letter, Tenant
from tests.tenants.doors import DETAILS, basic, deeds, get, mailed, post, registered, requested

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])
SHELL = Actor(kind="shell", id="test")
BROWSER = {"HTTP_ACCEPT": "text/html"}
MOMENT = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _open(settings: Any) -> None:
    settings.SIGNUP_OPEN = True
    settings.PUBLIC_URL = "https://tawny.example"


@pytest.fixture
def owned() -> Any:
    """A provisional account's key, whose owner verified; the clock stands still."""
    with time_machine.travel(MOMENT, tick=False):
        key = requested()
        registered(key, MOMENT)
        mail.outbox.clear()
        yield key


def ask(email: Any, **where: Any) -> Any:
    return post("/v1/key/reset", {"email": email}, **where)


def new_key(page: Any) -> str:
    assert page.status_code == 200
    found = re.search(r"<code>(twy_\w+)</code>", page.content.decode())
    assert found is not None
    return found.group(1)


@pytest.mark.usefixtures("owned")
def test_the_mailed_button_makes_a_key_that_does_what_the_lost_one_did(
    as_owner: Callable[..., Any],
) -> None:
    assert ask(" ann@EXAMPLE.org ").json() == {}
    (link,) = mailed(MOMENT)
    assert mail.outbox[0].to == ["ann@example.org"]
    assert "twy_" not in mail.outbox[0].body
    assert get(link, **BROWSER).status_code == 200
    assert KeyIndex.objects.count() == 1
    page = post(link, b"", **BROWSER)
    assert page["Cache-Control"] == "no-store"
    fresh = new_key(page)
    for scope in (Scope.INGEST, Scope.ALERTS, Scope.ACCOUNT):
        assert caller(basic(fresh), scope=scope, now=MOMENT).key
    with pytest.raises(Forbidden):
        caller(basic(fresh), scope=Scope.WISDOM, now=MOMENT)
    assert "key.reset" in deeds(as_owner)


def test_running_sensors_go_on_for_a_day(owned: str) -> None:
    ask("ann@example.org")
    (link,) = mailed(MOMENT)
    new_key(post(link, b"", **BROWSER))
    last = MOMENT + timedelta(hours=24) - timedelta(seconds=1)
    assert caller(basic(owned), scope=Scope.INGEST, now=last).key
    with pytest.raises(Forbidden, match="expired"):
        caller(basic(owned), scope=Scope.INGEST, now=last + timedelta(seconds=1))


@pytest.mark.usefixtures("owned")
def test_a_reset_link_works_once_for_an_hour_and_for_nothing_else() -> None:
    ask("ann@example.org")
    (link,) = mailed(MOMENT)
    token = link.partition("token=")[2]
    assert post(f"/v1/account/verify/{token}", b"").status_code == 400
    with time_machine.travel(MOMENT + timedelta(hours=1), tick=False):
        assert get(link).status_code == post(link, b"").status_code == 400
    new_key(post(link, b"", **BROWSER))
    again = post(link, b"", **BROWSER)
    assert again.status_code == 400
    assert b"twy_" not in again.content
    assert KeyIndex.objects.count() == 2


@pytest.mark.usefixtures("owned")
def test_known_and_unknown_addresses_are_answered_and_worked_on_alike(
    as_owner: Callable[..., Any],
) -> None:
    answers, worked = [], []
    for n, email in enumerate(("ann@example.org", "nobody@example.org", "no address", "x" * 999)):
        with CaptureQueriesContext(connection) as queries:
            answer = ask(email, address=f"192.0.{n}.1")
        answers.append((answer.status_code, answer.content, sorted(answer.headers.items())))
        worked.append([re.sub(r"'[^']*'", "?", query["sql"]) for query in queries])
    assert answers[1:] == answers[:-1]
    assert worked[1:] == worked[:-1]
    assert Letter.objects.count() == 4
    assert len(mailed(MOMENT)) == 1
    assert deeds(as_owner).count("key.reset_asked") == 4


@pytest.mark.parametrize("email", [None, 7, "", "  ", ["ann@example.org"]])
def test_what_is_no_text_is_400(email: Any) -> None:
    answer = ask(email)
    assert answer.status_code == 400
    assert "email" in answer.json()["message"]


def test_an_address_that_was_never_proven_gets_no_mail() -> None:
    key = requested()
    post("/v1/account/register", {"details": DETAILS}, key=key)
    Letter.objects.all().delete()
    ask("ann@example.org")
    assert mailed(datetime.now(UTC) + timedelta(minutes=1)) == []


def test_who_is_no_owner_gets_no_mail(tenant: tuple[UUID, str]) -> None:
    moment = datetime.now(UTC) + timedelta(minutes=1)
    registered(tenant[1], moment)
    ask("ann@example.org")
    assert mailed(moment) == []


@pytest.mark.usefixtures("owned")
def test_a_suspended_accounts_owner_gets_no_mail_and_no_key() -> None:
    ask("ann@example.org")
    (link,) = mailed(MOMENT)
    row = Tenant.objects.get()
    suspend_tenant(tenant=row.id, actor=SHELL, reason="test", now=MOMENT)
    ask("ann@example.org")
    assert mailed(MOMENT) == []
    assert post(link, b"").status_code == 400
    assert KeyIndex.objects.count() == 1


@pytest.mark.usefixtures("owned")
def test_who_owns_several_accounts_gets_a_link_of_each() -> None:
    registered(create_provisional(now=MOMENT).api_key, MOMENT)
    ask("ann@example.org")
    links = mailed(MOMENT)
    assert len(set(links)) == 2
    keys = {new_key(post(link, b"", **BROWSER)) for link in links}
    assert len({caller(basic(key), scope=Scope.INGEST, now=MOMENT).tenant for key in keys}) == 2


@pytest.mark.usefixtures("owned")
def test_nobody_can_flood_a_mailbox_nor_learn_that_they_do() -> None:
    answers = [ask("ann@example.org", address=f"192.0.{n}.1") for n in range(5)]
    assert {(each.status_code, each.content) for each in answers} == {(200, b"{}")}
    assert len(mailed(MOMENT)) == 3


def test_a_network_may_ask_so_often() -> None:
    answers = [ask(f"p{n}@example.org") for n in range(11)]
    assert [each.status_code for each in answers] == [200] * 10 + [429]


@pytest.mark.usefixtures("owned")
def test_a_mailbox_opens_no_more_networks_than_the_keys_did() -> None:
    KeyIndex.objects.update(networks=["192.0.2.0/24"])
    ask("ann@example.org")
    (link,) = mailed(MOMENT)
    new_key(post(link, b"", **BROWSER))
    assert KeyIndex.objects.get(label="reset").networks == ["192.0.2.0/24"]
    row = Tenant.objects.get()
    create_key(
        tenant=row, label="open", scopes=(Scope.ALERTS,), actor=SHELL, reason="t", now=MOMENT
    )
    ask("ann@example.org")
    (link,) = mailed(MOMENT)
    new_key(post(link, b"", **BROWSER))
    bound = KeyIndex.objects.filter(label="reset").values_list("networks", flat=True)
    assert sorted(bound) == [[], ["192.0.2.0/24"]]
