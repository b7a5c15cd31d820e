"""Checkpoints reach doors and object stores outside, and what fails there holds nobody up."""

import hashlib
import hmac
import re
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from audit.checkpoints import TreeHead, sign
from audit.errors import AheadOfUs, NotTaken, UnknownPlace
from audit.events import EventType
from audit.places import DELIVER_EVERY, STALE_AFTER, News, Place, Places, shown
from config.places import LOCKED_FOR, HttpPlace, ObjectPlace, places_of
from crypto import signatures
from crypto.merkle import EMPTY_ROOT
from egress import EgressError, Limits, Policy
from egress.fetch import send
from tests.egress.servers import serving

ORIGIN = "tawny.example/test"
SIGNER = signatures.generate(ORIGIN)
ACCESS, SECRET, REGION = "AKIAEXAMPLE", "a secret of the test's", "eu-test-1"
SECONDS = 5.0


def note(size: int) -> str:
    return sign(TreeHead(origin=ORIGIN, size=size, root=EMPTY_ROOT), SIGNER)


def answering(status: int) -> Callable[[socket.socket, bytes], None]:
    """Read the whole request, then answer; the body is appended to ``bodies``."""

    def answer(connection: socket.socket, request: bytes) -> None:
        head, _, body = request.partition(b"\r\n\r\n")
        match = re.search(rb"(?i)content-length: (\d+)", head)
        assert match is not None
        while len(body) < int(match[1]):
            body += connection.recv(4096)
        bodies.append(body)
        connection.sendall(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % status)

    bodies: list[bytes] = []
    answer.bodies = bodies  # type: ignore[attr-defined] # how a test reads what came
    return answer


def place_of(text: str, *, environ: Mapping[str, str]) -> Place:
    (place,) = places_of([text], environ=environ)
    return place


def environ(port: int, tmp_path: Path) -> dict[str, str]:
    keys = tmp_path / "s3"
    keys.write_text(f"{ACCESS}\n{SECRET.replace(' ', '_')}\n")
    return {
        "TAWNY_CHECKPOINT_ALLOW": f"http://127.0.0.0/8:{port}",
        "TAWNY_CHECKPOINT_S3_FILE": str(keys),
        "TAWNY_CHECKPOINT_S3_REGION": REGION,
    }


def test_a_token_is_one_doors_and_goes_over_https() -> None:
    one, two = "https://one.example/kept", "put+https://two.example/kept"
    own = {"TAWNY_CHECKPOINT_TOKEN_FILE": "one.example=/t/one, two.example:443=/t/two"}
    found = places_of([one, "put+https://two.example:443/kept", "syslog:"], environ=own)
    secrets = [each.secret for each in found if isinstance(each, HttpPlace)]
    assert secrets == [Path("/t/one"), Path("/t/two")]
    found = places_of([one, two], environ={"TAWNY_CHECKPOINT_TOKEN_FILE": "one.example=/t/one"})
    assert [each.secret for each in found if isinstance(each, HttpPlace)] == [Path("/t/one"), None]
    alone = {"TAWNY_CHECKPOINT_TOKEN_FILE": "/t/one"}
    (door,) = places_of([one], environ=alone)
    assert isinstance(door, HttpPlace)
    assert door.secret == Path("/t/one")
    for texts, said in (
        ([one, two], "/t/one"),
        ([one, f"{one}/other"], "one.example=/t/one"),
        ([one, two], "one.example=/t/one,two.example=/t/one"),
        ([one], "nowhere.example=/t/one"),
        (["syslog:"], "/t/one"),
        ([one, two], "one.example=/t/one,/t/two"),
    ):
        with pytest.raises(UnknownPlace, match="token"):
            places_of(texts, environ={"TAWNY_CHECKPOINT_TOKEN_FILE": said})
    plain = {
        "TAWNY_CHECKPOINT_ALLOW": "http://one.example:80",
        "TAWNY_CHECKPOINT_TOKEN_FILE": "/t/one",
    }
    with pytest.raises(UnknownPlace, match="over HTTPS alone"):
        places_of(["http://one.example/kept"], environ=plain)


SECRET_URLS = (
    "https://kept.example/kept?key=hidden", "put+https://kept.example/hidden?",
    "https://us:hidden@kept.example/", "s3+https://kept.example/bucket?hidden",
    "https://kept.example/#hidden", "syslog://hidden@kept.example", "file:/kept?hidden",
    "http://kept.example/hidden", "gopher://kept.example/hidden", "https://kept.example:hidden/",
)  # fmt: skip


@pytest.mark.parametrize("text", SECRET_URLS)
def test_a_url_with_a_query_or_a_user_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(UnknownPlace) as refused:
        place_of(text, environ={"TAWNY_CHECKPOINT_S3_FILE": "/keys"})
    assert "hidden" not in str(refused.value)
    assert "hidden" not in shown(text)


def offered(found: list[Place], now: datetime) -> list[News]:
    kept = Places(found)
    kept.offer(note(7), now=now)
    kept.wait(SECONDS)
    return kept.news()


def test_neither_log_nor_news_repeat_a_places_path(
    tmp_path: Path, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(answering(503)) as server:
        text = f"http://127.0.0.1:{server.port}/hidden/kept"
        found = places_of([text], environ=environ(server.port, tmp_path))
        news = offered(found, now)
    news += offered(found, now)  # nobody listens any more
    assert [each.place for each in news] == [f"http://127.0.0.1:{server.port}"] * 2
    assert not [each for each in news if "hidden" in each.reason]
    assert "503" in caplog.text
    assert "hidden" not in caplog.text


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_door_gets_the_note_as_it_was_signed(method: str, tmp_path: Path, now: datetime) -> None:
    answer = answering(204)
    with serving(answer) as server:
        scheme = "http" if method == "POST" else "put+http"
        text = f"{scheme}://127.0.0.1:{server.port}/kept"
        place = place_of(text, environ=environ(server.port, tmp_path))
        assert isinstance(place, HttpPlace)
        token = tmp_path / "token"
        token.write_text("a-token\n")
        place = replace(place, secret=token)  # in a test the door has no certificate
        place.keep(note(7), now=now)
        (request,) = server.requests
    assert request.startswith(f"{method} /kept HTTP/1.1\r\n".encode())
    assert b"Authorization: Bearer a-token\r\n" in request
    assert answer.bodies == [note(7).encode()]  # type: ignore[attr-defined] # see above


def test_a_door_that_refuses_says_why(tmp_path: Path, now: datetime) -> None:
    for status, error in ((409, AheadOfUs), (503, NotTaken), (302, NotTaken), (403, NotTaken)):
        with serving(answering(status)) as server:
            place = place_of(
                f"http://127.0.0.1:{server.port}/", environ=environ(server.port, tmp_path)
            )
            with pytest.raises(error):
                place.keep(note(7), now=now)


def test_nothing_is_sent_where_no_rule_of_the_operators_leads(now: datetime) -> None:
    with serving(answering(204)) as server:
        text = f"http://127.0.0.1:{server.port}/"
        with pytest.raises(UnknownPlace, match="not open"):
            place_of(text, environ={})
        other = {"TAWNY_CHECKPOINT_ALLOW": f"http://kept.example:{server.port}"}
        with pytest.raises(UnknownPlace, match="not open"):
            place_of(text, environ=other)
        https = HttpPlace(
            name="x", url=f"https://127.0.0.1:{server.port}/", method="PUT", policy=Policy()
        )
        with pytest.raises(NotTaken, match="url_refused"):
            https.keep(note(1), now=now)
        assert server.requests == []
    for text in ("ftp://kept.example/", "https://user@kept.example/", "s3+https://kept.example/b"):
        with pytest.raises(UnknownPlace):
            place_of(text, environ={})
    with pytest.raises(UnknownPlace, match="no rule"):
        place_of("http://kept.example/", environ={"TAWNY_CHECKPOINT_ALLOW": "kept.example"})


class Store:
    """As an S3 of one bucket judges a PUT: it computes the signature anew from what arrived."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.locks: dict[str, datetime] = {}
        self.refused: list[str] = []

    def __call__(self, connection: socket.socket, request: bytes) -> None:
        head, _, body = request.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = {
            name.lower(): value for name, _, value in (each.partition(": ") for each in lines)
        }
        while len(body) < int(headers["content-length"]):
            body += connection.recv(4096)
        status = self.judge(first, headers, body)
        connection.sendall(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % status)

    def judge(self, first: str, headers: dict[str, str], body: bytes) -> int:  # noqa: PLR0911 -- a reason each
        method, path, _ = first.split(" ")
        given = re.fullmatch(
            r"AWS4-HMAC-SHA256 Credential=(\S+)/(\d{8})/(\S+)/s3/aws4_request,"
            r" SignedHeaders=(\S+), Signature=([0-9a-f]{64})",
            headers["authorization"],
        )
        if given is None or given[1] != ACCESS or given[3] != REGION:
            return self._refuse("credential")
        if hashlib.sha256(body).hexdigest() != headers["x-amz-content-sha256"]:
            return self._refuse("body")
        names = given[4].split(";")
        must = {"host", "x-amz-date", "x-amz-content-sha256"}
        must |= {name for name in headers if name.startswith("x-amz-")}
        if not must <= set(names):
            return self._refuse("unsigned header")
        canonical = "\n".join(
            (method, path, "", *(f"{n}:{headers[n].strip()}" for n in names), "", given[4],
             headers["x-amz-content-sha256"])
        )  # fmt: skip
        scope = f"{given[2]}/{REGION}/s3/aws4_request"
        stated = "\n".join(
            ("AWS4-HMAC-SHA256", headers["x-amz-date"], scope,
             hashlib.sha256(canonical.encode()).hexdigest())
        )  # fmt: skip
        key = f"AWS4{SECRET.replace(' ', '_')}".encode()
        for part in (given[2], REGION, "s3", "aws4_request", stated):
            key = hmac.digest(key, part.encode(), "sha256")
        if key.hex() != given[5]:
            return self._refuse("signature")
        if headers.get("if-none-match") == "*" and path in self.objects:
            return 412
        if headers["x-amz-object-lock-mode"] != "COMPLIANCE":
            return self._refuse("lock")
        until = headers["x-amz-object-lock-retain-until-date"]
        self.locks[path] = datetime.strptime(until, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        self.objects[path] = body
        return 200

    def _refuse(self, why: str) -> int:
        self.refused.append(why)
        return 403


def test_a_bucket_takes_each_note_once_signed_as_s3_asks_and_locked(
    tmp_path: Path, now: datetime
) -> None:
    store = Store()
    with serving(store) as server:
        text = f"s3+http://127.0.0.1:{server.port}/bucket/of us/"
        with pytest.raises(UnknownPlace):
            place_of(text, environ=environ(server.port, tmp_path))
        text = text.replace(" ", "-")
        place = place_of(text, environ=environ(server.port, tmp_path))
        assert isinstance(place, ObjectPlace)
        for size in (7, 8, 8):
            place.keep(note(size), now=now)
        assert store.refused == []
        assert list(store.objects.values()) == [note(7).encode(), note(8).encode()]
        assert set(store.locks.values()) == {now + LOCKED_FOR}
        assert all(re.fullmatch(r"/bucket/of-us/\d{20}-[0-9a-f]{16}", p) for p in store.objects)
        (tmp_path / "s3").write_text(f"{ACCESS}\nanother\n")
        with pytest.raises(NotTaken, match="answered 403"):
            place.keep(note(9), now=now)
    assert store.refused == ["signature"]
    (tmp_path / "s3").write_text("one")
    with pytest.raises(NotTaken, match="a line each"):
        place.keep(note(9), now=now)


def test_the_fake_store_refuses_what_s3_refuses(tmp_path: Path, now: datetime) -> None:
    store = Store()
    with serving(store) as server:
        text = f"s3+http://127.0.0.1:{server.port}/b"
        place_of(text, environ=environ(server.port, tmp_path)).keep(note(7), now=now)
        raw = server.requests[0]
    head, _, _ = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {n.lower(): v for n, _, v in (each.partition(": ") for each in lines)}
    body = note(7).encode()
    assert store.judge(first, headers, body) == 412
    for name, value in (
        ("x-amz-object-lock-retain-until-date", "2026-05-02T00:00:00Z"),
        ("x-amz-object-lock-mode", "GOVERNANCE"), ("x-amz-date", "20260501T120001Z"),
    ):  # fmt: skip
        assert store.judge(first, headers | {name: value}, body) == 403
    assert store.judge(first, headers, body + b"x") == 403
    assert store.judge(first, headers | {"x-amz-acl": "public-read"}, body) == 403
    assert store.judge(first.replace("/b/", "/c/"), headers, body) == 403


class Gone:
    name = "https://kept.example/"

    def __init__(self) -> None:
        self.there = False

    def keep(self, note: str, *, now: datetime) -> None:
        assert note
        assert now.tzinfo
        if not self.there:
            raise NotTaken("nobody answers")


def test_three_minutes_without_a_place_are_an_alarm_and_told_once(
    now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    gone = Gone()
    places = Places([gone])
    told = []
    for minute in range(8):
        places.offer(note(minute + 1), now=now + minute * DELIVER_EVERY)
        places.wait(SECONDS)
        told += [(minute, each.event) for each in places.news()]
    assert timedelta(seconds=180) == STALE_AFTER
    assert told == [(0, EventType.CHECKPOINT_FAILED), (3, EventType.CHECKPOINT_STALE)]
    assert "no checkpoint was kept outside for 180 s" in caplog.text
    gone.there = True
    places.offer(note(9), now=now + 9 * DELIVER_EVERY)
    places.wait(SECONDS)
    assert [each.event for each in places.news()] == [EventType.CHECKPOINT_KEPT]
    gone.there = False
    for minute in range(10, 16):
        places.offer(note(minute), now=now + minute * DELIVER_EVERY)
        places.wait(SECONDS)
        told += [(minute, each.event) for each in places.news()]
    assert [each[1] for each in told[2:]] == [
        EventType.CHECKPOINT_FAILED,
        EventType.CHECKPOINT_STALE,
    ]


def test_a_store_that_never_answers_holds_up_no_step(tmp_path: Path, now: datetime) -> None:
    silent, release = threading.Event(), threading.Event()

    def answer(connection: socket.socket, request: bytes) -> None:
        assert connection.fileno() > 0
        assert request
        silent.set()
        release.wait(SECONDS)

    with serving(answer) as server:
        text = f"http://127.0.0.1:{server.port}/"
        places = Places([place_of(text, environ=environ(server.port, tmp_path))])
        places.offer(note(1), now=now)
        assert silent.wait(SECONDS), "the offer came back while the store is silent"
        release.set()
        places.wait(SECONDS)
    assert [each.event for each in places.news()] == [EventType.CHECKPOINT_FAILED]


def test_what_is_sent_follows_no_redirect() -> None:
    def answer(connection: socket.socket, request: bytes) -> None:
        assert request
        connection.sendall(
            b"HTTP/1.1 307 X\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n"
        )

    limits = Limits(connect=1, read=1, total=2)
    with serving(answer) as server:
        policy = server.policy
        with pytest.raises(EgressError) as refused:
            send(server.url, method="PUT", body=b"x", policy=policy, limits=limits)
    assert refused.value.code == "redirect_refused"
