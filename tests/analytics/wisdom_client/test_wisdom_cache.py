from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from redis import Redis

from analytics.wisdom_client import Memory, Shared, Tiers
from config.embedded.state import Connection
from crypto import envelope
from crypto.random import random_bytes
from destinations.report import Destination, Report
from tests.analytics.wisdom_client.wisdoms import report

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ONE, TWO, THREE = (Destination.of_name(f"{word}.evil.example") for word in ("one", "two", "three"))
KEY = bytes(range(32))
DATA_KEY = envelope.DataKey(id=UUID(int=1), secret=KEY)


def seal(plaintext: bytes, context: bytes) -> bytes:
    return envelope.seal(key=DATA_KEY, plaintext=plaintext, context=context)


def unseal(sealed: bytes, context: bytes) -> bytes:
    return envelope.unseal(key=lambda _name: DATA_KEY, sealed=sealed, context=context)


@pytest.fixture
def valkey(servers: Connection) -> Redis:
    client = Redis(unix_socket_path=str(servers.valkey_socket), db=9)
    client.flushdb()
    return client


def shared(client: Redis, key: bytes = KEY) -> Shared:
    return Shared(client, key=key, seal=seal, unseal=unseal)


def stored(client: Redis) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for key in client.scan_iter():
        value = client.get(key)
        assert isinstance(key, bytes)
        assert isinstance(value, bytes)
        found[key] = value
    return found


def known(found: Sequence[tuple[float, Report]]) -> set[Destination]:
    return {each.destination for _, each in found}


def test_the_report_used_longest_ago_goes_first() -> None:
    memory = Memory(size=2)
    memory.put([report(ONE), report(TWO)], now=NOW)
    memory.get([ONE], now=NOW)
    memory.put([report(THREE)], now=NOW)
    assert set(memory.get([ONE, TWO, THREE], now=NOW)) == {ONE, THREE}


def test_a_report_past_its_ttl_is_forgotten() -> None:
    memory = Memory()
    memory.put([report(ONE, ttl=10)], now=NOW)
    assert memory.get([ONE], now=NOW + timedelta(seconds=9))
    assert not memory.get([ONE], now=NOW + timedelta(seconds=10))
    assert not memory.get([ONE], now=NOW)


def test_processes_share_reports_through_valkey(valkey: Redis) -> None:
    first, second = Tiers(Memory(), shared(valkey)), Tiers(Memory(), shared(valkey))
    first.put([report(ONE, flags=("c2",))], now=NOW)
    assert second.get([ONE, TWO], now=NOW) == {ONE: report(ONE, flags=("c2",))}
    valkey.flushdb()
    assert ONE in second.get([ONE], now=NOW)
    late = NOW + timedelta(seconds=3_600)
    assert second.get([ONE], now=late) == {}


def test_nothing_in_valkey_names_a_destination_and_all_of_it_expires(valkey: Redis) -> None:
    shared(valkey).put([report(ONE), report(TWO, ttl=60)], now=NOW)
    assert len(stored(valkey)) == 2
    for key, value in stored(valkey).items():
        assert b"evil" not in key + value
        assert 0 < valkey.ttl(key) <= 3_600


def test_another_key_finds_nothing_and_a_moved_value_is_not_believed(valkey: Redis) -> None:
    mine = shared(valkey)
    mine.put([report(ONE), report(TWO)], now=NOW)
    assert shared(valkey, random_bytes(32)).get_until([ONE], now=NOW) == []
    (one, first), (two, second) = stored(valkey).items()
    valkey.set(one, second)
    valkey.set(two, first)
    assert mine.get_until([ONE, TWO], now=NOW) == []
    valkey.set(one, b"garbage")
    assert known(mine.get_until([ONE, TWO], now=NOW)) == set()


def test_a_valkey_that_is_away_costs_only_its_memory(tmp_path: Path) -> None:
    nowhere = Shared.at(f"unix://{tmp_path}/none", key=KEY, seal=seal, unseal=unseal)
    tiers = Tiers(Memory(), nowhere)
    tiers.put([report(ONE)], now=NOW)
    assert set(tiers.get([ONE, TWO], now=NOW)) == {ONE}
