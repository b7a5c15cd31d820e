"""Sealed rows: each opens where it was written, with what was written, and nowhere else."""

from datetime import datetime, timedelta
from uuid import UUID

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from analytics.ingest.batches import to_batch
from analytics.ingest.bodies import Receipt
from analytics.ingest.events import DNS, IP, IpEvent
from analytics.ingest.fingerprints import multiplicities
from analytics.ingest.parts import pack_parts
from analytics.models import IdentityRun, InboxPart, Segment
from analytics.series import codec, store
from analytics.series.shards import nanoseconds
from analytics.series.store import WindowKey
from crypto.errors import CryptoError
from crypto.ids import uuid7
from tenants import keys
from tenants.errors import KeyUnavailable
from tenants.scope import tenant_scope

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])
NEIGHBOUR = UUID(int=2)
START = datetime.fromisoformat("2026-05-01T12:00:00+00:00")
LINES = b"".join(
    b'{"ts":%d,"srcIP":"192.0.2.1","destIP":"198.51.100.7","connID":"secret%d"}'
    % (1777636800 + n, n)
    for n in range(3)
)
WINDOW = WindowKey("ip", 1, nanoseconds(START))


def batch() -> pa.Table:
    events = [
        IpEvent(ts=1777636800 + n, srcIP="192.0.2.1", destIP="198.51.100.7", connID=f"secret{n}")
        for n in range(3)
    ]
    return to_batch(events, IP, now=nanoseconds(START))[0]


def rows_of(table: pa.Table) -> list[str]:
    return [str(row) for row in table.to_pylist()]


@pytest.fixture
def segment(tenant: tuple[UUID, str], now: datetime) -> Segment:
    return store.seal_segment(tenant[0], window=WINDOW, start=START, kind=IP, rows=batch(), now=now)


@pytest.fixture
def part(tenant: tuple[UUID, str], now: datetime) -> InboxPart:
    work = uuid7(now)
    (packed,) = pack_parts([LINES], "", IP, Receipt(), now=nanoseconds(START))
    return store.seal_part(tenant[0], work=work, number=2, kind=IP, part=packed, now=now)


@pytest.fixture
def run(tenant: tuple[UUID, str], now: datetime) -> IdentityRun:
    found = multiplicities(np.array([3, 3, 9], dtype=np.uint64))
    return store.seal_identities(tenant[0], window=WINDOW, start=START, run=found, now=now)


def test_a_segment_opens_after_a_round_through_the_database(
    segment: Segment, tenant: tuple[UUID, str]
) -> None:
    with tenant_scope(tenant[0]):
        Segment.objects.bulk_create([segment])
        row = Segment.objects.get()
    keys.forget()
    assert rows_of(store.open_segment(row, IP)) == rows_of(batch())
    some = store.open_segment(row, IP, columns=("connID", "ts"))
    assert some.column_names == ["ts", "connID"]
    assert b"secret" not in bytes(row.sealed)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("id", UUID(int=9)),
        ("kind", "dns"),
        ("shard", 2),
        ("start", START + timedelta(hours=1)),
        ("schema", 2),
    ],
)
def test_a_segment_moved_to_another_place_does_not_open(
    segment: Segment, column: str, value: object
) -> None:
    setattr(segment, column, value)
    with pytest.raises(CryptoError):
        store.open_segment(segment, DNS if value == "dns" else IP)


@pytest.mark.parametrize(
    ("column", "value"),
    [("id", UUID(int=9)), ("work_id", UUID(int=9)), ("part", 3), ("kind", "dns"), ("schema", 1)],
)
def test_a_part_moved_to_another_request_does_not_open(
    part: InboxPart, column: str, value: object
) -> None:
    assert rows_of(store.read_part(part, IP)[0]) == rows_of(batch())
    setattr(part, column, value)
    with pytest.raises(CryptoError):
        store.open_part(part)


def test_a_part_that_the_release_before_left_in_the_inbox_is_read(
    tenant: tuple[UUID, str], now: datetime
) -> None:
    identifier, work = uuid7(now), uuid7(now)
    columns = codec.encode(batch(), IP)
    where = ("inbox_part", identifier, work, 0, "ip", store.COLUMN_SCHEMA)
    row = InboxPart(
        tenant_id=tenant[0], id=identifier, work_id=work, part=0, kind="ip",
        schema=store.COLUMN_SCHEMA, events=3,
        sealed=keys.seal(tenant[0], keys.INBOX, columns, *where, now=now),
    )  # fmt: skip
    table, ignored = store.read_part(row, IP)
    assert (rows_of(table), ignored) == (rows_of(batch()), {})


@pytest.mark.parametrize(
    ("column", "value"),
    [("id", UUID(int=9)), ("kind", "dns"), ("shard", 0), ("start", START - timedelta(hours=1))],
)
def test_identities_moved_to_another_window_do_not_open(
    run: IdentityRun, column: str, value: object
) -> None:
    prints, counts = store.open_identities(run)
    assert (prints.tolist(), counts.tolist()) == ([3, 9], [2, 1])
    setattr(run, column, value)
    with pytest.raises(CryptoError):
        store.open_identities(run)


def test_bytes_of_one_tenant_do_not_open_as_anothers(segment: Segment, now: datetime) -> None:
    keys.make_tenant_keys(NEIGHBOUR, now=now)
    segment.tenant_id = NEIGHBOUR
    keys.forget()
    with pytest.raises(KeyUnavailable):
        store.open_segment(segment, IP)


def test_a_neighbour_with_the_data_key_in_memory_does_not_open_it_either(
    segment: Segment, tenant: tuple[UUID, str], now: datetime
) -> None:
    keys.make_tenant_keys(NEIGHBOUR, now=now)
    store.seal_segment(NEIGHBOUR, window=WINDOW, start=START, kind=IP, rows=batch(), now=now)
    assert store.open_segment(segment, IP).num_rows == 3
    segment.tenant_id = NEIGHBOUR
    with pytest.raises((KeyUnavailable, CryptoError)):
        store.open_segment(segment, IP)
    assert tenant[0] != NEIGHBOUR


def test_bytes_of_one_class_do_not_open_as_anothers(part: InboxPart, segment: Segment) -> None:
    part.sealed, segment.sealed = segment.sealed, part.sealed
    with pytest.raises(CryptoError):
        store.open_part(part)
    with pytest.raises(CryptoError):
        store.open_segment(segment, IP)


@given(st.dictionaries(st.integers(0, 2**64 - 1), st.integers(1, 2**32 - 1), max_size=20))
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_identities_come_back_with_their_multiplicities(
    tenant: tuple[UUID, str], now: datetime, found: dict[int, int]
) -> None:
    prints = np.array(sorted(found), dtype=np.uint64)
    counts = np.array([found[each] for each in sorted(found)], dtype=np.uint32)
    run = store.seal_identities(
        tenant[0], window=WINDOW, start=START, run=(prints, counts), now=now
    )
    back = store.open_identities(run)
    assert dict(zip(back[0].tolist(), back[1].tolist(), strict=True)) == found
    assert run.rows == len(found)
    merged = store.read_identities([run, run])
    assert dict(zip(merged[0].tolist(), merged[1].tolist(), strict=True)) == found
