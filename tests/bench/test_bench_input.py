"""What the benchmark sends: the same bytes for the same seed, and logs as the client maps them."""

import gzip
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bench import synthetic, zeek
from bench.bodies import Body, Kind
from tests.client.zeek_logs import conn_log, conn_row, dns_log, dns_row


def _events(body: Body) -> list[dict[str, Any]]:
    plain = gzip.decompress(body.packed)
    assert len(plain) == body.inflated
    events = [msgspec.json.decode(line) for line in plain.splitlines()]
    assert len(events) == body.events
    return events


@pytest.mark.parametrize("kind", ["dns", "ip"])
def test_a_seed_always_makes_the_same_bytes(kind: Kind) -> None:
    first, again, other = (
        list(synthetic.bodies(kind, events=500, seed=seed, batch=200)) for seed in (3, 3, 4)
    )
    assert first == again
    assert first[0].packed != other[0].packed
    assert [body.events for body in first] == [200, 200, 100]


@pytest.mark.parametrize("kind", ["dns", "ip"])
def test_events_come_in_the_order_of_their_times_within_two_hours(kind: Kind) -> None:
    bodies = synthetic.bodies(kind, events=2_000, seed=1, batch=700)
    times = [event["ts"] for body in bodies for event in _events(body)]
    assert times == sorted(times)
    assert times[0] >= "2024-05-01T10:00:00"
    assert times[-1] < "2024-05-01T12:00:00Z"


@pytest.mark.parametrize("kind", ["dns", "ip"])
def test_every_event_has_a_connection_id_of_its_own(kind: Kind) -> None:
    (body,) = synthetic.bodies(kind, events=2_000, seed=1, batch=2_000)
    ids = [event["connID"] for event in _events(body)]
    assert len(set(ids)) == 2_000
    assert {len(each) for each in ids} == {18}


def test_few_names_are_asked_often_and_many_seldom() -> None:
    (body,) = synthetic.bodies("dns", events=5_000, seed=1, batch=5_000)
    names = [event["query"] for event in _events(body)]
    counts = sorted((names.count(name) for name in set(names)), reverse=True)
    assert sum(counts[:50]) > 1_500
    assert counts.count(1) > 500


def test_logs_become_what_the_client_would_send(tmp_path: Path) -> None:
    (tmp_path / "dns.log.gz").write_bytes(gzip.compress(dns_log(dns_row())))
    (tmp_path / "a.conn.log").write_bytes(conn_log(*(conn_row(uid=f"C{n}") for n in range(5))))
    (tmp_path / "b.conn.log").write_bytes(conn_log(conn_row(uid="C5")))
    (tmp_path / "notes.txt").write_text("no log\n", "ascii")
    bodies = list(zeek.bodies([tmp_path], batch=4, by_file=False))
    assert [(body.kind, body.events) for body in bodies] == [("ip", 4), ("dns", 1), ("ip", 2)]
    ids = [event["connID"] for body in bodies if body.kind == "ip" for event in _events(body)]
    assert ids == ["C0", "C1", "C2", "C3", "C4", "C5"]


def test_by_file_no_request_holds_events_of_two_files(tmp_path: Path) -> None:
    (tmp_path / "a.conn.log").write_bytes(conn_log(*(conn_row(uid=f"C{n}") for n in range(5))))
    (tmp_path / "b.conn.log").write_bytes(conn_log(conn_row(uid="C5")))
    bodies = zeek.bodies([tmp_path], batch=4, by_file=True)
    assert [body.events for body in bodies] == [4, 1, 1]
