"""Registering: a person is named, mailed, and proves the address by pressing a button."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.core import mail
from django.test import Client

from audit.actors import Actor
from tenants import members
from tenants.actions import create_key, invite
from tenants.apikeys import Scope
from tenants.links import Role
from tenants.models import Letter, Link, Member, MemberRole, Tenant
from tenants.scope import tenant_scope
from tests.canaries import encodings
from tests.tenants.doors import DETAILS, deeds, get, mailed, post, registered, requested, status

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])
SHELL = Actor(kind="shell", id="test")
BROWSER = {"HTTP_ACCEPT": "text/html,application/xhtml+xml"}


@pytest.fixture(autouse=True)
def _open(settings: Any) -> None:
    settings.SIGNUP_OPEN = True
    settings.PUBLIC_URL = "https://tawny.example"


@pytest.fixture
def moment() -> datetime:
    """When mails are sent: after whatever the test asks for."""
    return datetime.now(UTC) + timedelta(minutes=1)


def member(tenant: UUID) -> Member:
    with tenant_scope(tenant):
        return Member.objects.get()


def test_the_mailed_button_registers_the_account(
    moment: datetime, as_owner: Callable[..., Any]
) -> None:
    key = requested()
    assert post("/v1/account/register", {"details": DETAILS}, key=key).json() == {}
    assert status(key)["messages"][0]["body"].startswith("Open the link")
    (link,) = mailed(moment)
    assert mail.outbox[0].to == ["ann@example.org"]
    assert key not in mail.outbox[0].body
    assert "https://tawny.example/v1/account/verify?token=" in mail.outbox[0].body
    page = get(link, **BROWSER)
    assert page.status_code == 200
    assert b'<form method="post"><button' in page.content
    assert not status(key)["registered"]
    assert post(link, b"").status_code == 200
    body = status(key)
    assert (body["registered"], body["messages"]) == (True, [])
    assert deeds(as_owner)[-2:] == ["member.registered", "member.verified"]


def test_a_scanner_that_follows_links_changes_nothing(moment: datetime) -> None:
    key = requested()
    post("/v1/account/register", {"details": DETAILS}, key=key)
    (link,) = mailed(moment)
    for _ in range(3):
        assert get(link).status_code == 200
        assert Client().head(link).status_code == 200
    assert not status(key)["registered"]
    assert post(link, b"").status_code == 200


def test_a_link_works_once_for_seven_days_and_by_its_path_too() -> None:
    with time_machine.travel(datetime(2026, 11, 24, tzinfo=UTC), tick=False) as clock:
        key = requested()
        post("/v1/account/register", {"details": DETAILS}, key=key)
        (link,) = mailed(datetime.now(UTC))
        path = "/v1/account/verify/" + link.partition("token=")[2]
        clock.shift(timedelta(days=7))
        assert get(path).status_code == post(path, b"").status_code == 400
        clock.shift(timedelta(seconds=-1))
        assert get(path).status_code == post(path, b"").status_code == 200
        for again in (get(path), post(path, b""), get(link), post(link, b"")):
            assert again.status_code == 400
            assert "link does not work" in again.json()["message"]


def test_a_form_on_another_site_needs_the_token_and_nothing_else_guards_it(
    moment: datetime,
) -> None:
    key = requested()
    post("/v1/account/register", {"details": DETAILS}, key=key)
    (link,) = mailed(moment)
    strict = Client(enforce_csrf_checks=True)
    assert strict.post("/v1/account/verify").status_code == 400
    assert strict.post("/v1/account/verify?token=" + "A" * 43).status_code == 400
    assert strict.post(link).status_code == 200


def test_a_page_loads_nothing_and_is_kept_nowhere(moment: datetime) -> None:
    key = requested()
    post("/v1/account/register", {"details": DETAILS}, key=key)
    (link,) = mailed(moment)
    for answer in (get(link, **BROWSER), get("/v1/account/verify?token=x", **BROWSER)):
        assert answer["Cache-Control"] == "no-store"
        assert answer["Referrer-Policy"] == "no-referrer"
        assert answer["Content-Security-Policy"].startswith("default-src 'none'")
        assert b"<script" not in answer.content
        assert answer["Content-Type"].startswith("text/html")
    refused = Client().put(link)
    assert (refused.status_code, refused["Allow"]) == (405, "GET, HEAD, POST")


@pytest.mark.parametrize(
    "details",
    [
        None, [], "x", {}, {"name": "Ann"}, {"email": "a@example.org"},
        DETAILS | {"name": ""}, DETAILS | {"name": 7}, DETAILS | {"email": None},
        DETAILS | {"email": "not an address"}, DETAILS | {"email": "a@b"},
        DETAILS | {"email": "a@example.org\nBcc: b@example.org"},
        DETAILS | {"name": "x" * 201}, DETAILS | {"phone": 1}, DETAILS | {"organization": {}},
        DETAILS | {"address": [1]}, DETAILS | {"address": ["x"] * 11},
    ],
)  # fmt: skip
def test_details_that_cannot_be_meant_are_400_and_quoted_nowhere(
    details: Any, tenant: tuple[UUID, str]
) -> None:
    answer = post("/v1/account/register", {"details": details}, key=tenant[1])
    assert answer.status_code == 400
    assert "details" in answer.json()["message"]
    assert "not an address" not in answer.json()["message"]
    assert Letter.objects.count() == 0


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"organization": "Example", "phone": "+44 20 7946 0000", "unknown": {"a": 1}},
        {"organization": "", "phone": None, "address": ["1 High Street", "London"]},
        {"address": "1 High Street"},
    ],
)
def test_details_are_taken_as_existing_clients_send_them(
    more: dict[str, Any], tenant: tuple[UUID, str]
) -> None:
    answer = post("/v1/account/register", {"details": DETAILS | more}, key=tenant[1])
    assert (answer.status_code, answer.json()) == (200, {})
    kept = members.unseal(member(tenant[0]))
    assert (kept.name, kept.email) == ("Ann Example", "ann@example.org")
    assert "Ann" not in repr(kept)


def test_registering_takes_a_key(tenant: tuple[UUID, str]) -> None:
    assert post("/v1/account/register", {"details": DETAILS}).status_code == 401
    assert post("/v1/account/register", b"[").status_code == 401
    owner = Tenant.objects.get(id=tenant[0])
    reader = create_key(
        tenant=owner, label="", scopes=(Scope.ALERTS,), actor=SHELL, reason="t",
        now=datetime.now(UTC),
    )  # fmt: skip
    assert post("/v1/account/register", {"details": DETAILS}, key=reader).status_code == 403


def test_naming_somebody_again_mails_again_until_they_verified(moment: datetime) -> None:
    key = requested()
    first = registered(key, moment)
    assert Link.objects.count() == 0
    post("/v1/account/register", {"details": DETAILS | {"name": "Other"}}, key=key)
    assert mailed(moment) == []
    with tenant_scope(Tenant.objects.get().id):
        (row,) = Member.objects.all()
    assert members.unseal(row).name == "Ann Example"
    other = DETAILS | {"email": "bob@example.org"}
    post("/v1/account/register", {"details": other}, key=key)
    post("/v1/account/register", {"details": other | {"email": " BOB@Example.ORG"}}, key=key)
    links = mailed(moment)
    assert len(set(links)) == 2
    assert [post(link, b"").status_code for link in links] == [200, 200]
    assert first not in links


def test_the_first_to_verify_owns_a_provisional_account_and_the_next_does_not(
    moment: datetime,
) -> None:
    key = requested()
    registered(key, moment)
    registered(key, moment, email="bob@example.org")
    with tenant_scope(Tenant.objects.get().id):
        roles = Member.objects.order_by("verified_at").values_list("role", flat=True)
        assert list(roles) == [MemberRole.OWNER, MemberRole.MEMBER]


def test_a_key_makes_nobody_owner_of_an_account_that_an_operator_made(
    tenant: tuple[UUID, str], moment: datetime
) -> None:
    registered(tenant[1], moment)
    assert member(tenant[0]).role == MemberRole.MEMBER


def test_an_operator_invites_an_owner(tenant: tuple[UUID, str], moment: datetime) -> None:
    invite(
        tenant=tenant[0], details=members.details(DETAILS), role=Role.OWNER, actor=SHELL,
        reason="asked by post", now=moment,
    )  # fmt: skip
    (link,) = mailed(moment)
    post(link, b"")
    assert member(tenant[0]).role == MemberRole.OWNER


def test_one_account_mails_so_often_and_no_more(tenant: tuple[UUID, str]) -> None:
    sent = [
        post(
            "/v1/account/register",
            {"details": DETAILS | {"email": f"p{n}@example.org"}},
            key=tenant[1],
        )
        for n in range(6)
    ]
    assert [answer.status_code for answer in sent] == [200] * 5 + [429]
    assert sent[-1]["Retry-After"]


def test_no_name_address_or_token_lies_in_clear_or_in_a_log(
    moment: datetime, as_owner: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    key = requested()
    secret = {"name": "Zebulon Quux", "email": "zq7@example.net", "phone": "+44 20 7946 0123"}
    post("/v1/account/register", {"details": secret}, key=key, address="198.51.100.23")
    waiting = _rows(as_owner)
    (link,) = mailed(moment)
    token = link.partition("token=")[2]
    linked = _rows(as_owner)
    post(link, b"")
    for bad in (post(link, b""), get("/v1/account/verify/" + token), Client().put(link)):
        assert bad.status_code >= 400
    everything = waiting + linked + _rows(as_owner) + caplog.text
    for canary in (*secret.values(), token, key, "198.51.100.23"):
        for form in encodings(canary):
            assert form.decode("latin-1") not in everything, canary


def _rows(as_owner: Callable[..., Any]) -> str:
    with as_owner() as session:
        return "".join(
            str(row)
            for table in ("tenant", "key_index", "member", "letter", "mail_link", "attempt_window",
                          "audit_stage")
            for row in session.execute(f"SELECT {table}::text FROM {table}").fetchall()  # noqa: S608 -- our names
        )  # fmt: skip


def test_a_registration_that_comes_again_under_its_key_mails_once(moment: datetime) -> None:
    key = requested()
    named = {"HTTP_IDEMPOTENCY_KEY": '"once"'}
    for _ in range(2):
        answer = post("/v1/account/register", {"details": DETAILS}, key=key, **named)
        assert (answer.status_code, answer.json()) == (200, {})
    assert len(mailed(moment)) == 1
    other = {"details": DETAILS | {"name": "Another"}}
    assert post("/v1/account/register", other, key=key, **named).status_code == 422
