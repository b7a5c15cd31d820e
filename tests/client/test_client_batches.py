"""How both clients cut a program's events into requests."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from ipaddress import ip_address
from itertools import count, islice
from typing import Any

import pytest

import tawny
from tawny import Receipt
from tawny.formats.events import DnsEvent, IpEvent
from tests.client.faces import Face
from tests.client.loopback import Answer, Service


def numbered(n: int) -> dict[str, Any]:
    return {"ts": "2026-01-01T00:00:00Z", "srcIP": "192.0.2.1", "query": f"h{n}.example"}


def queries(service: Service) -> list[list[str]]:
    return [[event["query"] for event in request.events] for request in service.requests]


def test_structs_and_dicts_go_as_the_apis_json(service: Service, face: Face) -> None:
    event = DnsEvent(ts="2026-01-01T00:00:00Z", src_ip="192.0.2.1", query="x.example")
    when = datetime(2026, 1, 1, tzinfo=UTC)
    plain = {"ts": when, "srcIP": ip_address("2001:db8::1"), "query": "y.example"}
    with face.client(service.url) as sender:
        receipt = sender.send_events("dns", [event, plain])
    assert receipt == Receipt(received=2, accepted=2)
    assert service.requests[0].path == "/v1/events/dns"
    assert service.requests[0].events == [
        {"ts": "2026-01-01T00:00:00Z", "srcIP": "192.0.2.1", "query": "x.example"},
        {"ts": "2026-01-01T00:00:00Z", "srcIP": "2001:db8::1", "query": "y.example"},
    ]


def test_nothing_to_send_is_no_request(service: Service, face: Face) -> None:
    with face.client(service.url) as sender:
        assert sender.send_events("dns", []) == Receipt(received=0, accepted=0)
    assert service.requests == []


def test_requests_end_at_the_number_of_events(service: Service, face: Face) -> None:
    with face.client(service.url) as sender:
        receipt = sender.send_events("dns", map(numbered, range(1000)), batch_events=300)
    sent = queries(service)
    assert [len(batch) for batch in sent] == [300, 300, 300, 100]
    assert [query for batch in sent for query in batch] == [f"h{n}.example" for n in range(1000)]
    assert receipt.accepted == 1000


def test_requests_end_at_their_size(service: Service, face: Face) -> None:
    with face.client(service.url) as sender:
        sender.send_events("dns", map(numbered, range(1000)), batch_bytes=10_000)
    assert len(service.requests) > 5
    assert sum(len(batch) for batch in queries(service)) == 1000


def test_equal_events_around_a_cut_stay_in_one_request(service: Service, face: Face) -> None:
    events = [numbered(n) for n in range(98)] + [numbered(98)] * 7 + [numbered(99), numbered(98)]
    more = [numbered(n) for n in range(100, 200)]
    with face.client(service.url) as sender:
        sender.send_events("dns", events + more, batch_events=100)
    sent = queries(service)
    assert [batch.count("h98.example") for batch in sent if "h98.example" in batch] == [8]
    assert sum(map(len, sent)) == 98 + 7 + 2 + 100


def test_a_source_of_equal_events_alone_makes_no_request_without_an_end(
    service: Service, face: Face
) -> None:
    with face.client(service.url) as sender:
        sender.send_events("dns", [numbered(1)] * 1000, batch_events=100)
    assert max(map(len, queries(service))) == 200
    assert sum(map(len, queries(service))) == 1000


def test_rejections_of_all_requests_are_added_up(service: Service, face: Face) -> None:
    service.usual = lambda request: Answer(
        body={
            "received": len(request.events),
            "accepted": len(request.events) - 1,
            "rejected": {"ts_future": 1},
        }
    )
    with face.client(service.url) as sender:
        receipt = sender.send_events("dns", map(numbered, range(250)), batch_events=100)
    assert receipt == Receipt(received=250, accepted=247, rejected={"ts_future": 3})


def test_an_error_says_how_much_was_taken_before_it(service: Service, face: Face) -> None:
    service.script = [Answer(), Answer(403, {"message": "revoked"})]
    with face.client(service.url) as sender, pytest.raises(tawny.Forbidden) as caught:
        sender.send_events("dns", map(numbered, range(1000)), batch_events=100)
    assert caught.value.__notes__ == ["100 events were accepted before"]


def test_a_source_is_not_read_further_ahead_than_a_request_needs(
    service: Service, face: Face
) -> None:
    service.usual = lambda _: Answer(403, {"message": "revoked"})
    drawn = count()
    with face.client(service.url) as sender, pytest.raises(tawny.Forbidden):
        sender.send_events("dns", (numbered(n) for n in drawn), batch_events=100)
    assert next(drawn) <= 512


def test_a_struct_of_another_kind_is_a_mistake_of_the_program(service: Service, face: Face) -> None:
    event = IpEvent(ts="2026-01-01T00:00:00Z", src_ip="192.0.2.1", dest_ip="192.0.2.2")
    with face.client(service.url) as sender, pytest.raises(ValueError, match="kind ip"):
        sender.send_events("dns", [event])
    assert service.requests == []


def test_what_json_cannot_hold_is_a_mistake_of_the_program(service: Service, face: Face) -> None:
    with face.client(service.url) as sender, pytest.raises(TypeError, match="object"):
        sender.send_events("dns", [numbered(1) | {"sensor": object()}])
    with face.client(service.url) as sender:
        sender.send_events("ip", [{"duration": Decimal("1.5")}])
    assert len(service.requests) == 1


def test_the_asynchronous_client_takes_an_asynchronous_source(service: Service) -> None:
    async def source() -> AsyncIterator[dict[str, Any]]:
        for n in islice(count(), 600):
            yield numbered(n)

    with Face(name="async").client(service.url) as sender:
        receipt = sender.send_events("dns", source(), batch_events=500)
    assert receipt.accepted == 600
    assert [len(batch) for batch in queries(service)] == [500, 100]
