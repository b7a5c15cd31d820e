"""The SOAR platform's packs against a live product: incidents of alerts, and look-ups."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from analytics.actions import reports
from analytics.views import alerts
from audit.actors import Actor
from tests.analytics.engine import BAD
from tests.contracts.clients import nfr
from tests.contracts.clients.nfr import Nfr
from tests.contracts.clients.xsoar import AlertsPack, PackError, WisdomPack
from tests.contracts.product import Product
from tests.wisdom.served import serving
from wisdom import publishing
from wisdom.actions import create_engine
from wisdom.index import build

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])
LISTED = "192.0.2.66"


@pytest.fixture
def pack(tawny: Product) -> AlertsPack:
    return AlertsPack(server=tawny.server, key=tawny.key)


@pytest.fixture
def wisdom(tawny: Product, settings: Any, tmp_path: Path) -> Iterator[WisdomPack]:
    """The look-up pack, before an engine that asks the same deployment's Wisdom of its lists."""
    listed = serving(
        "one", f"{LISTED}:443 listed.example", family="Example", until=timedelta(days=9_000)
    )
    settings.SNAPSHOT_DIR = str(tmp_path / "snapshots")
    publishing._reader.cache_clear()
    build(Path(settings.SNAPSHOT_DIR), [listed], stamp=("one",), now=datetime.now(UTC))
    shell = Actor(kind="shell", id="test")
    _, key = create_engine(name="one", actor=shell, reason="test", now=datetime.now(UTC))
    file = tmp_path / "wisdom_key"
    file.write_text(key)
    settings.WISDOM_KEY_FILE = str(file)
    settings.WISDOM_URL = f"http://{tawny.server.authority}"
    yield WisdomPack(server=tawny.server, key=tawny.key)
    asking = reports._client(
        settings.WISDOM_URL, str(file), settings.CACHE_URL, settings.WISDOM_PINNED_CERTIFICATE
    )
    asking.close()
    reports._client.cache_clear()
    publishing._reader.cache_clear()


def raise_alerts(tawny: Product, *sources: str) -> None:
    agent = Nfr(server=tawny.server, key=tawny.key)
    agent.buffer("ip", [nfr.ip(tawny.at(n), each, BAD) for n, each in enumerate(sources)])
    agent.flush("ip")
    tawny.settle()


def test_it_tests_fetches_and_goes_on_from_there(tawny: Product, pack: AlertsPack) -> None:
    assert pack.test() == "ok"
    raise_alerts(tawny, "10.0.0.1", "10.0.0.2")
    assert pack.fetch() == 2
    assert {each.severity for each in pack.incidents} == {4.0}
    assert all(each.name for each in pack.incidents)
    assert {each.raw["event"]["srcIP"] for each in pack.incidents} == {"10.0.0.1", "10.0.0.2"}
    assert pack.fetch() == 0
    raise_alerts(tawny, "10.0.0.3")
    assert pack.fetch() == 1


def test_the_first_fetch_without_alerts_saves_a_bookmark_that_misses_none(
    tawny: Product, pack: AlertsPack
) -> None:
    assert pack.fetch() == 0
    assert pack.follow not in {"", "0"}
    raise_alerts(tawny, "10.0.0.1")
    assert pack.fetch() == 1


def test_one_page_a_fetch_is_enough_to_get_everything(
    tawny: Product, pack: AlertsPack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alerts, "PAGE", 2)
    raise_alerts(tawny, *(f"10.0.1.{n}" for n in range(1, 6)))
    assert [pack.fetch() for _ in range(4)] == [2, 2, 1, 0]


def test_a_bookmark_needs_no_encoding(tawny: Product, pack: AlertsPack) -> None:
    raise_alerts(tawny, "10.0.0.1")
    pack.fetch()
    assert pack.follow.replace("-", "").replace(".", "").isalnum()
    assert pack.follow.isascii()


@pytest.mark.parametrize("severity", range(6))
def test_every_least_severity_of_its_settings_is_taken(
    tawny: Product, pack: AlertsPack, severity: int
) -> None:
    pack.severity = severity
    raise_alerts(tawny, "10.0.0.1")
    assert pack.fetch() == 1


def test_a_key_that_is_not_valid_is_called_so(pack: AlertsPack, wisdom: WisdomPack) -> None:
    pack.key = "test-api-key"
    with pytest.raises(PackError, match="invalid API key"):
        pack.test()
    with pytest.raises(PackError, match="invalid API key"):
        WisdomPack(server=wisdom.server, key="test-api-key").ip(BAD, 443)


def test_look_ups_are_answered_as_they_are_written(wisdom: WisdomPack) -> None:
    assert wisdom.ip(LISTED, 443) == ["c2"]
    assert wisdom.domain("listed.example") == ["c2"]
    assert wisdom.domain("https://www.listed.example:8443/a?b=c") == ["c2"]


@pytest.mark.parametrize("proto", ["tcp", "udp", "icmp"])
def test_what_is_not_listed_has_an_empty_list_of_flags(wisdom: WisdomPack, proto: str) -> None:
    assert wisdom.ip("203.0.113.9", 53, proto) == []
    assert wisdom.ip("2001:db8::1", 443, proto) == []
    assert wisdom.ip("10.0.0.1", 22, proto) == []
    assert wisdom.domain(f"www.{proto}.example") == []


def test_a_wisdom_that_is_away_is_an_error_with_a_text(wisdom: WisdomPack, settings: Any) -> None:
    Path(settings.WISDOM_KEY_FILE).write_text("twe_unknown")
    with pytest.raises(PackError, match="503"):
        wisdom.domain("away.example")
