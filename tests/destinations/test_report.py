import msgspec
import pytest

from destinations import addresses
from destinations.flags import BY_NAME, FLAGS
from destinations.report import (
    MAX_DESTINATIONS,
    Destination,
    Reason,
    Report,
    ReportsResponse,
    decode_request,
    decode_response,
    encode_request,
    encode_response,
)


def test_a_request_says_destinations_and_nothing_else() -> None:
    asked = [
        Destination.of_name("WWW.Example.com."),
        Destination.of_address(addresses.parse("192.0.2.1"), port=443, protocol="tcp"),
        Destination.of_address(addresses.parse("2001:db8::1")),
    ]
    body = encode_request(asked)
    assert body == (
        b'{"destinations":[{"kind":"name","value":"www.example.com"},'
        b'{"kind":"address","value":"192.0.2.1","port":443,"protocol":"tcp"},'
        b'{"kind":"address","value":"2001:db8::1"}]}'
    )
    assert decode_request(body).destinations == tuple(asked)


def test_the_fields_that_reach_wisdom_are_these() -> None:
    assert Destination.__struct_fields__ == ("kind", "value", "port", "protocol")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"destinations":null}',
        b'{"destinations":[],"tenant":"t"}',
        b'{"destinations":[{"kind":"name","value":"a.example","srcIP":"10.0.0.1"}]}',
        b'{"destinations":[{"kind":"name","value":"A.example"}]}',
        b'{"destinations":[{"kind":"name","value":"a.example."}]}',
        b'{"destinations":[{"kind":"name","value":""}]}',
        b'{"destinations":[{"kind":"name","value":"a.example","port":443}]}',
        b'{"destinations":[{"kind":"name","value":"a.example","protocol":"tcp"}]}',
        b'{"destinations":[{"kind":"address","value":"::ffff:192.0.2.1"}]}',
        b'{"destinations":[{"kind":"address","value":"a.example"}]}',
        b'{"destinations":[{"kind":"address","value":"192.0.2.1","port":65536}]}',
        b'{"destinations":[{"kind":"address","value":"192.0.2.1","port":-1}]}',
        b'{"destinations":[{"kind":"address","value":"192.0.2.1","port":1.5}]}',
        b'{"destinations":[{"kind":"address","value":"192.0.2.1","protocol":"sctp"}]}',
        b'{"destinations":[{"kind":"url","value":"a.example/"}]}',
    ],
)
def test_whatever_else_arrives_is_refused(body: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_request(body)


def test_a_request_has_its_limit() -> None:
    one = Destination.of_name("a.example")
    assert len(decode_request(encode_request([one] * MAX_DESTINATIONS)).destinations) == 10_000
    with pytest.raises(msgspec.ValidationError, match="10000"):
        decode_request(encode_request([one] * (MAX_DESTINATIONS + 1)))


def test_equal_destinations_are_one_key() -> None:
    assert len({Destination.of_name("a.example"), Destination.of_name("A.example.")}) == 1


def test_a_response_survives_the_wire() -> None:
    report = Report(
        destination=Destination.of_name("a.example"),
        flags=("c2",),
        labels=("c2:Test",),
        domain="a.example",
        score=6_000,
        verdict="malicious",
        reasons=(Reason(source="s", title="S", kind="feed", points=6_000, flag="c2"),),
        ttl=60,
        snapshot="v",
        psl="p",
    )
    response = ReportsResponse(reports=(report,))
    assert decode_response(encode_response(response)) == response


def test_each_flag_is_listed_once_with_a_title_and_a_type() -> None:
    assert len(BY_NAME) == len(FLAGS)
    assert {"c2", "dropper", "blocklist", "beacon", "young_domain", "non_whitelisted"} <= set(
        BY_NAME
    )
    assert all(flag.title and flag.type in ("category", "feature") for flag in FLAGS)
    assert BY_NAME["non_whitelisted"].type == "feature"
