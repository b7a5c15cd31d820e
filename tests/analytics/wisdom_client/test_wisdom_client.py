import base64
import random
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from analytics.wisdom_client import Memory, Tiers, WisdomClient, answered_here
from analytics.wisdom_client.breaker import Breaker
from destinations import addresses
from destinations.report import Destination, ReportsResponse, decode_request, encode_response
from tests.analytics.wisdom_client.wisdoms import Answer, Handler, honest, report, serving

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
NAMES = [Destination.of_name(f"h{number}.example") for number in range(2_500)]
ADDRESS = Destination("address", "192.0.2.1", 443, "tcp")


def client(url: str, *, timeout: float = 2.0) -> WisdomClient:
    return WisdomClient(url, "twe_key", timeout=timeout, cache=Tiers(Memory()))


def test_everything_asked_is_answered_and_nothing_owed() -> None:
    with serving(honest) as wisdom, client(wisdom.url) as asking:
        answer = asking.reports([*NAMES, ADDRESS], now=NOW)
        assert set(answer.reports) == {*NAMES, ADDRESS}
        assert answer.owed == frozenset()
        assert [len(decode_request(body).destinations) for body in wisdom.heard] == [
            1000,
            1000,
            501,
        ]
        assert len(wisdom.connections) == 1


def test_what_crosses_is_the_same_whatever_order_and_count_it_came_in() -> None:
    shuffled = NAMES * 3
    random.Random(7).shuffle(shuffled)
    heard = []
    for order in (NAMES, shuffled):
        with serving(honest) as wisdom, client(wisdom.url) as asking:
            asking.reports(order, now=NOW)
            heard.append(wisdom.heard)
    assert heard[0] == heard[1]


def test_only_a_key_and_fixed_words_stand_around_the_destinations() -> None:
    with serving(honest) as wisdom, client(wisdom.url) as asking:
        asking.reports([ADDRESS], now=NOW)
        (head,) = wisdom.heads
        assert head.pop(":path") == "/v1/wisdom/reports"
        assert head.pop("Authorization") == "Basic " + base64.b64encode(b"twe_key:").decode()
        assert {name.lower() for name in head} == {
            "host",
            "accept",
            "accept-encoding",
            "connection",
            "user-agent",
            "content-type",
            "content-length",
        }
        assert head["User-Agent"] == "tawny-engine"
        assert wisdom.heard == [
            b'{"destinations":[{"kind":"address","value":"192.0.2.1","port":443,"protocol":"tcp"}]}'
        ]


def test_a_report_is_remembered_for_its_ttl() -> None:
    with serving(honest) as wisdom, client(wisdom.url) as asking:
        wisdom.ttl = 60
        asking.reports(NAMES[:10], now=NOW)
        again = asking.reports(NAMES[:11], now=NOW + timedelta(seconds=59))
        assert len(again.reports) == 11
        assert wisdom.destinations()[10:] == [NAMES[10]]
        asking.reports(NAMES[:1], now=NOW + timedelta(seconds=60))
        assert wisdom.destinations()[11:] == [NAMES[0]]


@pytest.mark.parametrize(
    "text",
    [
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "127.0.0.1",
        "169.254.1.1",
        "224.0.0.251",
        "239.255.255.250",
        "255.255.255.255",
        "0.0.0.0",  # noqa: S104 -- a destination, nothing is bound
        "::1",
        "::",
        "fe80::1",
        "fd00::1",
        "ff02::fb",
    ],
)
def test_an_address_of_the_inside_is_answered_here(text: str) -> None:
    found = answered_here(Destination("address", text))
    assert found is not None
    assert (found.flags, found.verdict, found.ttl) == ((), "unlisted", 86_400)


@pytest.mark.parametrize(
    "text",
    [
        "wpad",
        "localhost",
        "printer.local",
        "x.localhost",
        "1.0.0.10.in-addr.arpa",
        "1.0.ip6.arpa",
        "nas.home.arpa",
        "db.internal",
    ],
)
def test_a_name_of_the_inside_is_answered_here(text: str) -> None:
    assert answered_here(Destination.of_name(text)) is not None


@pytest.mark.parametrize(
    "destination",
    [
        Destination("address", "192.0.2.1"),
        Destination("address", "198.51.100.1", 22),
        Destination("address", "203.0.113.1"),
        Destination("address", "2001:db8::1"),
        Destination.of_name("local.example"),
        Destination.of_name("in-addr.arpa.example"),
        Destination.of_name("notlocal.example.com"),
    ],
)
def test_documentation_ranges_and_ordinary_names_are_asked_about(destination: Destination) -> None:
    assert answered_here(destination) is None


def test_what_is_answered_here_never_crosses() -> None:
    inside = [Destination("address", "10.0.0.1", 22), Destination.of_name("wpad")]
    with serving(honest) as wisdom, client(wisdom.url) as asking:
        answer = asking.reports(inside, now=NOW)
        assert set(answer.reports) == set(inside)
        assert wisdom.heard == []


def silent(_handler: Handler, _body: bytes) -> None:
    time.sleep(1.0)


def dripping(handler: Handler, _body: bytes) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    for _ in range(40):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.05)


def garbage(handler: Handler, _body: bytes) -> None:
    handler.reply(200, b'{"reports":[{"destination":7}]}')


def nested(handler: Handler, _body: bytes) -> None:
    handler.reply(200, b'{"reports":[{"x":' + b"[" * 100_000)


def fewer(handler: Handler, body: bytes) -> None:
    asked = decode_request(body).destinations
    found = tuple(report(each) for each in asked[1:])
    handler.reply(200, encode_response(ReportsResponse(reports=found)))


def swapped(handler: Handler, body: bytes) -> None:
    asked = decode_request(body).destinations
    found = tuple(report(each) for each in reversed(asked))
    handler.reply(200, encode_response(ReportsResponse(reports=found)))


def hanging_up(handler: Handler, _body: bytes) -> None:
    handler.close_connection = True
    handler.connection.close()


def redirecting(handler: Handler, _body: bytes) -> None:
    handler.send_response(302)
    handler.send_header("Location", "http://127.0.0.1:9/")
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def status(code: int) -> Answer:
    return lambda handler, _body: handler.reply(code, b'{"message":"no"}')


@pytest.mark.parametrize(
    "answer",
    [silent, dripping, garbage, nested, fewer, swapped, hanging_up, redirecting]
    + [status(code) for code in (400, 401, 403, 500, 503)],
)
def test_a_wisdom_that_does_not_answer_as_agreed_leaves_all_owed_in_time(answer: Answer) -> None:
    with serving(answer) as wisdom, client(wisdom.url, timeout=0.5) as asking:
        found = asking.reports([*NAMES[:3], Destination.of_name("wpad")], now=NOW)
        assert found.owed == frozenset(NAMES[:3])
        assert set(found.reports) == {Destination.of_name("wpad")}
        assert len(wisdom.heard) == 1


def test_a_wisdom_that_is_not_there_leaves_all_owed() -> None:
    with serving(honest) as wisdom:
        url = wisdom.url
    with client(url) as asking:
        assert asking.reports(NAMES[:3], now=NOW).owed == frozenset(NAMES[:3])


def test_what_was_answered_before_a_failure_is_kept_and_only_the_rest_is_owed() -> None:
    def once(handler: Handler, body: bytes) -> None:
        honest(handler, body) if len(handler.server.heard) == 1 else handler.reply(500, b"")

    with serving(once) as wisdom, client(wisdom.url) as asking:
        found = asking.reports(NAMES, now=NOW)
        assert len(found.reports) == 1_000
        assert len(found.owed) == 1_500
        assert not set(found.reports) & found.owed
        assert len(wisdom.heard) == 2


def test_a_deadline_that_has_passed_asks_nothing() -> None:
    with serving(honest) as wisdom, client(wisdom.url) as asking:
        found = asking.reports(NAMES[:3], now=NOW, deadline=time.monotonic() - 1)
        assert found.owed == frozenset(NAMES[:3])
        assert wisdom.heard == []


def test_after_some_failures_wisdom_is_left_alone_for_a_while() -> None:
    with serving(status(503)) as wisdom, client(wisdom.url) as asking:
        for _ in range(6):
            assert asking.reports(NAMES[:3], now=NOW).owed == frozenset(NAMES[:3])
        assert len(wisdom.heard) == Breaker.FAILURES


def test_a_breaker_lets_one_trial_through_after_each_rest() -> None:
    breaker = Breaker()
    for _ in range(Breaker.FAILURES):
        assert breaker.may_ask(at=0.0)
        breaker.failed(at=0.0)
    assert not breaker.may_ask(at=Breaker.REST - 0.1)
    assert breaker.may_ask(at=Breaker.REST)
    assert not breaker.may_ask(at=Breaker.REST)
    breaker.succeeded()
    assert breaker.may_ask(at=Breaker.REST)


@given(st.ip_addresses())
def test_an_address_is_asked_about_or_answered_here_never_both(address: object) -> None:
    destination = Destination.of_address(addresses.parse(str(address)))
    inside = answered_here(destination) is not None
    private = getattr(address, "is_loopback", False) or getattr(address, "is_multicast", False)
    assert inside or not private


def test_the_client_is_the_engines_only_way_out() -> None:
    engine = Path(__file__).parents[3] / "analytics"
    using = {
        file.relative_to(engine).parts[0]
        for file in engine.rglob("*.py")
        if "httpx" in file.read_text("utf-8")
    }
    assert using == {"wisdom_client"}
