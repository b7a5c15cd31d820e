"""The beat against a live product: it ends at the first null, and names gzip without a body."""

import pytest

from analytics.views import alerts
from tests.analytics.engine import BAD, BAD_NAME
from tests.contracts.clients import nfr
from tests.contracts.clients.beat import Beat, BeatError
from tests.contracts.clients.nfr import Nfr
from tests.contracts.product import Product

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])


@pytest.fixture
def beat(tawny: Product) -> Beat:
    return Beat(server=tawny.server, key=tawny.key)


def raise_alerts(tawny: Product, *sources: str) -> None:
    agent = Nfr(server=tawny.server, key=tawny.key)
    agent.buffer("dns", [nfr.dns(tawny.at(1), each, BAD_NAME) for each in sources])
    agent.buffer("tls", [nfr.tls(tawny.at(2), each, destIP=BAD) for each in sources])
    agent.flush("dns")
    agent.flush("tls")
    tawny.settle()


def test_a_poll_before_there_are_alerts_does_not_end_it(beat: Beat) -> None:
    assert beat.poll() is False
    assert beat.published == []
    assert beat.follow


def test_it_polls_publishes_and_goes_on_from_there(tawny: Product, beat: Beat) -> None:
    beat.poll()
    raise_alerts(tawny, "10.0.0.1")
    assert beat.poll() is False
    assert {each["eventType"] for each in beat.published} == {"dns", "tls"}
    assert {each["severity"] for each in beat.published} == {5}
    assert {each["wisdom"]["flags"][0] for each in beat.published} == {"c2"}
    beat.poll()
    assert len(beat.published) == 2
    raise_alerts(tawny, "10.0.0.2")
    beat.poll()
    assert len(beat.published) == 4


def test_more_brings_the_rest(tawny: Product, beat: Beat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alerts, "PAGE", 3)
    raise_alerts(tawny, "10.0.0.1", "10.0.0.2")
    assert [beat.poll(), beat.poll()] == [True, False]
    assert len(beat.published) == 4


def test_a_key_that_is_not_valid_is_an_error_that_it_can_read(beat: Beat) -> None:
    beat.key = "test-api-key"
    with pytest.raises(BeatError, match="unknown") as refused:
        beat.poll()
    assert refused.value.status == 401
