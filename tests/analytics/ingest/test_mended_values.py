"""Values of another type than expected: what is mended, and what is said of the rest."""

import math

import pytest

from analytics.ingest.events import DNS, IP, KINDS, Header, IpEvent
from analytics.ingest.mending import mend, repair
from analytics.ingest.reasons import Reason


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"srcPort": "53"}, {"srcPort": 53}),
        ({"srcPort": 53.0}, {"srcPort": 53}),
        ({"srcPort": "-"}, {}),
        ({"srcPort": ""}, {}),
        ({"srcPort": None, "labels": None, "localOrig": None}, {}),
        ({"bytesIn": "9223372036854775807"}, {"bytesIn": 2**63 - 1}),
        ({"duration": "1.5"}, {"duration": 1.5}),
        ({"localOrig": "T", "localResp": "false"}, {"localOrig": True, "localResp": False}),
        ({"localOrig": 1}, {"localOrig": True}),
        ({"labels": "one"}, {"labels": ("one",)}),
        ({"labels": ["one", 2]}, {"labels": ("one", "2")}),
        ({"srcHost": 17}, {"srcHost": "17"}),
        ({"ts": 1.5, "unknown": object()}, {"ts": 1.5}),
    ],
)
def test_a_value_of_another_type_is_mended(
    fields: dict[str, object], expected: dict[str, object]
) -> None:
    assert repr(repair(fields, IP)) == repr(IpEvent(**expected))  # type: ignore[arg-type]  # one field each


@pytest.mark.parametrize(
    ("field", "bad", "reason"),
    [
        ("ts", True, Reason.TS_INVALID),
        ("ts", [1], Reason.TS_INVALID),
        ("srcIP", 7, Reason.SRC_INVALID),
        ("destIP", {}, Reason.DEST_INVALID),
        ("srcPort", "http", Reason.NUMBER_OUT_OF_RANGE),
        ("srcPort", 65_536, Reason.NUMBER_OUT_OF_RANGE),
        ("srcPort", "--5", Reason.NUMBER_OUT_OF_RANGE),
        ("srcPort", True, Reason.NUMBER_OUT_OF_RANGE),
        ("bytesIn", "9223372036854775808", Reason.NUMBER_OUT_OF_RANGE),
        ("bytesIn", "1" * 10_000, Reason.NUMBER_OUT_OF_RANGE),
        ("bytesIn", "nan", Reason.NUMBER_OUT_OF_RANGE),
        ("duration", -0.5, Reason.NUMBER_OUT_OF_RANGE),
        ("duration", 10**400, Reason.NUMBER_OUT_OF_RANGE),
        ("duration", "inf", Reason.NUMBER_OUT_OF_RANGE),
        ("localOrig", "perhaps", Reason.MALFORMED),
        ("localOrig", [], Reason.MALFORMED),
        ("labels", [{}], Reason.MALFORMED),
        ("srcHost", [], Reason.MALFORMED),
    ],
)
def test_what_cannot_be_mended_says_why(field: str, bad: object, reason: Reason) -> None:
    assert repair({field: bad}, IP) is reason


def test_a_question_that_is_no_text_is_an_invalid_query() -> None:
    assert repair({"query": 7}, DNS) is Reason.QUERY_INVALID
    assert isinstance(repair({"query": "-"}, DNS), Header)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_no_number_however_large_makes_an_exception(kind: object) -> None:
    known = KINDS[getattr(kind, "name")]  # noqa: B009 -- parametrised as an object
    for column in known.columns:
        for number in ("1e400", "-1e400", "9" * 5000, "[1e400]", '{"alg":1e400}'):
            found = mend(f'{{"{column.name}":{number},"unknown":1e999}}'.encode(), known)
            assert found is not None


def test_what_no_float_holds_is_infinity_and_fits_no_field_but_a_time() -> None:
    assert mend(b'{"duration":1e400}', IP) is Reason.NUMBER_OUT_OF_RANGE
    assert mend(b'{"srcIP":1e400}', IP) is Reason.SRC_INVALID
    timed = mend(b'{"ts":1e400}', IP)
    assert isinstance(timed, Header)
    assert timed.ts == math.inf  # which no time is: the event is rejected as `ts_invalid`


@pytest.mark.parametrize(
    "piece", [b"[]", b"1", b"{", b'{"a":tru}', b'{"ts":"\\ud800"}', b'{"ts":"\xff"}']
)
def test_what_is_no_json_object_is_nothing(piece: bytes) -> None:
    assert mend(piece, DNS) is None


@pytest.mark.parametrize(
    "held",
    [b'{"u":"\xff"}', b'{"u":"\xff","n":1e400}', b'{"n":1e400,"u":"\xff"}', b'["\xff",1e400]',
     b'[1e400,{"\xff":1}]'],
)  # fmt: skip
def test_bytes_that_are_no_text_in_a_field_are_no_json_wherever_a_number_stands(
    held: bytes,
) -> None:
    assert mend(b'{"srcHost":' + held + b"}", IP) is None
