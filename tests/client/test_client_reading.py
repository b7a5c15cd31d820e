"""How both clients read alerts, findings, look-ups and the account."""

import json
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

import tawny
from tawny import FileCheckpoint, Pause, Retry
from tests.client.faces import Face, Waited, Waits
from tests.client.loopback import Answer, Request, Service


def page(*numbers: int, follow: str, more: bool = False) -> Answer:
    alerts = [{"id": str(n), "threats": ["t"], "severity": 3, "new": 1} for n in numbers]
    threats = {"t": {"title": "A beacon", "severity": 3}}
    return Answer(body={"follow": follow, "more": more, "alerts": alerts, "threats": threats})


def two_pages(request: Request) -> Answer:
    if "follow=1-a" in request.path:
        return page(3, follow="1-b")
    return page(1, 2, follow="1-a", more=True)


def test_alerts_are_read_to_the_last_page(service: Service, face: Face) -> None:
    service.usual = two_pages
    with face.client(service.url) as reader:
        alerts = list(reader.alerts(min_severity=2))
        pages = list(reader.pages(follow="1-a"))
        single = reader.page(follow="1-a")
    assert [alert.id for alert in alerts] == ["1", "2", "3"]
    assert b'"new"' in bytes(alerts[0].raw)
    assert alerts[0].title == "A beacon"
    assert [page.follow for page in pages] == ["1-b"]
    assert [alert.id for alert in single.alerts] == ["3"]
    assert service.requests[0].path == "/v1/alerts?threats=all&minSeverity=2"
    assert service.requests[1].path == "/v1/alerts?threats=all&follow=1-a&minSeverity=2"


def test_a_title_names_the_threats_from_the_most_severe_on(service: Service, face: Face) -> None:
    alert = {"id": "1", "threats": ["low", "unheard", "high"], "detection": "d"}
    threats = {"low": {"title": "Low", "severity": 1}, "high": {"title": "High", "severity": 4}}
    bare = {"id": "2", "detection": "beacon"}
    body = {"follow": "1-a", "more": False, "alerts": [alert, bare], "threats": threats}
    service.usual = lambda _: Answer(body=body)
    with face.client(service.url) as reader:
        titles = [alert.title for alert in reader.alerts()]
    assert titles == ["High, Low, unheard", "beacon"]


def test_pages_that_do_not_advance_are_not_read_for_ever(service: Service, face: Face) -> None:
    service.usual = lambda _: page(follow="1-a", more=True)
    with face.client(service.url) as reader, pytest.raises(tawny.UnexpectedAnswer):
        list(reader.pages())


def test_following_looks_again_after_the_interval_and_goes_on_from_there(
    service: Service, face: Face
) -> None:
    service.script = [page(1, follow="1-a"), page(follow="1-a"), page(2, 3, follow="1-b")]
    service.usual = lambda _: page(follow="1-b")
    waits = Waits()
    with face.client(service.url, waits) as reader:
        alerts = list(islice(reader.follow(interval=7), 3))
    assert [alert.id for alert in alerts] == ["1", "2", "3"]
    assert waits == [7, 7]
    assert [request.path.rpartition("=")[2] for request in service.requests] == [
        "all", "1-a", "1-a",
    ]  # fmt: skip


def test_following_outlives_a_service_that_is_away(service: Service, face: Face) -> None:
    service.script = [
        page(1, follow="1-a"), Answer(503, {"message": "busy"}), Answer(hang_up=True),
        page(2, follow="1-b"),
    ]  # fmt: skip
    told: list[Pause] = []
    waits = Waits()
    reader = face.client(service.url, waits, retry=Retry(retries=0), on_pause=told.append)
    with reader:
        alerts = list(islice(reader.follow(interval=7), 2))
    assert [alert.id for alert in alerts] == ["1", "2"]
    assert waits == [7, 7, 7]
    assert told[0] == Pause(reason="503: busy", seconds=7)
    assert len(told) == 2


@pytest.mark.parametrize("status", [400, 401, 403])
def test_following_ends_where_waiting_would_not_help(
    service: Service, face: Face, status: int
) -> None:
    service.script = [page(1, follow="1-a")]
    service.usual = lambda _: Answer(status, {"message": "no"})
    with face.client(service.url) as reader:
        alerts = reader.follow()
        assert next(alerts).id == "1"
        with pytest.raises(tawny.Refused):
            next(alerts)


def test_the_checkpoint_moves_when_the_last_alert_of_a_page_was_taken(
    service: Service, face: Face, tmp_path: Path
) -> None:
    service.usual = two_pages
    checkpoint = FileCheckpoint(tmp_path / "place")
    with face.client(service.url) as reader:
        alerts = reader.follow(checkpoint=checkpoint)
        next(alerts)
        next(alerts)
        assert checkpoint.load() == ""
        assert next(alerts).id == "3"
        assert checkpoint.load() == "1-a"
        alerts.close()
    assert checkpoint.load() == "1-a"


def test_a_reader_that_was_broken_off_is_given_the_page_again(
    service: Service, face: Face, tmp_path: Path
) -> None:
    service.usual = two_pages
    checkpoint = FileCheckpoint(tmp_path / "place")
    waits = Waits()
    waits.last = 0
    again: list[str] = []
    with face.client(service.url, waits) as reader:
        first = reader.alerts(checkpoint=checkpoint)
        assert [next(first).id, next(first).id, next(first).id] == ["1", "2", "3"]
        first.close()
        with pytest.raises(Waited):
            again.extend(alert.id for alert in reader.follow(checkpoint=checkpoint))
    assert again == ["3"]
    assert checkpoint.load() == "1-b"


def test_a_place_that_is_given_wins_over_the_checkpoint(
    service: Service, face: Face, tmp_path: Path
) -> None:
    service.usual = two_pages
    checkpoint = FileCheckpoint(tmp_path / "place")
    checkpoint.save("1-z")
    with face.client(service.url) as reader:
        list(reader.alerts(checkpoint=checkpoint, follow="1-a"))
    assert service.requests[0].path == "/v1/alerts?threats=all&follow=1-a"
    assert checkpoint.load() == "1-b"


def test_findings_are_read_page_by_page(service: Service, face: Face) -> None:
    def usual(request: Request) -> Answer:
        last = "follow=1-a" in request.path
        record = {
            "class_uid": 2004, "severity_id": 5, "time": 1723905503, "message": "m",
            "finding_info": {"uid": "2" if last else "1"}, "new": 1,
        }  # fmt: skip
        return Answer(
            body={"follow": "1-b" if last else "1-a", "more": not last, "records": [record]}
        )

    service.usual = usual
    with face.client(service.url) as reader:
        findings = list(reader.findings(max_age=3600))
        followed = list(islice(reader.follow_findings(follow="1-a"), 2))
    assert [finding.finding_info["uid"] for finding in findings] == ["1", "2"]
    assert (findings[0].class_uid, findings[0].severity_id) == (2004, 5)
    assert json.loads(bytes(findings[0].raw))["new"] == 1
    assert len(followed) == 2
    assert [request.path for request in service.requests][:3] == [
        "/v1/findings?schema=ocsf&maxAge=3600s",
        "/v1/findings?schema=ocsf&follow=1-a&maxAge=3600s",
        "/v1/findings?schema=ocsf&follow=1-a",
    ]


@pytest.mark.parametrize(
    ("what", "asked"),
    [
        ("x.example", "x.example"),
        (" x.example ", "x.example"),
        ("tcp:[2001:db8::1]:443", "tcp:[2001:db8::1]:443"),
        ("http://x.example/a?b=c", "http://x.example/a?b=c"),
        ("http://x.example/a&b#c+d%20e", "http://x.example/a%26b%23c%2Bd%2520e"),
        ("bücher.example", "b%C3%BCcher.example"),
        ("two words", "two%20words"),
    ],
)
def test_a_destination_is_asked_about_as_it_is_written_where_that_is_safe(
    service: Service, face: Face, what: str, asked: str
) -> None:
    service.usual = lambda _: Answer(body={"flags": []})
    with face.client(service.url) as reader:
        assert reader.lookup(what).flags == []
    assert service.requests[0].path == f"/v1/wisdom?q={asked}"


def test_what_is_known_of_a_destination_comes_with_its_reasons(
    service: Service, face: Face
) -> None:
    body: dict[str, Any] = {
        "flags": ["c2"], "labels": ["c2:X"], "domain": "x.example", "score": 6000,
        "verdict": "malicious", "ttl": 60, "later": 1,
        "reasons": [{"source": "s", "points": 6000, "as_of": "2026-01-02T00:00:00Z", "new": 2}],
    }  # fmt: skip
    service.script = [Answer(body=body), Answer(body={"flags": ["c2"]})]
    with face.client(service.url) as reader:
        full, bare = reader.lookup("x.example"), reader.lookup("x.example")
    assert (full.flags, full.labels, full.domain, full.score) == (
        ["c2"], ["c2:X"], "x.example", 6000,
    )  # fmt: skip
    assert full.reasons == [tawny.Reason(source="s", points=6000, as_of="2026-01-02T00:00:00Z")]
    assert json.loads(bytes(full.raw)) == body
    assert (bare.flags, bare.score, bare.reasons) == (["c2"], None, [])


def test_status_is_read_and_new_fields_are_passed_over(service: Service, face: Face) -> None:
    service.usual = lambda _: Answer(
        body={
            "registered": True, "expired": False, "workspaceID": "w",
            "today": "2024-01-01T00:00:00Z", "endpointsSeenToday": 3,
            "expirationDate": "2025-01-01T00:00:00Z",
            "messages": [{"level": 2, "body": "soon"}], "later": [1],
            "key": {"id": "k", "label": "l", "scopes": ["ingest:write"], "expiresAt": None},
            "eventsKept": {"dns": 7},
        }
    )  # fmt: skip
    with face.client(service.url) as reader:
        status = reader.status()
    assert (status.registered, status.workspace_id, status.endpoints_seen_today) == (True, "w", 3)
    assert status.messages[0].body == "soon"
    assert status.expiration_date == "2025-01-01T00:00:00Z"
    assert status.key == tawny.KeyStatus(id="k", label="l", scopes=["ingest:write"])
    assert status.events_kept == {"dns": 7}


def test_a_status_of_no_members_is_a_status(service: Service, face: Face) -> None:
    service.usual = lambda _: Answer(body={})
    with face.client(service.url) as reader:
        assert reader.status() == tawny.Status()


def test_the_vocabulary_is_read(service: Service, face: Face) -> None:
    service.script = [
        Answer(body={"flags": {"c2": {"title": "C2", "type": "category", "new": 1}}}),
        Answer(body={"threats": {"t": {"title": "T", "severity": 4}}, "version": "1"}),
    ]
    with face.client(service.url) as reader:
        assert reader.flags() == {"c2": tawny.Flag(title="C2", type="category")}
        assert reader.threats() == {"t": tawny.Threat(title="T", severity=4)}
    assert [request.path for request in service.requests] == [
        "/v1/ae/inventory/flags",
        "/v1/ae/inventory/threats",
    ]
