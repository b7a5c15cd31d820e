import ipaddress
import threading
from dataclasses import replace
from datetime import timedelta
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from destinations import addresses, names
from destinations.networks import span
from feeds.serving import Serving
from tests.wisdom.served import NOW, serving
from wisdom.errors import SnapshotDamaged
from wisdom.index import KEPT, Snapshot, Snapshots, build, reader, records
from wisdom.index.build import segments
from wisdom.index.records import Entry

SECONDS = int(NOW.timestamp())


def snapshot(folder: Path, *lists: Serving) -> Snapshot:
    manifest = build(folder, lists, stamp=("s",), now=NOW)
    return Snapshot(folder / manifest.version)


def found(snap: Snapshot, text: str, port: int | None = None) -> list[str]:
    with snap.lookup(now=SECONDS) as lookup:
        try:
            matches = lookup.address(addresses.parse(text), port)
        except ValueError:
            matches = lookup.name(text, names.registered_domain(text))
    return [match.entry.indicator for match in matches]


@pytest.fixture
def everything(tmp_path: Path) -> Snapshot:
    return snapshot(
        tmp_path,
        serving(
            "a",
            "evil.example *.deep.wild.example.net host.shared.example.org 192.0.2.1 192.0.2.2:443 "
            "[2001:db8::1]:80 2001:db8::2 198.51.100.0/24 198.51.100.128/25 2001:db8:1::/48 "
            "203.0.113.0/26",
        ),
    )


def test_a_domain_covers_what_lies_below_it(everything: Snapshot) -> None:
    for name in ("evil.example", "www.evil.example", "a.b.c.evil.example"):
        assert found(everything, name) == ["evil.example"]
    for name in ("notevil.example", "example", "evil.example.com", "evil"):
        assert found(everything, name) == []


def test_a_wildcard_covers_its_own_branch_only(everything: Snapshot) -> None:
    assert found(everything, "x.deep.wild.example.net") == ["deep.wild.example.net"]
    assert found(everything, "wild.example.net") == []


def test_a_host_covers_itself_only(everything: Snapshot) -> None:
    assert found(everything, "host.shared.example.org") == ["host.shared.example.org"]
    assert found(everything, "www.host.shared.example.org") == []
    assert found(everything, "shared.example.org") == []


def test_an_address_matches_on_any_port_and_one_with_a_port_on_that(everything: Snapshot) -> None:
    assert found(everything, "192.0.2.1") == found(everything, "192.0.2.1", 22) == ["192.0.2.1"]
    assert found(everything, "192.0.2.2", 443) == ["192.0.2.2:443"]
    assert found(everything, "192.0.2.2", 80) == found(everything, "192.0.2.2") == []
    assert found(everything, "2001:db8::1", 80) == ["[2001:db8::1]:80"]
    assert found(everything, "2001:db8::2", 80) == ["2001:db8::2"]


def test_the_narrowest_network_comes_first(everything: Snapshot) -> None:
    assert found(everything, "198.51.100.127") == ["198.51.100.0/24"]
    assert found(everything, "198.51.100.128") == ["198.51.100.128/25", "198.51.100.0/24"]
    assert found(everything, "198.51.100.255") == ["198.51.100.128/25", "198.51.100.0/24"]
    assert found(everything, "198.51.99.255") == found(everything, "198.51.101.0") == []
    assert found(everything, "203.0.113.63") == ["203.0.113.0/26"]
    assert found(everything, "203.0.113.64") == []
    assert found(everything, "2001:db8:1:ffff::") == ["2001:db8:1::/48"]
    assert found(everything, "2001:db8:2::") == []
    assert found(everything, "ffff::") == found(everything, "::1") == []


def test_a_row_past_its_time_is_not_found(tmp_path: Path) -> None:
    snap = snapshot(
        tmp_path,
        serving("a", "evil.example 198.51.100.0/24", until=timedelta(hours=1)),
        serving("b", "evil.example", until=timedelta(days=1)),
    )
    with snap.lookup(now=SECONDS + 3_600) as lookup:
        (match,) = lookup.name("evil.example", "evil.example")
        assert match.feed.name == "b"
        assert lookup.address(addresses.parse("198.51.100.1"), None) == []


def test_a_name_longer_than_a_key_is_found(tmp_path: Path) -> None:
    long = names.normalise("a\u00e9 " * 60 + ".example").text
    assert len(long) > records.MAX_KEY
    odd = serving("a", "evil.example")
    indicator, until = odd.indicators[0]
    changed = type(indicator)(kind=indicator.kind, value=long, flag="c2")
    snap = snapshot(tmp_path, replace(odd, indicators=((changed, until),)))
    assert found(snap, long) == [long]


nets = st.lists(
    st.builds(
        lambda base, bits: ipaddress.ip_network((0xC6336400 | base, bits), strict=False),
        st.integers(0, 255),
        st.integers(20, 32),
    ),
    min_size=1,
    max_size=12,
)


@given(nets, st.integers(0xC6336400 - 300, 0xC6336400 + 600))
def test_segments_say_what_trying_every_network_says(
    networks: list[ipaddress.IPv4Network], value: int
) -> None:
    by_span: dict[tuple[int, int], list[Entry]] = {}
    for network in networks:
        entry = Entry(0, "network", str(network), "c2", "", None, None, 0, "")
        by_span.setdefault(span(str(network)), []).append(entry)
    address = ipaddress.ip_address(value)
    packed = addresses.parse(str(address))
    covering = [
        [entry.indicator for entry in segment.entries]
        for first, segment in segments(by_span)
        if first <= packed <= segment.last
    ]
    expected = sorted(
        (str(network) for network in networks if address in network),
        key=lambda text: -int(text.partition("/")[2]),
    )
    assert list(chain.from_iterable(covering)) == expected


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(st.lists(st.sampled_from(["a.example", "192.0.2.1", "198.51.100.0/24"]), max_size=4))
def test_the_content_digest_follows_the_content_alone(tmp_path: Path, rows: list[str]) -> None:
    one = build(tmp_path / "x", [serving("a", " ".join(rows))], stamp=(), now=NOW)
    again = build(tmp_path / "y", [serving("a", " ".join(rows))], stamp=("other",), now=NOW)
    assert one.content == again.content
    assert one.version == again.version
    assert (tmp_path / "x" / one.version).exists()


def test_an_empty_snapshot_is_a_snapshot(tmp_path: Path) -> None:
    snap = snapshot(tmp_path)
    assert found(snap, "evil.example") == found(snap, "192.0.2.1", 443) == []
    assert snap.manifest.counts == {}


def test_the_manifest_says_what_it_is_made_of(everything: Snapshot) -> None:
    manifest = everything.manifest
    assert manifest.counts == {
        "domain": 2,
        "name": 1,
        "address": 2,
        "address_port": 2,
        "network": 4,
    }
    (feed,) = manifest.feeds
    assert (feed.name, feed.rows, feed.release) == ("a", 11, "release-a")
    assert manifest.version.startswith("20261124T120000Z-")
    assert manifest.version.endswith(manifest.content[:16])


def test_readers_swap_to_a_new_snapshot_and_old_look_ups_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "LOOK_EVERY", 0.0)
    shelf = Snapshots(tmp_path)
    assert shelf.current() is None
    build(tmp_path, [serving("a", "one.example")], stamp=(), now=NOW)
    first = shelf.current()
    assert first is not None
    with first.lookup(now=SECONDS) as lookup:
        for hour in range(1, KEPT + 2):
            build(
                tmp_path,
                [serving("a", f"h{hour}.example")],
                stamp=(),
                now=NOW + timedelta(hours=hour),
            )
        second = shelf.current()
        assert second is not None
        assert second.version != first.version
        assert not (tmp_path / first.version).exists()
        assert len(lookup.name("one.example", "one.example")) == 1
    assert found(second, f"h{KEPT + 1}.example") == [f"h{KEPT + 1}.example"]
    assert found(second, "one.example") == []
    kept = [path for path in tmp_path.iterdir() if path.is_dir()]
    assert len(kept) == KEPT


def test_the_pointer_is_looked_at_once_a_second(tmp_path: Path) -> None:
    build(tmp_path, [], stamp=(), now=NOW)
    shelf = Snapshots(tmp_path)
    first = shelf.current()
    build(tmp_path, [serving("a", "evil.example")], stamp=(), now=NOW + timedelta(hours=1))
    assert shelf.current() is first


@pytest.mark.parametrize("harm", ["flip", "cut", "gone", "manifest"])
def test_a_damaged_snapshot_leaves_the_last_good_one_serving(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: str
) -> None:
    monkeypatch.setattr(reader, "LOOK_EVERY", 0.0)
    shelf = Snapshots(tmp_path)
    build(tmp_path, [serving("a", "evil.example")], stamp=(), now=NOW)
    good = shelf.current()
    assert good is not None
    bad = build(tmp_path, [serving("a", "x.example")], stamp=(), now=NOW + timedelta(hours=1))
    data = tmp_path / bad.version / records.DATA
    content = bytearray(data.read_bytes())
    if harm == "flip":
        content[len(content) // 2] ^= 1
        data.write_bytes(content)
    elif harm == "cut":
        data.write_bytes(content[:4096])
    elif harm == "gone":
        data.unlink()
    else:
        (tmp_path / bad.version / records.MANIFEST).write_bytes(b"{}")
    assert shelf.current() is good
    assert found(good, "evil.example") == ["evil.example"]
    with pytest.raises(SnapshotDamaged):
        Snapshot(tmp_path / bad.version)


def test_a_build_that_fails_changes_nothing(tmp_path: Path) -> None:
    good = build(tmp_path, [serving("a", "evil.example")], stamp=(), now=NOW)
    broken = serving("b", "192.0.2.1")
    indicator, until = broken.indicators[0]
    wrong = type(indicator)(kind=indicator.kind, value="no address", flag="c2")
    listed = replace(broken, indicators=((wrong, until),))
    with pytest.raises(ValueError, match="not an address"):
        build(tmp_path, [listed], stamp=(), now=NOW + timedelta(hours=1))
    assert (tmp_path / records.POINTER).read_text() == good.version
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == [good.version]


def test_two_builders_take_turns(tmp_path: Path) -> None:
    times = [NOW + timedelta(minutes=minute) for minute in range(4)]
    threads = [
        threading.Thread(
            target=build,
            args=(tmp_path, [serving("a", "evil.example")]),
            kwargs={"stamp": (), "now": now},
        )
        for now in times
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    current = (tmp_path / records.POINTER).read_text()
    assert found(Snapshot(tmp_path / current), "evil.example") == ["evil.example"]
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".building")]
