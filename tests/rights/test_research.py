"""Research sees what happened and not to whom, and nothing at all of who has not allowed it."""

import gzip
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import Error as DatabaseError

from analytics.actions.exports import segments
from analytics.actions.research import export_research
from analytics.ingest.events import DNS, HTTP, IP, KINDS, LEASE, TLS, Kind
from analytics.series import disguise as disguising, store
from analytics.series.disguise import Disguise, Public, family
from audit import feed
from crypto.random import random_bytes
from destinations import addresses
from tenants import research
from tenants.actions import suspend_tenant
from tenants.errors import NoConsent
from tenants.scope import tenant_scope
from tests.analytics.engine import Engine, noon
from tests.canaries import found_in
from tests.rights.full import SHELL, make_full, sequence
from tests.rights.test_terms import ask

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])
PUBLIC = Public.parse(["example.com", "203.0.113.0/24  # a well-known service"])
CANARIES = {
    name: f"canary-{name.lower()}-zq"
    for name in (
        "srcHost", "srcUser", "srcID", "connID", "sensor", "dataOrigin", "dataScope", "label",
        "query", "answer", "path", "referrer", "agent", "media", "app", "action", "proto", "state",
        "flags", "host", "issuer", "subject", "version", "lease", "qtype", "rcode", "method", "sni",
        "urlhost",
    )
} | {
    "srcIP": "10.137.211.94",
    "inside": "10.137.211.95",
    "dest": "198.51.100.239",
    "srcMac": "02:c4:9a:f1:7e:b3",
    "certHash": "c4" * 20,
    "ja3": "d5" * 16,
    "ja4": "t13d1516h2_8daaf6152771_e5627efa2ab1",
    "ja3s": "e6" * 16,
    "ja4s": "t130200_1301_a56c5b993250",
}  # fmt: skip


def private(engine: Engine) -> dict[Kind, dict[str, Any]]:
    """One event of each kind in which every private field holds a canary."""
    see = CANARIES
    head = {
        "ts": f"{noon(engine.now):%Y-%m-%dT%H:%M:%S}.123456Z", "srcIP": see["srcIP"],
        "srcPort": 51234, "srcHost": see["srcHost"], "srcMac": see["srcMac"],
        "srcUser": see["srcUser"], "srcID": see["srcID"], "connID": see["connID"],
        "sensor": see["sensor"], "dataOrigin": see["dataOrigin"], "dataScope": see["dataScope"],
        "labels": [see["label"]],
    }  # fmt: skip
    fields: dict[Kind, dict[str, Any]] = {
        DNS: {"query": f"{see['query']}.example.com", "qtype": see["qtype"], "rcode": see["rcode"],
              "answers": [see["answer"]], "destIP": see["inside"]},
        IP: {"destIP": see["dest"], "destPort": 443, "proto": see["proto"], "app": see["app"],
             "action": see["action"], "connState": see["state"], "tcpFlags": see["flags"],
             "host": see["host"], "ja3": see["ja3"], "bytesIn": 10, "duration": 2.5},
        HTTP: {"url": f"http://{see['urlhost']}.intern/{see['path']}", "method": see["method"],
               "referrer": see["referrer"], "userAgent": f"Mozilla/5.0 {see['agent']} Firefox/1",
               "contentType": see["media"], "app": see["app"], "action": see["action"],
               "host": see["host"], "version": see["version"], "destIP": see["inside"]},
        TLS: {"sni": f"{see['sni']}.local", "issuer": see["issuer"], "subject": see["subject"],
              "certHash": see["certHash"], "destIP": see["dest"], "version": see["version"],
              **{name: see[name] for name in ("ja3", "ja3s", "ja4", "ja4s")}},
        LEASE: {"type": see["lease"], "duration": 60},
    }  # fmt: skip
    return {kind: {**head, **some} for kind, some in fields.items()}


@pytest.fixture
def engine() -> Engine:
    made = make_full("research.example")
    for kind, event in private(made).items():
        assert made.send([event], kind=kind) == 1
    return made


def allow(engine: Engine, *, allowed: bool = True) -> None:
    research.change(tenant=engine.tenant, allowed=allowed, actor=SHELL, now=engine.now)


def export(engine: Engine, folder: Path, **changed: Any) -> Any:
    return export_research(
        tenant=engine.tenant, folder=folder, actor=SHELL, reason="a study", now=engine.now,
        **{"public": PUBLIC, "progress": lambda *_: None, **changed},
    )  # fmt: skip


def plain(folder: Path) -> Path:
    """Unpack the files beside them, so that they can be searched."""
    out = folder.with_name(folder.name + "-plain")
    out.mkdir()
    for path in folder.iterdir():
        content = path.read_bytes()
        name = path.name.removesuffix(".gz")
        (out / name).write_bytes(gzip.decompress(content) if name != path.name else content)
    return out


def rows(folder: Path, kind: Kind) -> list[dict[str, Any]]:
    content = gzip.decompress((folder / f"{kind.name}.ndjson.gz").read_bytes())
    return [json.loads(line) for line in content.splitlines()]


def hits(engine: Engine, folder: Path) -> dict[str, str]:
    export(engine, folder)
    moments = [noon(engine.now) + timedelta(microseconds=123456)]
    times = [f"{moment:%Y-%m-%d}" for moment in moments] + [
        str(int(moment.timestamp() * scale)) for moment in moments for scale in (1, 10**3, 10**6)
    ]
    ids = [str(engine.tenant), engine.tenant.hex, "research.example"]
    return found_in([plain(folder), folder], [*CANARIES.values(), *times, *ids])


def test_no_private_value_is_in_an_export_in_any_of_eight_encodings(
    engine: Engine, tmp_path: Path
) -> None:
    allow(engine)
    assert hits(engine, tmp_path / "out") == {}
    for kind in KINDS.values():
        assert rows(tmp_path / "out", kind)
        assert all("51234" not in map(str, row.values()) for row in rows(tmp_path / "out", kind))


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("ip", "srcIP"), ("ip", "srcHost"), ("dns", "srcUser"), ("dns", "query"), ("ip", "destIP"),
        ("http", "url"), ("http", "userAgent"), ("tls", "sni"), ("tls", "subject"),
        ("lease", "srcMac"), ("ip", "connID"), ("tls", "ja3"), ("dns", "answers"),
    ],
)  # fmt: skip
def test_the_search_finds_each_field_that_would_leave(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, name: str
) -> None:
    allow(engine)
    real = disguising._KINDS[kind]

    def leaking(disguise: Disguise, row: Any) -> dict[str, Any]:
        value = row[name]
        shown = addresses.render(value) if isinstance(value, bytes) else value
        return {**real(disguise, row), "leak": shown}

    monkeypatch.setattr(disguising, "_KINDS", {**disguising._KINDS, kind: leaking})
    assert hits(engine, tmp_path / "out")


def test_times_keep_their_time_of_day_and_move_by_whole_days(
    engine: Engine, tmp_path: Path
) -> None:
    allow(engine)
    export(engine, tmp_path / "out")
    told = {datetime.fromisoformat(row["ts"]) for row in rows(tmp_path / "out", DNS)}
    real = {datetime.fromisoformat(json.loads(each)["ts"]) for each in engine.kept(DNS)}
    (days,) = {min(real) - min(told)}
    assert days % timedelta(days=1) == timedelta(0)
    assert timedelta(days=1) <= days <= timedelta(days=disguising.MOST_SHIFT)
    assert {each + days for each in told} == real


def test_equal_values_have_equal_names_within_an_export_and_others_in_the_next(
    engine: Engine, tmp_path: Path
) -> None:
    allow(engine)
    for name in ("one", "two"):
        export(engine, tmp_path / name)
    one, two = ({row["source"] for kind in KINDS.values() for row in rows(tmp_path / n, kind)}
                for n in ("one", "two"))  # fmt: skip
    assert len(one) == len(two) == 2
    assert not one & two
    for kind in KINDS.values():
        assert len(rows(tmp_path / "one", kind)) == sum(engine.kept(kind).values())


def test_listed_destinations_keep_their_registered_domain_and_no_others(
    engine: Engine, tmp_path: Path
) -> None:
    allow(engine)
    engine.send([engine.event(1, destIP="203.0.113.7", srcIP="10.9.9.9")])
    export(engine, tmp_path / "out")
    domains = {row["domain"] for row in rows(tmp_path / "out", DNS)}
    assert domains == {"example.com"}
    names = {row["domain"] for row in rows(tmp_path / "out", TLS)}
    assert {each for each in names if not each.startswith("domain-")} == {"example.com"}
    places = {row["address"] for row in rows(tmp_path / "out", IP)}
    assert {each for each in places if not each.startswith("address-")} == {"203.0.113.7"}
    export(engine, tmp_path / "none", public=Public())
    assert all(row["domain"].startswith("domain-") for row in rows(tmp_path / "none", DNS))


def test_rows_do_not_lie_in_the_order_of_their_sources(engine: Engine) -> None:
    events = [engine.event(60 - n, srcIP=f"10.3.3.{n}") for n in range(1, 40)]
    engine.send(events)
    drawn = Disguise.new(random=random_bytes, public=PUBLIC)
    with tenant_scope(engine.tenant):
        tables = [store.open_segment(row, IP) for row in segments(IP)]
    longest = max(tables, key=lambda table: table.num_rows)
    times = longest.column("ts").to_pylist()
    assert times != sorted(times)  # as it lies: by source
    told = [row["ts"] for row in drawn.rows(longest, IP)]
    assert len(told) > 5
    assert told == sorted(told)


def test_the_folder_says_neither_whose_it_is_nor_when_it_was_made(
    engine: Engine, tmp_path: Path
) -> None:
    allow(engine)
    done = export(engine, tmp_path / "out")
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_bytes())
    assert set(manifest) == {"format", "export", "lines", "files"}
    assert done.export.version == 4
    assert {path.stat().st_mtime for path in (tmp_path / "out").iterdir()} == {0}
    assert set(manifest["files"]) == {f"{name}.ndjson.gz" for name in KINDS}


def test_without_consent_nothing_is_read_or_written(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analytics.series.store.open_segment", None)  # calling it would raise
    with pytest.raises(NoConsent):
        export(engine, tmp_path / "out")
    allow(engine)
    allow(engine, allowed=False)
    with pytest.raises(NoConsent):
        export(engine, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("when", ["dns", "tls"])
def test_a_withdrawal_ends_an_export_that_runs(
    engine: Engine, tmp_path: Path, when: str, as_owner: Callable[..., Any]
) -> None:
    allow(engine)

    def withdraw(kind: str, _lines: int) -> None:
        if kind == when:
            with as_owner() as session:  # another connection: another process's request
                session.execute("UPDATE research_consent SET withdrawn_at = now()")

    with pytest.raises(NoConsent):
        export(engine, tmp_path / "out", progress=withdraw)
    assert list(tmp_path.iterdir()) == []


def test_a_suspended_tenant_is_not_exported(engine: Engine, tmp_path: Path) -> None:
    allow(engine)
    suspend_tenant(tenant=engine.tenant, actor=SHELL, reason="t", now=engine.now)
    with pytest.raises(NoConsent):
        export(engine, tmp_path / "out")


def test_nothing_is_read_where_it_cannot_be_recorded(
    engine: Engine, tmp_path: Path, as_owner: Callable[..., Any]
) -> None:
    allow(engine)
    with as_owner() as session:
        session.execute("ALTER TABLE audit_stage ADD CONSTRAINT none CHECK (false) NOT VALID")
        try:
            with pytest.raises(DatabaseError):
                export(engine, tmp_path / "out")
        finally:
            session.execute("ALTER TABLE audit_stage DROP CONSTRAINT none")
    assert list(tmp_path.iterdir()) == []


def test_consent_is_the_tenants_own_and_audited(tenant: tuple[UUID, str]) -> None:
    path = "/v1/account/research"
    assert ask("GET", path, tenant[1]).json() == {"allowed": False, "since": None}
    for _ in range(2):  # again changes nothing
        answer = ask("PUT", path, tenant[1], {"allowed": True})
        assert answer.status_code == 200
        assert answer.json()["allowed"] is True
    assert research.require(tenant[0]).version == 7
    wrong: list[Any] = [{}, {"allowed": 1}, {"allowed": "true"}, {"allowed": True, "x": 1}, []]
    for body in wrong:
        assert ask("PUT", path, tenant[1], body).status_code == 400
    assert ask("PUT", path, tenant[1], {"allowed": False}).json()["allowed"] is False
    with pytest.raises(NoConsent):
        research.require(tenant[0])
    sequence()
    with tenant_scope(tenant[0]):
        page = feed.page(tenant[0], place=0, limit=100)
    events = [each.content.event for each in page.entries]
    assert events.count("research.allowed") == events.count("research.withdrawn") == 1


def test_the_command_exports_what_is_allowed(engine: Engine, tmp_path: Path) -> None:
    arguments = ("export", "research.example", str(tmp_path / "out"), "--reason", "a study")
    with pytest.raises(CommandError, match="does not let"):
        call_command("research", *arguments)
    allow(engine)
    (tmp_path / "list").write_text("example.com\nwww.example.com\n")
    with pytest.raises(CommandError, match="line 2"):
        call_command("research", *arguments, "--public", str(tmp_path / "list"))
    (tmp_path / "list").write_text("example.com\n# a remark\n203.0.113.0/24\n")
    out = StringIO()
    call_command("research", *arguments, "--public", str(tmp_path / "list"), "--json", stdout=out)
    said = json.loads(out.getvalue().splitlines()[-1])
    assert said["lines"]["dns"] == len(rows(tmp_path / "out", DNS))
    with pytest.raises(CommandError, match="exists"):
        call_command("research", *arguments)


@pytest.mark.parametrize(
    ("agent", "told"),
    [
        ("", None),
        ("Mozilla/5.0 (X11; Linux) Gecko/20100101 Firefox/128.0", "firefox"),
        ("Mozilla/5.0 AppleWebKit/537.36 Chrome/126.0 Safari/537.36 Edg/126.0", "edge"),
        ("Mozilla/5.0 AppleWebKit/537.36 Chrome/126.0 Safari/537.36", "chrome"),
        ("curl/8.1", "curl"),
        ("ann's own tool", "other"),
    ],
)
def test_of_a_user_agent_only_the_family_is_told(agent: str, told: str | None) -> None:
    assert family(agent) == told
