"""How both clients ask and how they try again, against a real HTTP service on the loopback."""

import base64
import gzip
import logging
import pickle
import socket
import subprocess
import sys
from random import Random

import pytest

import tawny
from tawny import AsyncClient, Client, Pause, Retry
from tawny.retries import Attempts, seconds_asked_for
from tests.client.faces import Face, Waits
from tests.client.loopback import KEY, Answer, Service
from tests.client.secure import Secure

BODY = b'{"srcIP":"192.0.2.1"}\n{"srcIP":"192.0.2.2"}\n'


def test_events_go_compressed_with_the_key_as_user_name(service: Service, face: Face) -> None:
    with face.client(service.url) as sender:
        receipt = sender.send("ip", BODY)
    assert (receipt.received, receipt.accepted, receipt.rejected) == (2, 2, {})
    (request,) = service.requests
    assert (request.method, request.path) == ("POST", "/v1/events/ip")
    assert gzip.decompress(request.body) == BODY
    assert request.headers["Content-Encoding"] == "gzip"
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["User-Agent"] == f"tawny/{tawny.__version__}"
    assert base64.b64decode(request.headers["Authorization"].split()[1]) == f"{KEY}:".encode()


def test_a_body_that_is_compressed_already_goes_as_it_is(service: Service, face: Face) -> None:
    packed = gzip.compress(BODY, 9)
    with face.client(service.url) as sender:
        assert sender.send_packed("dns", packed).accepted == 2
    (request,) = service.requests
    assert (request.path, request.body) == ("/v1/events/dns", packed)
    assert request.headers["Content-Encoding"] == "gzip"


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_request_that_may_succeed_later_is_repeated_byte_for_byte(
    service: Service, face: Face, status: int
) -> None:
    service.script = [Answer(status), Answer(hang_up=True), Answer(status)]
    waits = Waits()
    with face.client(service.url, waits) as sender:
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
    service: Service, face: Face, status: int, error: type[tawny.Refused]
) -> None:
    body = {"message": "no such\nthing", "code": "nothing"}
    service.script = [Answer(status, body, {"Retry-After": "1"})]
    with face.client(service.url) as sender, pytest.raises(error) as caught:
        sender.send("ip", BODY)
    assert caught.value.status == status
    assert str(caught.value) == f"{status}: no such thing"
    assert caught.value.problem == "nothing"
    assert len(service.requests) == 1


@pytest.mark.parametrize(
    ("status", "error"),
    [(429, tawny.Overloaded), (503, tawny.Overloaded), (500, tawny.ServerFault)],
)
def test_the_attempts_come_to_an_end(
    service: Service, face: Face, status: int, error: type[tawny.Refused]
) -> None:
    service.usual = lambda _: Answer(status, b"<html>down</html>")
    waits = Waits()
    with (
        face.client(service.url, waits, retry=Retry(retries=3)) as sender,
        pytest.raises(error, match="down"),
    ):
        sender.send("ip", BODY)
    assert len(service.requests) == 4
    assert all(0 <= wait <= 0.5 * 2**turn for turn, wait in enumerate(waits))


def test_a_service_that_is_not_there_is_unreachable_after_the_last_attempt(face: Face) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    waits = Waits()
    sender = face.client(url, waits, retry=Retry(retries=2))
    with sender, pytest.raises(tawny.Unreachable) as caught:
        sender.status()
    assert len(waits) == 2
    assert caught.value.code == "unreachable"
    assert KEY not in str(caught.value)


def test_a_certificate_that_is_not_trusted_is_final(
    secure: Secure, face: Face, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, _ = secure.service()
    monkeypatch.setenv("SSL_CERT_FILE", str(secure.certificate("other.pem")))
    waits = Waits()
    with face.client(service.url, waits) as sender, pytest.raises(tawny.Untrusted) as caught:
        sender.status()
    assert caught.value.code == "untrusted"
    assert (waits, service.requests) == ([], [])
    with face.client(service.url) as sender, pytest.raises(tawny.Untrusted):
        next(sender.follow())


def test_a_certificate_that_is_trusted_lets_events_through(
    secure: Secure, face: Face, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, authority = secure.service()
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    with face.client(service.url) as sender:
        assert sender.send("ip", BODY).accepted == 2


def test_retry_after_is_waited_for_and_costs_no_attempt(service: Service, face: Face) -> None:
    service.script = [Answer(503, None, {"Retry-After": "7"}) for _ in range(5)]
    waits = Waits()
    with face.client(service.url, waits, retry=Retry(retries=0)) as sender:
        sender.send("ip", BODY)
    assert len(waits) == 5
    assert all(7 <= wait <= 7 + 0.5 * 2**turn for turn, wait in enumerate(waits))


def test_retry_after_may_be_a_date(service: Service, face: Face) -> None:
    service.script = [Answer(429, None, {"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"})]
    waits = Waits()
    with face.client(service.url, waits, clock=lambda: 946684790.0) as sender:
        sender.send("ip", BODY)
    assert 9 <= waits[0] <= 9.5


def test_patience_with_retry_after_has_an_end(service: Service, face: Face) -> None:
    service.usual = lambda _: Answer(503, None, {"Retry-After": "50"})
    waits = Waits()
    sender = face.client(service.url, waits, retry=Retry(patience=120))
    with sender, pytest.raises(tawny.Overloaded):
        sender.send("ip", BODY)
    assert len(waits) == 2
    assert sum(waits) <= 120


def test_each_pause_is_told_with_its_reason(service: Service, face: Face) -> None:
    service.script = [Answer(503, {"message": "busy"})]
    told: list[Pause] = []
    waits = Waits()
    with face.client(service.url, waits, on_pause=told.append) as sender:
        sender.send("ip", BODY)
    assert told == [Pause(reason="503: busy", seconds=waits[0])]


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
        ("Fri, 31 Dec 99999 23:59:00 GMT", None),
        ("soon", None),
        ("-5", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    assert seconds_asked_for(header, epoch=946684790.0) == seconds


@pytest.mark.parametrize("body", [b"[]", b"hello", b'{"received":1}', b"\xff", b'"\xff"'])
def test_an_answer_that_is_not_of_this_api_is_said_so(
    service: Service, face: Face, body: bytes
) -> None:
    service.usual = lambda _: Answer(200, body)
    with face.client(service.url) as sender, pytest.raises(tawny.UnexpectedAnswer):
        sender.send("ip", BODY)
    assert len(service.requests) == 1


def test_a_body_that_is_not_compressed_as_it_says_is_no_answer(
    service: Service, face: Face
) -> None:
    service.usual = lambda _: Answer(200, b"plain", {"Content-Encoding": "gzip"})
    with face.client(service.url) as sender, pytest.raises(tawny.UnexpectedAnswer):
        sender.status()


def test_a_redirect_is_not_followed_but_named(service: Service, face: Face) -> None:
    service.script = [Answer(302, {}, {"Location": "http://192.0.2.1/"})]
    with (
        face.client(service.url) as sender,
        pytest.raises(tawny.UnexpectedAnswer, match=r"302 to http://192\.0\.2\.1/"),
    ):
        sender.send("ip", BODY)


@pytest.mark.parametrize("kind", [Client, AsyncClient])
@pytest.mark.parametrize(
    "url",
    ["", "tawny.example", "ftp://tawny.example", "http://", "http://key@tawny.example",
     "https://tawny.example/?x=1", "http://tawny.example:port"],
)  # fmt: skip
def test_an_address_that_cannot_be_the_services_is_refused_at_once(
    url: str, kind: type[Client | AsyncClient]
) -> None:
    with pytest.raises(tawny.InvalidUrl):
        kind(url, KEY)


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_a_proxy_that_cannot_be_used_is_refused_without_its_password(
    monkeypatch: pytest.MonkeyPatch, kind: type[Client | AsyncClient]
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "gopher://me:hidden@192.0.2.1:70")
    with pytest.raises(tawny.InvalidUrl, match="HTTPS_PROXY") as caught:
        kind("https://tawny.example", KEY)
    assert "hidden" not in repr(caught.value)
    assert caught.value.__cause__ is None


def test_a_service_under_a_path_is_reached_there(service: Service, face: Face) -> None:
    with face.client(service.url + "/tawny/") as sender:
        sender.send("ip", BODY)
        service.usual = lambda _: Answer(body={"flags": []})
        sender.lookup("x.example")
    paths = [request.path for request in service.requests]
    assert paths == ["/tawny/v1/events/ip", "/tawny/v1/wisdom?q=x.example"]


def test_the_key_is_neither_shown_nor_logged(
    service: Service, face: Face, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    service.script = [Answer(503), Answer(), Answer(401, {"message": f"unknown: {KEY}"})]
    with face.client(service.url) as sender:
        sender.send("ip", BODY)
        with pytest.raises(tawny.Unauthenticated, match=r"unknown: \(key\)") as caught:
            sender.send("ip", BODY)
        client = getattr(sender, "client", sender)
        shown = repr(client) + str(vars(client)) + repr(caught.value)
    coded = base64.b64encode(f"{KEY}:".encode()).decode()
    assert KEY not in shown + caplog.text
    assert coded not in shown + caplog.text


def test_an_error_survives_a_process_boundary() -> None:
    error = tawny.Overloaded(503, "busy", "7", "overload")
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 -- our own bytes of the line itself
    assert (str(again), again.retry_after, again.problem) == ("503: busy", "7", "overload")


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


def test_both_clients_have_the_same_methods() -> None:
    def methods(kind: type) -> set[str]:
        return {name for name in vars(kind) if not name.startswith("_")}

    assert methods(AsyncClient) - {"aclose"} == methods(Client) - {"close"}
