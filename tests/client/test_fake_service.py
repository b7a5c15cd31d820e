"""The fake service that programs using the SDK test with, through both clients."""

from collections.abc import Iterator
from itertools import islice
from random import Random
from typing import Any

import pytest

import tawny
from tawny import AsyncClient, Client
from tawny.testing import FakeService
from tests.client.faces import Driven, Face, Waits


@pytest.fixture
def fake() -> Iterator[FakeService]:
    with FakeService() as service:
        yield service


def opened(face: Face, fake: FakeService, waits: Waits | None = None) -> Any:
    waits = Waits() if waits is None else waits
    options: dict[str, Any] = {"random": Random(1)}
    if face.name == "sync":
        return Client(fake.url, fake.key, sleep=waits, **options)
    return Driven(lambda: AsyncClient(fake.url, fake.key, sleep=waits.awaited, **options))


def test_events_that_were_sent_can_be_looked_at(fake: FakeService, face: Face) -> None:
    with opened(face, fake) as client:
        client.send_events("dns", [{"query": "a.example"}, {"query": "b.example"}])
        client.send_events("ip", [{"destIP": "192.0.2.1"}])
    assert fake.received == {
        "dns": [{"query": "a.example"}, {"query": "b.example"}],
        "ip": [{"destIP": "192.0.2.1"}],
    }


def test_alerts_are_given_page_by_page_and_then_as_they_come(fake: FakeService, face: Face) -> None:
    for n in range(150):
        fake.alert(severity=n % 2, detection="beacon")
    with opened(face, fake) as client:
        assert len(list(client.alerts())) == 150
        assert len(list(client.alerts(min_severity=1))) == 75
        followed = client.follow(follow="1-150")
        fake.alert(id="new")
        assert [alert.id for alert in islice(followed, 1)] == ["new"]
        followed.close()


def test_what_is_known_is_answered_and_of_the_rest_nothing(fake: FakeService, face: Face) -> None:
    fake.know("tcp:[2001:db8::1]:443", flags=["c2"], score=6000)
    with opened(face, fake) as client:
        assert client.lookup("tcp:[2001:db8::1]:443").score == 6000
        assert client.lookup("x.example").flags == []
        assert client.status().registered


def test_refusals_come_once_each_and_in_their_order(fake: FakeService, face: Face) -> None:
    fake.refuse(503, "busy", retry_after=7)
    fake.refuse(403, "revoked")
    waits = Waits()
    with opened(face, fake, waits) as client:
        with pytest.raises(tawny.Forbidden, match="revoked"):
            client.status()
        assert client.status().registered
    assert 7 <= waits[0] <= 7.5


def test_another_key_is_unknown(fake: FakeService) -> None:
    with Client(fake.url, fake.key[:-1]) as client, pytest.raises(tawny.Unauthenticated):
        client.status()


def test_what_is_no_event_is_refused(fake: FakeService) -> None:
    with Client(fake.url, fake.key) as client, pytest.raises(tawny.Refused, match="400"):
        client.send("dns", b"no json\n")
    assert fake.received == {}


def test_what_the_fake_does_not_have_is_not_found(fake: FakeService) -> None:
    with Client(fake.url, fake.key) as client, pytest.raises(tawny.Refused, match="404"):
        client.flags()
