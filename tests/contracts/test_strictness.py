"""The clients of this folder refuse what the real ones refuse, or its tests would say little.

They speak here with a service that answers whatever it is told to.
"""

import gzip
import json
from collections.abc import Callable, Iterator
from threading import Thread
from typing import Any

import pytest

from tests.client.loopback import Answer, Handler, Server as Loopback, Service
from tests.contracts import go
from tests.contracts.clients.a4s import Input, PullError
from tests.contracts.clients.agen import Generated, GeneratedError
from tests.contracts.clients.ago import Sdk, SdkError
from tests.contracts.clients.beat import Beat, BeatError
from tests.contracts.clients.cribl import CollectFailed, Collector
from tests.contracts.clients.flightsim import Generator, NoTargets
from tests.contracts.clients.nba import App, AppError, InvalidKey
from tests.contracts.clients.nfr import ApiError, Nfr
from tests.contracts.clients.xsoar import AlertsPack, PackError, WisdomPack
from tests.contracts.wire import Server

Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def service() -> Iterator[Service]:
    running = Loopback(("127.0.0.1", 0), Handler)
    running.service = Service(url=f"http://127.0.0.1:{running.server_port}")
    thread = Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield running.service
    running.shutdown()
    thread.join()
    running.server_close()


@pytest.fixture
def where(service: Service) -> dict[str, Any]:
    port = int(service.url.rpartition(":")[2])
    return {"server": Server(host="127.0.0.1", port=port), "key": "k"}


def answering(
    service: Service, body: Any, *, status: int = 200, content_type: str = "application/json"
) -> None:
    headers = {"Content-Type": content_type}
    service.usual = lambda _request: Answer(status=status, body=body, headers=headers)


def page() -> dict[str, Any]:
    """A page of the reference's own example."""
    event = {
        "ts": "2024-05-01T10:00:00Z", "srcIP": "192.0.2.10", "srcPort": 5, "destIP": "192.0.2.11",
        "destPort": 443, "bytesIn": 0, "bytesOut": 1, "proto": "tcp",
    }  # fmt: skip
    wisdom = {"flags": ["c2"], "labels": ["c2:Example"], "domain": "example.com"}
    alert = {"eventType": "ip", "event": event, "threats": ["c2_communication"], "wisdom": wisdom}
    threats = {"c2_communication": {"title": "C2", "severity": 5, "policy": False}}
    return {"follow": "6-00000002", "more": False, "alerts": [alert], "threats": threats}


def in_event(**fields: Any) -> Change:
    return lambda body: body["alerts"][0]["event"].update(fields)


def in_page(**fields: Any) -> Change:
    return lambda body: body.update(fields)


def in_threat(**fields: Any) -> Change:
    return lambda body: body["threats"]["c2_communication"].update(fields)


def test_the_references_own_page_is_read_by_all(service: Service, where: dict[str, Any]) -> None:
    answering(service, page())
    agent, beat, app, pack = Nfr(**where), Beat(**where), App(**where), AlertsPack(**where)
    agent.poll()
    beat.poll()
    app.poll()
    pack.fetch()
    read: list[list[Any]] = [agent.written, beat.published, app.indexed, pack.incidents]
    read += [Sdk(**where).alerts()["alerts"], Generated(**where).alerts()["alerts"]]
    assert [len(each) for each in read] == [1] * 6
    assert {agent.follow, beat.follow, app.follow, pack.follow} == {"6-00000002"}


@pytest.mark.parametrize(
    "change",
    [
        in_event(ts="2024-05-01T10:00:00+0000"),
        in_event(ts="2024-05-01 10:00:00Z"),
        in_event(ts="2024-02-30T10:00:00Z"),
        in_event(ts=1_714_557_600),
        in_event(ts=""),
        in_event(srcIP="host.example"),
        in_event(destIP="fe80::1%eth0"),
        in_event(srcPort=65_536),
        in_event(srcPort=-1),
        in_event(destPort="443"),
        in_event(bytesIn=1.0),
        in_event(bytesOut=2**63),
        in_event(proto=6),
        in_page(more="false"),
        in_page(follow=6),
        in_page(alerts={}),
        in_threat(policy="false"),
        in_threat(severity="5"),
    ],
)
def test_one_bad_value_fails_the_agents_page(
    service: Service, where: dict[str, Any], change: Change
) -> None:
    body = page()
    change(body)
    answering(service, body)
    with pytest.raises(go.Undecodable):
        Nfr(**where).poll()


def test_what_go_forgives_is_forgiven(service: Service, where: dict[str, Any]) -> None:
    body = page()
    in_event(srcIP="", destIP=None, extra=[1], labels=["a"])(body)
    body["Follow"] = body.pop("follow")
    answering(service, body)
    agent = Nfr(**where)
    agent.poll()
    assert (agent.follow, agent.written[0].event["srcIP"]) == ("6-00000002", "")


@pytest.mark.parametrize("alerts", [[], page()["alerts"]])
def test_the_agent_would_ask_for_ever_where_more_does_not_move(
    service: Service, where: dict[str, Any], alerts: list[Any]
) -> None:
    answering(service, page() | {"more": True, "alerts": alerts})
    with pytest.raises(AssertionError, match="for ever"):
        Nfr(**where).poll()


@pytest.mark.parametrize("change", [in_page(alerts=None), lambda body: body.pop("alerts")])
def test_a_page_without_a_list_ends_the_beat_and_fails_the_packs_test(
    service: Service, where: dict[str, Any], change: Change
) -> None:
    body = page()
    change(body)
    answering(service, body)
    with pytest.raises(go.Panic):
        Beat(**where).poll()
    assert AlertsPack(**where).test() != "ok"


def test_a_time_that_is_no_text_ends_the_beat(service: Service, where: dict[str, Any]) -> None:
    body = page()
    in_event(ts=1)(body)
    answering(service, body)
    with pytest.raises(go.Panic):
        Beat(**where).poll()


def test_a_page_without_a_bookmark_ends_the_trimmed_client(
    service: Service, where: dict[str, Any]
) -> None:
    body = page()
    del body["follow"]
    answering(service, body)
    with pytest.raises(go.Panic):
        Sdk(**where).alerts()


def test_the_generated_client_needs_a_json_content_type(
    service: Service, where: dict[str, Any]
) -> None:
    answering(service, page(), content_type="application/problem")
    with pytest.raises(go.Undecodable, match="response type"):
        Generated(**where).alerts()


@pytest.mark.parametrize("status", [201, 202, 302, 400, 401, 403, 429, 500])
def test_nothing_but_200_is_a_success(service: Service, where: dict[str, Any], status: int) -> None:
    answering(service, {"message": "no"}, status=status)
    reading: list[tuple[Callable[[], object], type[Exception]]] = [
        (Nfr(**where).poll, ApiError),
        (Beat(**where).poll, BeatError),
        (Sdk(**where).alerts, SdkError),
        (Generated(**where).alerts, GeneratedError),
        (App(**where).poll, InvalidKey if status == 403 else AppError),
        (Input(**where).run, PullError),
        (Collector(**where).job, CollectFailed),
        (lambda: Generator(server=where["server"]).names("c2"), NoTargets),
    ]
    for read, failure in reading:
        with pytest.raises(failure):
            read()


def test_an_error_that_is_no_json_is_no_message(service: Service, where: dict[str, Any]) -> None:
    answering(service, b"<html>502</html>", status=502)
    for read in (Nfr(**where).status, Beat(**where).poll, Sdk(**where).alerts):
        with pytest.raises(go.Undecodable, match="invalid JSON"):
            read()


def test_a_list_where_an_object_should_be_is_an_error_of_the_app(
    service: Service, where: dict[str, Any]
) -> None:
    app = App(**where)
    answering(service, [])
    with pytest.raises(AppError, match="0x01"):
        app.status()
    answering(service, {"expired": False})
    with pytest.raises(AppError, match="0x02"):
        app.status()


@pytest.mark.parametrize(
    ("status", "stored", "dropped"),
    [(500, 1, 0), (503, 1, 0), (429, 0, 1), (400, 0, 1), (413, 0, 1)],
)
def test_the_app_keeps_a_batch_after_5xx_and_drops_it_otherwise(
    service: Service, where: dict[str, Any], status: int, stored: int, dropped: int
) -> None:
    answering(service, {"message": "no"}, status=status)
    app = App(**where)
    app.send("dns", [{"query": "www.example.com"}])
    assert (len(app.stored), app.dropped) == (stored, dropped)


@pytest.mark.parametrize("status", [{}, {"workspaceID": ""}, {"workspaceID": None}])
def test_the_pulling_app_needs_a_workspace(
    service: Service, where: dict[str, Any], status: dict[str, Any]
) -> None:
    answering(service, status)
    with pytest.raises(PullError, match="workspaceID"):
        Input(**where).run()


@pytest.mark.parametrize("flags", [None, "c2", {}])
def test_the_look_up_pack_needs_a_list_of_flags(
    service: Service, where: dict[str, Any], flags: Any
) -> None:
    answering(service, {"flags": flags})
    with pytest.raises(PackError, match="length"):
        WisdomPack(**where).domain("www.example.com")


def test_requests_are_written_to_the_byte(service: Service, where: dict[str, Any]) -> None:
    answering(service, {"received": 1, "accepted": 1, "rejected": {}})
    agent, app = Nfr(**where), App(**where)
    event = {"ts": "2024-05-01T10:00:00Z", "url": "http://h.example/a?b=c&d=<e>"}
    agent.buffer("http", [event])
    agent.flush("http")
    Generated(**where).send("http", [event, event])
    app.send("http", [event, event])
    mine, generated, packed = service.requests
    line = b'{"ts":"2024-05-01T10:00:00Z","url":"http://h.example/a?b=c\\u0026d=\\u003ce\\u003e"}'
    assert mine.body == line + b"\n"
    assert generated.body == line * 2
    assert gzip.decompress(packed.body) == json.dumps(event).encode() * 2
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["X-AlphaSOC-Backlog"].isdecimal()
    assert list(mine.headers) == [
        "Host", "User-Agent", "Content-Length", "Authorization", "Content-Type", "Accept-Encoding",
    ]  # fmt: skip
