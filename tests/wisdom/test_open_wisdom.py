"""Open Wisdom, as the traffic generator that uses it asks and decodes."""

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.test import Client

from feeds.serving import Serving
from tenants.attempts import Window
from tests.wisdom.served import NOW, serving
from wisdom import open_views, publishing
from wisdom.index import Form, Snapshot, build
from wisdom.index.openly import FAMILY_SAMPLE, SAMPLE
from wisdom.open_views import LIMIT, USUAL

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "keys"]),
    pytest.mark.urls("wisdom.urls"),
]


@pytest.fixture(autouse=True)
def opened(settings: Any, tmp_path: Path) -> Iterable[None]:
    settings.OPEN_WISDOM = True
    settings.SNAPSHOT_DIR = str(tmp_path)
    with time_machine.travel(NOW, tick=False):
        yield
    publishing._reader.cache_clear()


def publish(settings: Any, *served: Serving) -> None:
    build(Path(settings.SNAPSHOT_DIR), served, stamp=("one",), now=NOW)


def ask(path: str, **query: str) -> Any:
    return Client().get(path, query)


def items(**query: str) -> list[dict[str, Any]]:
    answer = ask("/v2/items", **query)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    found: list[dict[str, Any]] = json.loads(answer.content)["items"]
    return found


def stated(answer: Any) -> str:
    message: str = json.loads(answer.content)["message"]
    assert message
    return message


def many(count: int) -> str:
    return " ".join(f"host{number}.example" for number in range(count))


def test_names_are_given_as_the_generator_asks_for_them(settings: Any) -> None:
    publish(settings, serving("one", "evil.example a.bad.example 192.0.2.1:443", family="TrickBot"))
    found = items(category="c2", type="dns", limit="1000")
    assert {each["domain"] for each in found} == {"evil.example", "a.bad.example"}
    assert {each["port"] for each in found} == {0}


def test_addresses_are_given_with_the_port_to_connect_to(settings: Any) -> None:
    publish(settings, serving("one", "192.0.2.1:443 [2001:db8::1]:8443 192.0.2.9 evil.example"))
    found = items(category="c2", type="ip", limit="1000")
    assert {(each["ip"], each["port"], each["protocol"]) for each in found} == {
        ("192.0.2.1", 443, "tcp"),
        ("2001:db8::1", 8443, "tcp"),
    }


def test_what_may_not_be_passed_on_is_not(settings: Any) -> None:
    kept = replace(serving("kept", "kept.example", family="Kept"), redistribute=False)
    publish(settings, kept, serving("open", "open.example", family="Open"))
    assert [each["domain"] for each in items(category="c2", type="dns")] == ["open.example"]
    assert items(category="c2", type="dns", family="kept") == []
    answer = ask("/v2/families", category="c2")
    assert json.loads(answer.content) == {"families": ["Open"]}


def test_a_family_is_found_in_any_case_and_named_as_its_list_spells_it(settings: Any) -> None:
    publish(
        settings,
        serving("one", "t.example", family="TrickBot"),
        serving("two", "z.example", family="Zloader"),
        serving("three", "none.example"),
        serving("four", "s.example", flag="sinkholed", family="Other"),
    )
    for spelled in ("trickbot", "TRICKBOT", "TrickBot"):
        found = items(category="c2", type="dns", family=spelled)
        assert [each["domain"] for each in found] == ["t.example"]
    assert items(category="c2", type="dns", family="nobody") == []
    answer = ask("/v2/families", category="c2")
    assert json.loads(answer.content) == {"families": ["TrickBot", "Zloader"]}
    assert answer["Cache-Control"].startswith("public")


def test_an_answer_is_bounded_and_stays_the_same_while_the_snapshot_serves(settings: Any) -> None:
    publish(settings, serving("one", many(SAMPLE * 3), family="Big"))
    found = items(category="c2", type="dns", limit="1000")
    assert len(found) == LIMIT
    assert found == items(category="c2", type="dns", limit="1000")
    assert items(category="c2", type="dns", limit="7") == found[:7]
    assert len(items(category="c2", type="dns")) == USUAL
    assert len(items(category="c2", type="dns", family="big", limit="1000")) == FAMILY_SAMPLE


def test_another_snapshot_draws_another_sample(tmp_path: Path) -> None:
    drawn: list[set[str]] = []
    for stamp in ("one", "two", "one"):
        folder = tmp_path / f"{len(drawn)}"
        manifest = build(folder, [serving("one", many(2_000))], stamp=(stamp,), now=NOW)
        with Snapshot(folder / manifest.version).lookup(now=0) as lookup:
            drawn.append({entry.value for entry in lookup.offered("c2", Form.DNS)})
    assert drawn[0] == drawn[2] != drawn[1]
    assert {len(each) for each in drawn} == {SAMPLE}


def test_an_entry_past_its_time_is_offered_no_more(settings: Any) -> None:
    publish(
        settings,
        serving("brief", "brief.example", until=timedelta(hours=1)),
        serving("long", "long.example brief.example", until=timedelta(hours=3)),
        serving("gone", "gone.example", until=timedelta(hours=1)),
    )
    assert len(items(category="c2", type="dns")) == 3
    with time_machine.travel(NOW + timedelta(hours=2)):
        found = {each["domain"] for each in items(category="c2", type="dns")}
    assert found == {"brief.example", "long.example"}


def test_fewer_items_than_asked_for_at_least_are_an_error_that_says_so(settings: Any) -> None:
    publish(settings, serving("one", "evil.example"))
    answer = ask("/v2/items", category="c2", type="dns", min="2")
    assert (answer.status_code, "Only 1" in stated(answer)) == (404, True)
    assert len(items(category="c2", type="dns", min="1", limit="1")) == 1
    publish(settings, serving("one", many(SAMPLE)))
    publishing._reader.cache_clear()
    assert len(items(category="c2", type="dns", min="1000", limit="1000")) == LIMIT


@pytest.mark.parametrize(
    "query",
    [
        {}, {"category": "nothing", "type": "dns"}, {"category": "c2"},
        {"category": "c2", "type": "url"}, {"category": "c2", "type": "dns", "limit": "0"},
        {"category": "c2", "type": "dns", "limit": "-1"},
        {"category": "c2", "type": "dns", "min": "many"},
    ],
)  # fmt: skip
def test_a_wrong_question_gets_400_with_a_text(settings: Any, query: dict[str, str]) -> None:
    publish(settings, serving("one", "evil.example"))
    answer = ask("/v2/items", **query)
    assert (answer.status_code, "parameter" in stated(answer)) == (400, True)


def test_unknown_parameters_are_ignored(settings: Any) -> None:
    publish(settings, serving("one", "evil.example"))
    assert len(items(category="c2", type="dns", colour="red")) == 1


@pytest.mark.parametrize("path", ["/v2/items", "/v2/families"])
def test_it_is_off_unless_switched_on(settings: Any, path: str) -> None:
    settings.OPEN_WISDOM = False
    answer = ask(path, category="c2", type="dns")
    assert (answer.status_code, "not offered" in stated(answer)) == (404, True)


@pytest.mark.parametrize("path", ["/v2/items", "/v2/families"])
def test_without_a_snapshot_it_says_when_to_come_again(path: str) -> None:
    answer = ask(path, category="c2", type="dns")
    assert (answer.status_code, answer["Retry-After"], bool(stated(answer))) == (503, "60", True)


def test_a_network_that_asks_too_often_is_told_when_to_come_again(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(settings, serving("one", "evil.example"))
    monkeypatch.setattr(open_views, "OF_NETWORK", (Window(attempts=2, seconds=60),))
    question = {"category": "c2", "type": "dns"}
    asked = [Client(REMOTE_ADDR=f"192.0.2.{n}").get("/v2/items", question) for n in range(3)]
    assert [each.status_code for each in asked] == [200, 200, 429]
    assert asked[2]["Retry-After"] == "60"
    assert stated(asked[2])
    elsewhere = Client(REMOTE_ADDR="198.51.100.1").get("/v2/items", question)
    assert elsewhere.status_code == 200


@pytest.mark.parametrize("path", ["/v2/items", "/v2/families"])
def test_only_get_is_answered(path: str) -> None:
    answer = Client().post(path, {})
    assert (answer.status_code, answer["Allow"], bool(stated(answer))) == (405, "GET, HEAD", True)
