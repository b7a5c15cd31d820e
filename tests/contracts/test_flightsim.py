"""The public traffic generator against a live product's Open Wisdom."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.clients.flightsim import Generator, NoTargets
from tests.contracts.wire import Server
from tests.wisdom.served import serving
from wisdom import publishing
from wisdom.index import build

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])
FAR = timedelta(days=9_000)


@pytest.fixture
def generator(server: Server, settings: Any, tmp_path: Path) -> Iterator[Generator]:
    """The generator, before a snapshot of two open lists."""
    settings.OPEN_WISDOM = True
    settings.SNAPSHOT_DIR = str(tmp_path)
    publishing._reader.cache_clear()
    one = "evil.example bad.example 192.0.2.1:443 192.0.2.2 [2001:db8::1]:8443"
    lists = [
        serving("one", one, family="TrickBot", until=FAR),
        serving("two", "sink.example", flag="sinkholed", until=FAR),
    ]
    build(tmp_path, lists, stamp=("one",), now=datetime.now(UTC))
    yield Generator(server=server)
    publishing._reader.cache_clear()


def test_it_gets_names_to_resolve_and_hosts_to_connect_to(generator: Generator) -> None:
    assert set(generator.names("c2")) == {"evil.example", "bad.example"}
    assert set(generator.hosts("c2")) == {"192.0.2.1:443", "2001:db8::1:8443"}
    assert generator.names("sinkholed") == ["sink.example"]


def test_it_picks_a_family_that_it_was_told_of(generator: Generator) -> None:
    assert generator.families("c2") == ["TrickBot"]
    assert set(generator.names("c2", family="trickbot")) == {"evil.example", "bad.example"}
    assert generator.names("c2", family="nobody") == []


@pytest.mark.parametrize("category", ["c2", "sinkholed", "cryptomining", "imposter", "irc"])
@pytest.mark.parametrize("least", [0, 1])
def test_every_category_that_it_knows_is_answered(
    generator: Generator, category: str, least: int
) -> None:
    if least and category not in {"c2", "sinkholed"}:
        with pytest.raises(NoTargets, match="known"):
            generator.names(category, least=least)
    else:
        assert isinstance(generator.names(category, least=least), list)


def test_where_it_is_not_offered_the_text_says_so(generator: Generator, settings: Any) -> None:
    settings.OPEN_WISDOM = False
    with pytest.raises(NoTargets, match="not offered"):
        generator.names("c2")
