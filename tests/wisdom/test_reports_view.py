"""The engines' door, through HTTP as Django sees it."""

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import Client

from audit.actors import system
from destinations.report import Destination, decode_response, encode_request
from feeds.actions import add_feed, refresh_feed, set_feed
from feeds.models import Feed
from tenants import apikeys, keys
from wisdom import views
from wisdom.actions import create_engine, revoke_engine
from wisdom.models import Engine
from wisdom.publishing import REBUILT_AFTER, publish, publish_if_due
from wisdom.tasks import publish as publish_task

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"]),
    pytest.mark.urls("wisdom.urls"),
]

ACTOR = system("test")
PATH = "/v1/wisdom/reports"
ASKED = [
    Destination.of_name("www.evil.example"),
    Destination.of_name("fine.example"),
    Destination("address", "192.0.2.66", 8443, "tcp"),
]


def moment() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(autouse=True)
def folders(settings: Any, tmp_path: Path) -> Path:
    settings.FEEDS_DIR = str(tmp_path / "feeds")
    settings.SNAPSHOT_DIR = str(tmp_path / "snapshots")
    (tmp_path / "feeds").mkdir()
    return tmp_path


@pytest.fixture
def key() -> str:
    return create_engine(name="engine one", actor=ACTOR, reason="test", now=moment())[1]


def local(folder: Path, text: str) -> Feed:
    (folder / "feeds" / "mine.txt").write_text(text)
    return add_feed(
        name="mine",
        source_name="plain_list",
        path="mine.txt",
        actor=ACTOR,
        reason="test",
        now=moment(),
    )


def ask(key: str, body: bytes | None = None, **headers: str) -> Any:
    basic = base64.b64encode(f"{key}:".encode()).decode()
    given: dict[str, Any] = {"HTTP_AUTHORIZATION": f"Basic {basic}"} | headers
    return Client().post(
        PATH,
        encode_request(ASKED) if body is None else body,
        content_type="application/json",
        **given,
    )


def rows(statement: str) -> list[tuple[Any, ...]]:
    with connections["wisdom"].cursor() as cursor:
        cursor.execute("SELECT set_config('app.audit', 'reader', false)")
        cursor.execute(statement)
        found = list(cursor.fetchall())
        cursor.execute("SELECT set_config('app.audit', '', false)")
    return found


def test_an_engine_asks_and_gets_reports_in_order(key: str, folders: Path) -> None:
    feed = local(folders, "evil.example\n192.0.2.66:8443\n")
    refresh_feed(feed=feed, actor=ACTOR, reason="test", now=moment())
    manifest = publish(now=moment())
    answer = ask(key)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    found = decode_response(answer.content).reports
    assert [one.destination for one in found] == ASKED
    assert [one.flags for one in found] == [("blocklist",), (), ("blocklist",)]
    assert [one.verdict for one in found] == ["suspicious", "unlisted", "suspicious"]
    assert {one.snapshot for one in found} == {manifest.version}
    assert found[0].reasons[0].source == "mine"


def test_bearer_works_too(key: str) -> None:
    assert ask(key, HTTP_AUTHORIZATION=f"Bearer {key}").status_code == 200


def test_without_a_snapshot_reports_are_empty_and_name_none(key: str) -> None:
    found = decode_response(ask(key).content).reports
    assert {(one.snapshot, one.flags) for one in found} == {("", ())}


def test_asking_is_tallied_by_engine_and_leaves_no_destination_anywhere(key: str) -> None:
    ask(key)
    ask(key)
    engine = Engine.objects.get()
    tallied = rows("SELECT event, actor_kind, actor_id, calls, items FROM audit_tally")
    assert sum(calls for *_, calls, _items in tallied) == 2
    assert sum(items for *_, items in tallied) == 6
    assert {row[:3] for row in tallied} == {("wisdom.asked", "engine", str(engine.id))}
    everything = str(rows("SELECT audit_stage::text FROM audit_stage"))
    assert "evil.example" not in everything + str(tallied)
    assert "192.0.2.66" not in everything + str(tallied)


@pytest.mark.parametrize(
    "authorization", ["", "Basic", "Basic !!", "Bearer twe_x_y", "Digest x", "Basic dHdlX3g6"]
)
def test_no_key_and_an_unknown_key_get_401(key: str, authorization: str) -> None:
    answer = ask(key, HTTP_AUTHORIZATION=authorization)
    assert answer.status_code == 401
    assert msgspec.json.decode(answer.content)["message"]
    denied = rows("SELECT event, outcome FROM audit_stage WHERE event = 'auth.denied'")
    assert denied == [("auth.denied", "denied")]


def test_a_key_with_one_letter_changed_is_unknown(key: str) -> None:
    assert ask(key[:-1] + ("a" if key[-1] != "a" else "b")).status_code == 401
    other = create_engine(name="other", actor=ACTOR, reason="test", now=moment())[1]
    mixed = "_".join([*key.split("_")[:2], other.split("_")[2]])
    assert ask(mixed).status_code == 401


def test_a_tenants_key_is_no_engines() -> None:
    tenants_key = apikeys.mint(apikeys.TENANT_PREFIX, pepper=keys.primary_pepper()[1]).text
    assert ask(tenants_key).status_code == 401


def test_a_revoked_key_gets_403_at_once(key: str) -> None:
    engine = Engine.objects.get()
    assert ask(key).status_code == 200
    for _ in range(2):
        revoke_engine(engine=engine, actor=ACTOR, reason="test", now=moment())
    assert ask(key).status_code == 403
    assert len(rows("SELECT 1 FROM audit_stage WHERE event = 'engine.revoked'")) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"destinations":[{"kind":"name","value":"a.example","srcIP":"10.0.0.1"}]}',
        b'{"destinations":[{"kind":"name","value":"A.example"}]}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_a_body_that_is_no_request_gets_400_with_a_message(key: str, body: bytes) -> None:
    answer = ask(key, body)
    assert answer.status_code == 400
    assert "10000" in msgspec.json.decode(answer.content)["message"]


def test_limits_are_named(key: str) -> None:
    many = encode_request([Destination.of_name("a.example")] * 10_001)
    answer = ask(key, many)
    assert (answer.status_code, b"10000" in answer.content) == (400, True)
    answer = ask(key, b" " * (views.MAX_BODY + 1))
    assert (answer.status_code, str(views.MAX_BODY).encode() in answer.content) == (413, True)


def test_only_post_is_answered(key: str) -> None:
    answer = Client().get(PATH, HTTP_AUTHORIZATION=f"Bearer {key}")
    assert (answer.status_code, answer["Allow"]) == (405, "POST")


def test_a_key_is_kept_as_a_keyed_hash_only(key: str) -> None:
    engine = Engine.objects.get()
    assert key not in str(rows("SELECT engine::text FROM engine"))
    assert len(bytes(engine.mac)) == 32
    assert engine.key_id in key


def test_asking_costs_two_statements_beside_the_transaction(
    key: str, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(4, connection=connections["wisdom"]):
        ask(key)


# -- publishing


def test_publishing_is_due_when_something_else_serves_or_time_has_passed(folders: Path) -> None:
    now = moment()
    first = publish_if_due(now=now)
    assert first is not None
    assert publish_if_due(now=now) is None
    feed = local(folders, "evil.example\n")
    assert publish_if_due(now=now) is None
    refresh_feed(feed=feed, actor=ACTOR, reason="test", now=now)
    second = publish_if_due(now=now + timedelta(seconds=1))
    assert second is not None
    assert second.counts == {"domain": 1}
    assert publish_if_due(now=now + timedelta(minutes=1)) is None
    assert publish_if_due(now=now + REBUILT_AFTER + timedelta(minutes=1)) is not None
    set_feed(feed=feed, enabled=False, actor=ACTOR, reason="test", now=now)
    assert publish_task(later="field") != ""
    assert publish_task() == ""


# -- commands


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    call_command(*arguments, "--json")
    return msgspec.json.decode(capsys.readouterr().out.splitlines()[-1])


def test_the_engine_command_makes_lists_and_revokes(capsys: pytest.CaptureFixture[str]) -> None:
    made = run(capsys, "engine", "create", "site one")
    assert set(made) == {"engine", "wisdom_key"}
    assert ask(made["wisdom_key"]).status_code == 200
    (listed,) = run(capsys, "engine", "list")
    assert (listed["engine"], listed["name"], listed["revoked"]) == (
        made["engine"],
        "site one",
        False,
    )
    run(capsys, "engine", "revoke", "site one")
    assert ask(made["wisdom_key"]).status_code == 403
    call_command("engine", "list")
    assert made["wisdom_key"] not in capsys.readouterr().out


def test_the_feeds_command_goes_from_a_file_to_an_answer(
    capsys: pytest.CaptureFixture[str], key: str, folders: Path
) -> None:
    (folders / "feeds" / "mine.txt").write_text("evil.example\n10.0.0.1\n")
    added = run(
        capsys, "feeds", "add", "mine", "--source", "plain_list", "--path", "mine.txt",
        "--flag", "c2", "--family", "Test",
    )  # fmt: skip
    assert (added["name"], added["state"]) == ("mine", "new")
    done = run(capsys, "feeds", "refresh", "mine")
    assert (done["feeds"][0]["rows"], done["feeds"][0]["rejected"]) == (1, 1)
    assert done["failed"] == []
    (one, *_) = decode_response(ask(key).content).reports
    assert one.labels == ("c2:Test",)
    changed = run(capsys, "feeds", "set", "mine", "--flag", "dropper", "--every", "30m")
    assert changed["every_seconds"] == 1_800
    (listed,) = run(capsys, "feeds", "list")
    assert (listed["rows"], listed["rejected"]) == (1, {"private": 1})


def test_the_feeds_command_opens_a_network_for_one_feed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    place = ("--source", "plain_list", "--url", "http://127.0.0.1:9/list.txt")
    run(capsys, "feeds", "add", "near", *place, "--allow-private", "127.0.0.0/8")
    assert Feed.objects.get(name="near").options["allow"] == [
        {"scheme": "http", "port": 9, "cidr": "127.0.0.0/8"}
    ]
    with pytest.raises(SystemExit):
        call_command("feeds", "refresh", "near")
    assert "connect_failed" in capsys.readouterr().out
    for wrong in (
        ("set", "near", "--allow-private", "127.0.0.1/8"),
        ("set", "near", "--every", "1m"),
        ("set", "near", "--accept-held"),
        ("set", "nobody", "--disable"),
        ("add", "near", *place),
    ):
        with pytest.raises(CommandError):
            call_command("feeds", *wrong)


def test_the_feeds_command_exits_1_when_a_feed_failed(capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "feeds", "add", "bad", "--source", "urlhaus", "--url", "http://192.0.2.1/x")
    with pytest.raises(SystemExit) as ended:
        call_command("feeds", "refresh")
    assert ended.value.code == 1
    assert "url_refused" in capsys.readouterr().out
    run(capsys, "feeds", "set", "bad", "--disable")
    call_command("feeds", "refresh")
    assert "0 feeds failed" in capsys.readouterr().out
