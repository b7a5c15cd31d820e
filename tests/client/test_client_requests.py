"""The SDK against a real HTTP service on the loopback."""

import base64
import gzip
import logging
import socket
import subprocess
import sys
from random import Random

import pytest

import tawny
from tawny import Client, Retry
from tawny.retries import Attempts, seconds_asked_for
from tests.client.loopback import KEY, Answer, Request, Service

BODY = b'{"srcIP":"192.0.2.1"}\n{"srcIP":"192.0.2.2"}\n'


class Waits(list[float]):
    """Notes the waits and does not wait."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def client(service: Service, waits: Waits, **retry: float) -> Client:
    return Client(service.url, KEY, retry=Retry(**retry), random=Random(1), sleep=waits)  # type: ignore[arg-type]  # floats stand in for the one integer


def test_events_go_compressed_with_the_key_as_user_name(service: Service) -> None:
    with client(service, Waits()) as sender:
        receipt = sender.send("ip", BODY)
    assert (receipt.received, receipt.accepted, receipt.rejected) == (2, 2, {})
    (request,) = service.requests
    assert (request.method, request.path) == ("POST", "/v1/events/ip")
    assert gzip.decompress(request.body) == BODY
    assert request.headers["Content-Encoding"] == "gzip"
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["User-Agent"] == f"tawny/{tawny.__version__}"
    assert base64.b64decode(request.headers["Authorization"].split()[1]) == f"{KEY}:".encode()


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_request_that_may_succeed_later_is_repeated_byte_for_byte(
    service: Service, status: int
) -> None:
    service.script = [Answer(status), Answer(hang_up=True), Answer(status)]
    waits = Waits()
    with client(service, waits) as sender:
        assert sender.send("dns", BODY).accepted == 2
    assert len(service.requests) == 4
    assert len({request.body for request in service.requests}) == 1
    assert len(waits) == 3


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, tawny.Refused),
        (401, tawny.Unauthenticated),
        (403, tawny.Forbidden),
        (413, tawny.TooLarge),
        (404, tawny.Refused),
    ],
)
def test_a_refusal_is_final_and_says_why(
    service: Service, status: int, error: type[tawny.Refused]
) -> None:
    service.script = [Answer(status, {"message": "no such\nthing"}, {"Retry-After": "1"})]
    with client(service, Waits()) as sender, pytest.raises(error) as caught:
        sender.send("ip", BODY)
    assert caught.value.status == status
    assert str(caught.value) == f"{status}: no such thing"
    assert len(service.requests) == 1


@pytest.mark.parametrize(
    ("status", "error"),
    [(429, tawny.Overloaded), (503, tawny.Overloaded), (500, tawny.ServerFault)],
)
def test_the_attempts_come_to_an_end(
    service: Service, status: int, error: type[tawny.Refused]
) -> None:
    service.usual = lambda _: Answer(status, b"<html>down</html>")
    waits = Waits()
    with client(service, waits, retries=3) as sender, pytest.raises(error, match="down"):
        sender.send("ip", BODY)
    assert len(service.requests) == 4
    assert all(0 <= wait <= 0.5 * 2**turn for turn, wait in enumerate(waits))


def test_a_service_that_is_not_there_is_unreachable_after_the_last_attempt() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    waits = Waits()
    sender = Client(url, KEY, retry=Retry(retries=2), sleep=waits)
    with sender, pytest.raises(tawny.Unreachable) as caught:
        sender.status()
    assert len(waits) == 2
    assert caught.value.code == "unreachable"
    assert KEY not in str(caught.value)


def test_retry_after_is_waited_for_and_costs_no_attempt(service: Service) -> None:
    service.script = [Answer(503, None, {"Retry-After": "7"}) for _ in range(5)]
    waits = Waits()
    with client(service, waits, retries=0) as sender:
        sender.send("ip", BODY)
    assert len(waits) == 5
    assert all(7 <= wait <= 7 + 0.5 * 2**turn for turn, wait in enumerate(waits))


def test_patience_with_retry_after_has_an_end(service: Service) -> None:
    service.usual = lambda _: Answer(503, None, {"Retry-After": "50"})
    waits = Waits()
    with client(service, waits, patience=120) as sender, pytest.raises(tawny.Overloaded):
        sender.send("ip", BODY)
    assert len(waits) == 2
    assert sum(waits) <= 120


def test_each_pause_is_told_with_its_reason(service: Service) -> None:
    service.script = [Answer(503, {"message": "busy"})]
    told: list[str] = []
    with Client(
        service.url, KEY, sleep=Waits(), on_pause=lambda pause: told.append(pause.reason)
    ) as sender:
        sender.send("ip", BODY)
    assert told == ["503: busy"]


def test_waits_are_spread_over_the_whole_range_and_never_above_the_ceiling() -> None:
    retry = Retry(retries=2000, base=1, ceiling=8)
    attempts = Attempts(retry=retry, random=Random(5))
    waits = [attempts.delay(retry_after=None) for _ in range(2000)]
    late = [wait for wait in waits[10:] if wait is not None]
    assert len(late) == 1990
    assert max(late) <= 8
    assert min(late) < 0.2
    assert 3.7 < sum(late) / len(late) < 4.3
    assert attempts.delay(retry_after=None) is None


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("5", 5.0),
        (" 0 ", 0.0),
        ("Fri, 31 Dec 1999 23:59:59 GMT", 9.0),
        ("Fri, 31 Dec 1999 23:59:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    assert seconds_asked_for(header, epoch=946684790.0) == seconds


@pytest.mark.parametrize("body", [b"[]", b"hello", b'{"received":1}', b"\xff"])
def test_an_answer_that_is_not_of_this_api_is_said_so(service: Service, body: bytes) -> None:
    service.usual = lambda _: Answer(200, body)
    with client(service, Waits()) as sender, pytest.raises(tawny.UnexpectedAnswer):
        sender.send("ip", BODY)


def test_a_redirect_is_not_followed(service: Service) -> None:
    service.script = [Answer(302, {}, {"Location": "http://192.0.2.1/"})]
    with client(service, Waits()) as sender, pytest.raises(tawny.UnexpectedAnswer, match="302"):
        sender.send("ip", BODY)


@pytest.mark.parametrize(
    "url",
    ["", "tawny.example", "ftp://tawny.example", "http://", "http://key@tawny.example",
     "https://tawny.example/?x=1", "http://tawny.example:port"],
)  # fmt: skip
def test_an_address_that_cannot_be_the_services_is_refused_at_once(url: str) -> None:
    with pytest.raises(tawny.InvalidUrl):
        Client(url, KEY)


def test_a_service_under_a_path_is_reached_there(service: Service) -> None:
    with Client(service.url + "/tawny/", KEY) as sender:
        sender.send("ip", BODY)
    assert service.requests[0].path == "/tawny/v1/events/ip"


def test_status_is_read_and_new_fields_are_passed_over(service: Service) -> None:
    service.usual = lambda _: Answer(
        body={
            "registered": True, "expired": False, "workspaceID": "w",
            "today": "2024-01-01T00:00:00Z", "endpointsSeenToday": 3,
            "messages": [{"level": 2, "body": "soon"}], "later": [1],
        }
    )  # fmt: skip
    with client(service, Waits()) as reader:
        status = reader.status()
    assert (status.registered, status.workspace_id, status.endpoints_seen_today) == (True, "w", 3)
    assert status.messages[0].body == "soon"


def alert_pages(request: Request) -> Answer:
    second = "follow=1-a" in request.path
    return Answer(
        body={
            "follow": "1-b" if second else "1-a",
            "more": not second,
            "alerts": [{"id": "2" if second else "1", "threats": ["t"], "severity": 3, "new": 1}],
            "threats": {"t": {"title": "A beacon", "severity": 3}},
        }
    )


def test_alerts_are_read_to_the_last_page(service: Service) -> None:
    service.usual = alert_pages
    with client(service, Waits()) as reader:
        alerts = list(reader.alerts(min_severity=2))
        pages = list(reader.pages(follow="1-a"))
    assert [alert.id for alert in alerts] == ["1", "2"]
    assert b'"new"' in bytes(alerts[0].raw)
    assert [page.follow for page in pages] == ["1-b"]
    assert pages[0].title(pages[0].alerts[0]) == "A beacon"
    assert service.requests[0].path == "/v1/alerts?threats=all&minSeverity=2"
    assert service.requests[1].path == "/v1/alerts?threats=all&follow=1-a&minSeverity=2"


def test_pages_that_do_not_advance_are_not_read_for_ever(service: Service) -> None:
    service.usual = lambda _: Answer(body={"follow": "1-a", "more": True, "alerts": []})
    with client(service, Waits()) as reader, pytest.raises(tawny.UnexpectedAnswer):
        list(reader.pages())


def test_the_key_is_neither_shown_nor_logged(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    service.script = [Answer(503)]
    with client(service, Waits()) as sender:
        sender.send("ip", BODY)
        shown = repr(sender) + str(vars(sender))
    coded = base64.b64encode(f"{KEY}:".encode()).decode()
    assert KEY not in shown + caplog.text
    assert coded not in shown + caplog.text


def test_reading_a_format_imports_nothing_of_the_network() -> None:
    code = (
        "import sys, tawny.formats.zeek\n"
        "found = {'httpx', 'httpcore', 'click', 'rich', 'socket', 'ssl'} & set(sys.modules)\n"
        "assert not found, found"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_public_name_can_be_imported() -> None:
    assert all(getattr(tawny, name) for name in tawny.__all__)
    with pytest.raises(AttributeError):
        tawny.nothing  # noqa: B018 -- the access is the test
