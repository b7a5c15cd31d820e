"""``/v1/groups/raw``: groups as an existing client posts them, and what they do to alerts."""

import gzip
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from analytics.actions import groups
from analytics.actions.alerts import open_alert
from analytics.actions.groups import in_scope, scoping_of
from analytics.models import AlertState, MonitoringGroups
from audit.actors import Actor
from tenants.actions import create_key
from tenants.apikeys import Scope
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.analytics.engine import BAD, Engine, reporting
from tests.analytics.views.asking import basic, get, stated

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])
SHELL = Actor(kind="shell", id="test")


def entry(value: str, desc: str = "") -> dict[str, str]:
    return {"value": value, "desc": desc}


POSTED = {
    "version": "1",
    "groups": [
        {
            "label": "Default",
            "inclusions": [entry("10.0.0.0/8", "RFC 1918"), entry("fc00::/7")],
            "exclusions": [entry("10.0.9.0/24", "guests")],
            "trusted": {
                "domains": {"entries": [entry("*.Internal"), entry("*.lan")], "anomaly": False},
                "cidrs": {"entries": [entry("255.255.255.255/32"), entry("::/128")],
                          "anomaly": True},
            },
        }
    ],
}  # fmt: skip


@pytest.fixture
def key(tenant: tuple[UUID, str]) -> str:
    return tenant[1]


def post(key: str, body: Any, **extra: Any) -> Any:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Client(raise_request_exception=False).post(
        "/v1/groups/raw",
        data=sent,
        content_type="application/json",
        HTTP_AUTHORIZATION=basic(key),
        **extra,
    )


def kept(key: str) -> Any:
    response = get(key, "/v1/groups/raw")
    assert response.status_code == 200
    return json.loads(response.content)


def test_what_was_posted_is_read_back_in_one_spelling(key: str) -> None:
    response = post(key, POSTED)
    assert (response.status_code, json.loads(response.content)) == (
        200,
        {"groups": 1, "entries": 7},
    )
    (group,) = kept(key)["groups"]
    assert group["label"] == "Default"
    assert group["inclusions"] == [entry("10.0.0.0/8", "RFC 1918"), entry("fc00::/7")]
    assert group["exclusions"] == [entry("10.0.9.0/24", "guests")]
    assert group["trusted"]["domains"]["entries"] == [entry("*.internal"), entry("*.lan")]
    assert group["trusted"]["cidrs"]["anomaly"] is True
    assert post(key, kept(key)).status_code == 200


def test_the_client_sends_it_with_gzip(key: str) -> None:
    body = gzip.compress(json.dumps(POSTED).encode())
    assert post(key, body, HTTP_CONTENT_ENCODING="gzip").status_code == 200
    assert kept(key)["groups"]


@pytest.mark.parametrize(
    "group",
    [
        {},
        {"label": "l", "inclusions": None, "exclusions": None, "trusted": None},
        {"label": "l", "inclusions": [{"value": "10.0.0.1", "desc": None}], "later": 1},
        {"label": "l", "inclusions": ["10.0.0.1"], "trusted": {"domains": None}},
        {"label": "l", "trusted": {"domains": {"entries": None, "anomaly": None}, "cidrs": {}}},
    ],
)
def test_what_a_client_leaves_empty_is_empty(key: str, group: dict[str, Any]) -> None:
    assert post(key, {"groups": [group]}).status_code == 200
    (read,) = kept(key)["groups"]
    assert len(read["inclusions"]) == len(group.get("inclusions") or [])
    assert read["trusted"]["domains"] == {"entries": [], "anomaly": False}


def test_groups_are_replaced_whole_and_an_empty_list_takes_them_away(key: str) -> None:
    post(key, POSTED)
    post(key, {"version": "1", "groups": [{"label": "Other"}]})
    assert [group["label"] for group in kept(key)["groups"]] == ["Other"]
    post(key, {"version": "1", "groups": []})
    assert kept(key) == {"version": "1", "groups": []}


def test_without_groups_there_are_none(key: str) -> None:
    assert kept(key) == {"version": "1", "groups": []}


def bad(**members: Any) -> dict[str, Any]:
    return {"version": "1", "groups": [{"label": "l", **members}]}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "could not be read"),
        (b"[]", "could not be read"),
        (b"\xff{", "could not be read"),
        (b"[" * 100_000, "could not be read"),
        ({"version": "2", "groups": []}, 'version has to be "1"'),
        (bad(inclusions=[entry("10.0.0.0/33")]), "groups[0].inclusions[0].value is no network"),
        (bad(exclusions=[{"desc": "x"}]), "value"),
        (bad(inclusions="10.0.0.0/8"), "could not be read"),
        (bad(trusted={"domains": {"entries": [entry("ok.example"), entry("a b")]}}),
         "groups[0].trusted.domains.entries[1].value is no domain"),
        (bad(trusted={"cidrs": {"entries": [entry("host.example")]}}),
         "neither a network nor an address"),
        (bad(inclusions=[entry("10.0.0.1", "d" * 2000)]), "1024 characters"),
        ({"groups": [{"label": "l" * 300}]}, "256 characters"),
        ({"groups": [{}] * 1001}, "the limit is 1000"),
        ({"groups": [{"inclusions": ["10.0.0.1"] * 5001, "exclusions": ["a"] * 5000}]},
         "the limit is 10000"),
        ({"groups": [{"label": "l"}], "padding": "x" * 2**20}, "1048576 bytes (1 MiB)"),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_is_400_says_why_and_changes_nothing(
    key: str, body: Any, said: str
) -> None:
    post(key, POSTED)
    response = post(key, body)
    assert response.status_code == 400
    assert said in stated(response)["message"]
    assert [group["label"] for group in kept(key)["groups"]] == ["Default"]


def test_a_body_that_inflates_past_the_limit_is_refused(key: str) -> None:
    body = gzip.compress(b" " * (groups.MAX_BODY + 1))
    response = post(key, body, HTTP_CONTENT_ENCODING="gzip")
    assert response.status_code == 400
    assert "1 MiB" in stated(response)["message"]


def test_a_broken_encoding_is_400(key: str) -> None:
    broken = gzip.compress(json.dumps(POSTED).encode())[:-9]
    assert post(key, broken, HTTP_CONTENT_ENCODING="gzip").status_code == 400
    assert post(key, b"{}", HTTP_CONTENT_ENCODING="lzma").status_code == 400


def key_with(tenant: UUID, now: datetime, *scopes: Scope) -> str:
    return create_key(
        tenant=Tenant.objects.get(id=tenant), label="some", scopes=scopes, actor=SHELL,
        reason="test", now=now,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("scopes", "writes", "reads"),
    [
        ((Scope.CONFIGURE,), 200, 200),
        ((Scope.INGEST, Scope.ALERTS), 200, 200),
        ((Scope.INGEST,), 403, 403),
        ((Scope.ALERTS,), 403, 200),
        ((Scope.ACCOUNT,), 403, 403),
    ],
)
def test_a_key_that_sends_and_reads_may_configure_and_a_sensors_may_not(
    tenant: tuple[UUID, str], now: datetime, scopes: tuple[Scope, ...], writes: int, reads: int
) -> None:
    key = key_with(tenant[0], now, *scopes)
    assert post(key, POSTED).status_code == writes
    assert get(key, "/v1/groups/raw").status_code == reads


def test_nobody_configures_without_a_key(key: str) -> None:
    assert stated(post("nobody", POSTED))["status"] == 401
    assert post(key, {"groups": []}).status_code == 200


def test_another_method_is_405(key: str) -> None:
    response = Client(headers={"Authorization": basic(key)}).put("/v1/groups/raw")
    assert stated(response)["status"] == 405
    assert response["Allow"] == "GET, HEAD, POST"


def test_a_change_is_audited_with_counts_and_not_with_values(
    tenant: tuple[UUID, str], as_owner: Callable[..., Any]
) -> None:
    post(tenant[1], POSTED)
    post(tenant[1], {"version": "2"})
    with as_owner() as session:
        rows = session.execute(
            "SELECT tenant, actor_kind, detail::text, audit_stage::text FROM audit_stage"
            " WHERE event = 'groups.changed'"
        ).fetchall()
    assert len(rows) == 1
    assert rows[0][:2] == (tenant[0], "key")
    assert json.loads(rows[0][2]) == {"groups": 1, "entries": 7}
    assert "10.0.9.0" not in rows[0][3]


def test_what_is_kept_is_sealed(tenant: tuple[UUID, str], as_owner: Callable[..., Any]) -> None:
    post(tenant[1], POSTED)
    with as_owner() as session:
        (row,) = session.execute("SELECT sealed FROM monitoring_groups").fetchall()
    assert b"10.0" not in row[0]
    assert b"Default" not in row[0]


def test_a_post_costs_the_same_queries_however_many_groups(key: str) -> None:
    counted = []
    for count in (1, 50):
        body = {"groups": [{"label": f"g{n}", "inclusions": ["10.0.0.1"]} for n in range(count)]}
        post(key, body)
        with CaptureQueriesContext(connection) as queries:
            post(key, body)
        counted.append(len(queries))
    assert counted[0] == counted[1]


def test_alerts_of_sources_out_of_scope_and_about_trusted_destinations_are_left_out(
    engine: Engine, key: str
) -> None:
    engine.wisdom = reporting("c2")
    engine.send([engine.event(n, srcIP=f"10.0.{n}.1", destIP=BAD) for n in range(3)])
    engine.evaluate()
    contents = [open_alert(row) for row in engine.alerts()]

    def left(*groups: dict[str, Any]) -> set[str]:
        assert post(key, {"version": "1", "groups": list(groups)}).status_code == 200
        with tenant_scope(engine.tenant):
            return {each.source for each in in_scope(contents, scoping_of(engine.tenant))}

    assert left() == {"10.0.0.1", "10.0.1.1", "10.0.2.1"}
    assert left({"inclusions": ["10.0.0.0/16"], "exclusions": ["10.0.1.0/24"]}) == {
        "10.0.0.1", "10.0.2.1",
    }  # fmt: skip
    trusted = {"cidrs": {"entries": [BAD]}}
    assert left({"inclusions": ["10.0.0.0/16"], "trusted": trusted}) == set()
    assert left(
        {"inclusions": ["10.0.0.0/16"], "trusted": trusted}, {"inclusions": ["10.0.2.1"]}
    ) == {"10.0.2.1"}


def test_groups_decide_from_the_next_evaluation_on(engine: Engine, key: str) -> None:
    engine.wisdom = reporting("c2")
    post(key, {"groups": [{"label": "in", "inclusions": ["10.0.1.0/24", "laptop.example"]}]})
    engine.send(
        [
            engine.event(1, srcIP="10.0.0.1", destIP=BAD),
            engine.event(2, srcIP="10.0.1.1", destIP=BAD),
            engine.event(3, srcIP="10.0.2.1", destIP=BAD, srcHost="LAPTOP.example"),
        ]
    )
    engine.evaluate()
    assert standing(engine) == {"10.0.1.1", "10.0.2.1"}
    post(key, {"groups": [{"label": "out", "inclusions": ["10.0.0.0/24", "10.0.1.1"]}]})
    engine.evaluate_again()
    assert standing(engine) == {"10.0.0.1", "10.0.1.1"}
    post(key, {"groups": []})
    engine.evaluate_again()
    assert standing(engine) == {"10.0.0.1", "10.0.1.1", "10.0.2.1"}


def standing(engine: Engine) -> set[str]:
    return {open_alert(row).source for row in engine.alerts() if row.state == AlertState.OPEN}


def test_the_groups_row_is_the_tenants_only_one(tenant: tuple[UUID, str]) -> None:
    post(tenant[1], POSTED)
    post(tenant[1], POSTED)
    with tenant_scope(tenant[0]):
        assert MonitoringGroups.objects.count() == 1
