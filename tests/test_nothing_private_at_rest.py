"""What tenants send is nowhere readable: not in the database's files, the broker or the logs."""

import json
import logging
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.test import Client
from redis import Redis

from analytics.actions.effect import take_effect
from analytics.actions.evaluation import evaluate_day
from analytics.actions.reports import PURPOSE, _seal, _unseal
from analytics.actions.sequencing import sequence_alerts
from analytics.wisdom_client import Answer, Shared
from config.embedded import state
from destinations.report import Destination, Reason, Report
from tenants import keys
from tenants.leases import TERM
from tenants.models import Work
from tenants.models.work import claim
from tests.canaries import encodings, found_in

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])

HOSTS = 10
CONTACTS = 8


def _events(seed: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[str]]:
    source = random.Random(seed)
    questions, connections, canaries = [], [], []
    for _ in range(HOSTS):
        address = ".".join(str(source.randint(100, 250)) for _ in range(4))
        host, user = f"host{source.getrandbits(40):x}", f"user{source.getrandbits(40):x}"
        query = f"q{source.getrandbits(48):x}.example.com"
        canaries += [address, host, user, query]
        about = {"srcIP": address, "srcHost": host, "srcUser": user}
        questions.append({"ts": "2026-05-01T10:00:00.5Z", "query": query, **about})
        connections += [
            {
                "ts": f"2026-05-01T10:{5 * beat:02d}:00.25Z",
                "destIP": "198.51.100.77",
                "destPort": 443,
                "connID": f"C{address}x{beat}",
                **about,
            }
            for beat in range(CONTACTS)
        ]
    return questions, connections, canaries


def _wisdom(destinations: frozenset[Destination]) -> Answer:
    listed = Reason(
        source="list", title="A list", kind="feed", points=4000, flag="blocklist", indicator="x"
    )
    return Answer(
        reports={
            each: Report(
                destination=each, flags=("blocklist",), labels=(), domain="", score=4000,
                verdict="suspicious", reasons=(listed,), ttl=3600, snapshot="s", psl="p",
            )
            for each in destinations
        },
        owed=frozenset(),
    )  # fmt: skip


def _work(now: datetime) -> None:
    """Do what waits, as the worker and the sequencer would."""
    Work.objects.filter(queue="analyse").update(due_at=now)
    for queue in ("ingest", "analyse"):
        for work in Work.objects.filter(queue=queue, state="pending").values_list("id", flat=True):
            Work.objects.filter(id=work).update(due_at=now)
            lease = claim(work, lease=TERM)
            assert lease is not None
            if queue == "ingest":
                take_effect(lease, listed=bool, now=now)
            else:
                evaluate_day(lease, wisdom=_wisdom, now=now)
    assert sequence_alerts(now=datetime.now(UTC)) > 0


def test_no_canary_is_found_in_any_of_eight_encodings(
    tenant: tuple[UUID, str], client: Client, now: datetime, as_owner: Any, tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    questions, connections, canaries = _events(seed=1)
    bearer = {"authorization": f"Bearer {tenant[1]}"}
    for kind, events in (("dns", questions), ("ip", connections)):
        body = "\n".join(map(json.dumps, [*events, {"srcIP": canaries[0]}, "x"]))
        answer = client.post(
            f"/v1/events/{kind}", body, content_type="application/json", headers=bearer
        )
        assert answer.json()["accepted"] == len(events)
    _work(now)
    alerts = client.get("/v1/alerts", headers=bearer).json()["alerts"]
    assert {alert["event"]["srcIP"] for alert in alerts} >= set(canaries[::4])

    valkey = Redis.from_url(settings.CACHE_URL)
    cache = Shared(valkey, key=keys.system_key(PURPOSE), seal=_seal, unseal=_unseal)
    asked = frozenset(Destination.of_name(name) for name in canaries[3::4])
    cache.put(_wisdom(asked).reports.values(), now=now)
    dump = tmp_path / "broker"
    dump.write_bytes(b"".join(key + (valkey.dump(key) or b"") for key in valkey.scan_iter()))
    log = tmp_path / "log"
    log.write_text(caplog.text)
    with as_owner("default") as session:
        session.execute("CHECKPOINT")
    home = state.home()
    assert found_in([home / "pg", home / "valkey", home / "logs", dump, log], canaries) == {}


def test_the_search_finds_what_it_should(tmp_path: Path) -> None:
    for number, form in enumerate(encodings("203.0.113.77")):
        (tmp_path / "one").write_bytes(b"before " + form + b" after")
        assert found_in([tmp_path], ["203.0.113.77"]), number
    assert found_in([tmp_path], ["203.0.113.78"]) == {}
