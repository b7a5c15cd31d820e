"""The vendor's agent against a live product, from its first start to the alerts it writes out."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from analytics.ingest.events import DNS, HTTP, IP, TLS
from analytics.views import alerts
from tenants.plans import Rate
from tests.analytics.engine import BAD, BAD_NAME
from tests.contracts import go
from tests.contracts.clients import nfr
from tests.contracts.clients.nfr import ApiError, Nfr
from tests.contracts.product import Product
from tests.contracts.wire import Server, basic, request
from tests.tenants.doors import mailed

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])


@pytest.fixture
def agent(tawny: Product) -> Nfr:
    return Nfr(server=tawny.server, key=tawny.key)


def send(agent: Nfr, kind: str, *events: dict[str, Any]) -> dict[str, Any]:
    agent.buffer(kind, events)
    return agent.flush(kind)


def all_taken(count: int) -> dict[str, Any]:
    return {"received": count, "accepted": count, "rejected": {}}


def test_it_asks_sends_polls_writes_and_goes_on_from_there(tawny: Product, agent: Nfr) -> None:
    status = agent.status()
    assert (status["registered"], status["expired"]) == (True, False)
    bad = nfr.ip(tawny.at(1), "10.0.0.1", BAD, bytesOut=83, destPort=53, proto="udp")
    assert send(agent, "ip", bad, nfr.ip(tawny.at(2), "10.0.0.2", "203.0.113.9")) == all_taken(2)
    assert tawny.settle() == 2
    agent.poll()
    (line,) = agent.written
    assert (line.kind, line.event["srcIP"], line.event["destIP"]) == ("ip", "10.0.0.1", BAD)
    assert (line.event["ts"], line.event["destPort"]) == (tawny.at(1), 53)
    assert (line.event["bytesOut"], line.event["proto"]) == (83, "udp")
    assert line.threats == ["c2_communication"]
    assert (line.severity, line.flags) == (5, ["c2"])
    first = agent.follow
    agent.poll()
    assert (len(agent.written), agent.follow) == (1, first)
    send(agent, "ip", nfr.ip(tawny.at(3), "10.0.0.3", BAD))
    tawny.settle()
    agent.poll()
    assert [each.event["srcIP"] for each in agent.written] == ["10.0.0.1", "10.0.0.3"]
    assert agent.follow != first


def test_a_page_of_each_type_decodes_into_its_structs(tawny: Product, agent: Nfr) -> None:
    send(agent, "dns", nfr.dns(tawny.at(1), "10.0.0.1", BAD_NAME))
    url = f"http://{BAD_NAME}/gate.php?id=1&x=<1>"
    send(agent, "http", nfr.http(tawny.at(2), "10.0.0.2", url, method="POST", status=404))
    shown = {"destIP": BAD, "destPort": 443, "issuer": "CN=Example <CA>", "ja3": "72a589da" * 4}
    send(agent, "tls", nfr.tls(tawny.at(3), "10.0.0.3", **shown))
    assert tawny.settle() == 3
    agent.poll()
    found = {each.kind: each.event for each in agent.written}
    assert set(found) == {"dns", "http", "tls"}
    assert found["dns"]["query"] == BAD_NAME
    assert (found["http"]["url"], found["http"]["status"]) == (url, 404)
    assert (found["tls"]["destIP"], found["tls"]["issuer"]) == (BAD, "CN=Example <CA>")
    assert found["tls"]["validFrom"].year == 1


def test_the_page_after_nothing_is_an_empty_list_and_keeps_no_bookmark(agent: Nfr) -> None:
    page = agent.page()
    assert (page["alerts"], page["more"]) == ([], False)
    agent.poll()
    assert agent.follow == ""


def test_pages_follow_each_other_to_an_end(
    tawny: Product, agent: Nfr, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alerts, "PAGE", 2)
    send(agent, "ip", *(nfr.ip(tawny.at(n), f"10.0.1.{n}", BAD) for n in range(1, 6)))
    tawny.settle()
    agent.poll()
    assert len({each.event["srcIP"] for each in agent.written}) == len(agent.written) == 5


def test_empty_values_and_zeros_are_taken_as_it_sends_them(tawny: Product, agent: Nfr) -> None:
    questions = [
        nfr.dns(tawny.at(1), "10.0.0.1", "-", ""),
        nfr.dns(tawny.at(2), "10.0.0.1", "www.example.com", ""),
        nfr.dns(tawny.at(3), "10.0.0.1", "_ldap._tcp.corp", "SRV"),
    ]
    assert send(agent, "dns", *questions) == all_taken(3)
    assert send(agent, "ip", nfr.ip(tawny.at(4), "10.0.0.1", "203.0.113.1", srcPort=0))["accepted"]
    plain = nfr.http(tawny.at(5), "10.0.0.1", "www.example.com/a/b")
    assert send(agent, "http", plain) == all_taken(1)
    assert send(agent, "tls", nfr.tls(tawny.at(6), "10.0.0.1")) == all_taken(1)
    assert tawny.settle() == 6
    assert [tawny.kept(kind) for kind in (DNS, IP, HTTP, TLS)] == [3, 1, 1, 1]


def test_what_has_no_source_or_no_host_is_counted_and_nothing_is_sent_again(
    tawny: Product, agent: Nfr
) -> None:
    counts = send(agent, "ip", nfr.ip(tawny.at(1), "", "203.0.113.1"))
    assert counts == {"received": 1, "accepted": 0, "rejected": {"src_missing": 1}}
    counts = send(agent, "http", nfr.http(tawny.at(1), "10.0.0.1", "http://"))
    assert counts == {"received": 1, "accepted": 0, "rejected": {"url_invalid": 1}}
    assert agent.buffers == {"ip": [], "http": []}


def test_local_offsets_and_nanoseconds_are_read_and_told_in_utc(tawny: Product, agent: Nfr) -> None:
    there = tawny.at(1).replace(microsecond=123_456).astimezone(timezone(timedelta(hours=1)))
    bad = nfr.ip(there, "10.0.0.1", BAD)
    assert bad["ts"].endswith(".123456+01:00")
    send(agent, "ip", bad, bad | {"ts": bad["ts"].replace(".123456", ".123456789")})
    tawny.settle()
    agent.poll()
    assert agent.written[0].event["ts"] == there


def test_equal_events_of_one_body_all_count_and_a_body_sent_twice_counts_once(
    tawny: Product, agent: Nfr
) -> None:
    same = nfr.dns(tawny.at(1), "10.0.0.1", "www.example.com")
    for _ in range(2):
        assert send(agent, "dns", same, same, same) == all_taken(3)
    assert tawny.settle() == 3
    grown = [same] * 3 + [nfr.dns(tawny.at(2), "10.0.0.1", "www.example.com")]
    assert send(agent, "dns", *grown) == all_taken(4)
    assert tawny.settle() == 1


def test_a_batch_that_grew_past_a_full_buffer_is_taken_whole(tawny: Product, agent: Nfr) -> None:
    line = go.encode(nfr.dns(tawny.at(1), "10.0.0.1", "www.example.com")) + b"\n"
    agent.buffers["dns"] = [line] * 66_000
    assert agent.flush("dns") == all_taken(66_000)


def test_a_refused_batch_stays_in_its_buffer_with_a_text_for_the_log(
    tawny: Product, agent: Nfr
) -> None:
    agent.key = "test-api-key"
    agent.buffer("dns", [nfr.dns(tawny.at(1), "10.0.0.1", "www.example.com")])
    with pytest.raises(ApiError) as refused:
        agent.flush("dns")
    assert (refused.value.status, bool(refused.value.message)) == (401, True)
    assert len(agent.buffers["dns"]) == 1
    agent.key = tawny.key
    assert agent.flush("dns") == all_taken(1)
    assert agent.buffers["dns"] == []


def test_an_old_bookmark_repeats_what_came_after_it(tawny: Product, agent: Nfr) -> None:
    send(agent, "ip", nfr.ip(tawny.at(1), "10.0.0.1", BAD))
    tawny.settle()
    agent.poll()
    old = agent.follow
    send(agent, "ip", nfr.ip(tawny.at(2), "10.0.0.2", BAD))
    tawny.settle()
    for _ in range(2):
        agent.follow = old
        agent.poll()
    assert [each.event["srcIP"] for each in agent.written] == ["10.0.0.1", "10.0.0.2", "10.0.0.2"]


@pytest.mark.parametrize("follow", ["6-8263d641", "4.9b31d"])
def test_a_bookmark_of_the_service_it_polled_before_misses_nothing(
    tawny: Product, agent: Nfr, follow: str
) -> None:
    agent.follow = follow
    agent.poll()
    assert (agent.written, agent.follow) == ([], follow)
    send(agent, "ip", nfr.ip(tawny.at(1), "10.0.0.1", BAD))
    tawny.settle()
    agent.poll()
    assert len(agent.written) == 1
    assert agent.follow != follow


def test_limits_are_errors_that_it_can_read_and_cost_no_event(
    tawny: Product, agent: Nfr, settings: Any
) -> None:
    rate = Rate(per_second=0.01, burst=1)
    settings.LIMITS = {
        plan: replace(limits, key_requests=rate) for plan, limits in settings.LIMITS.items()
    }
    for number, status in ((1, None), (2, 503)):
        agent.buffer("dns", [nfr.dns(tawny.at(number), "10.0.0.1", "www.example.com")])
        if status is None:
            assert agent.flush("dns") == all_taken(1)
        else:
            with pytest.raises(ApiError, match="come again") as refused:
                agent.flush("dns")
            assert refused.value.status == status
    assert len(agent.buffers["dns"]) == 1
    agent.page()
    with pytest.raises(ApiError, match="come again") as told:
        agent.page()
    assert told.value.status == 429


def test_old_events_are_taken_and_found_by_their_own_day(tawny: Product, agent: Nfr) -> None:
    then = datetime(2021, 1, 14, 17, 29, 39, tzinfo=UTC)
    assert send(agent, "ip", nfr.ip(then, "10.0.0.1", BAD)) == all_taken(1)
    tawny.settle()
    agent.poll()
    assert [each.event["ts"] for each in agent.written] == [then]


@pytest.mark.parametrize("target", ["/v1/alerts?", "/v1/account/status"])
def test_an_unknown_key_is_told_so_everywhere(agent: Nfr, target: str) -> None:
    agent.key = "test-api-key"
    with pytest.raises(ApiError) as refused:
        agent.page() if target.startswith("/v1/alerts") else agent.status()
    assert refused.value.status == 401
    assert refused.value.message


def test_a_path_that_is_not_there_is_an_error_that_it_can_read(agent: Nfr) -> None:
    agent.buffer("dhcp", [{"ts": "2024-05-01T10:00:00Z"}])
    with pytest.raises(ApiError, match="dhcp"):
        agent.flush("dhcp")


def test_a_new_installation_gets_a_key_registers_and_sends(server: Server, settings: Any) -> None:
    settings.SIGNUP_OPEN = True
    settings.PUBLIC_URL = f"http://{server.authority}"
    fresh = Nfr(server=server)
    assert fresh.request_key()
    fresh.register("Ann Example", "ann@example.org")
    status = fresh.status()
    assert (status["registered"], status["expired"]) == (False, False)
    assert {each["level"] for each in status["messages"]} <= {1, 2, 3}
    event = nfr.dns(go.TIME.of("2026-11-20T10:00:00Z", ""), "10.0.0.1", "www.example.com")
    assert send(fresh, "dns", event) == all_taken(1)
    (link,) = mailed(datetime.now(UTC) + timedelta(minutes=1))
    headers = [("Host", server.authority), ("Content-Length", "0")]
    assert server.send(request("GET", link, headers[:1])).status == 200
    assert fresh.status()["registered"] is False
    assert server.send(request("POST", link, headers)).status == 200
    assert fresh.status()["registered"] is True
    fresh.reset("ann@example.org")
    fresh.reset("nobody@example.org")


def test_a_closed_sign_up_says_where_a_key_comes_from(server: Server, settings: Any) -> None:
    settings.SIGNUP_OPEN = False
    with pytest.raises(ApiError, match="key") as refused:
        Nfr(server=server).request_key()
    assert refused.value.status == 403


@pytest.mark.parametrize("password", ["", "-", None, "anything"])
def test_any_password_will_do(tawny: Product, password: str | None) -> None:
    headers = [
        ("Host", tawny.server.authority),
        ("Authorization", basic(tawny.key, password)),
        ("Accept-Encoding", "gzip"),
    ]
    for target in ("/v1/account/status", "/v1/alerts?"):
        assert tawny.server.send(request("GET", target, headers)).status == 200
