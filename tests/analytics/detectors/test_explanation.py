from typing import Any

import pytest
from hypothesis import given, strategies as st

from analytics.detectors.directions import Direction
from analytics.detectors.explanation import Finding, Part, evidence, explain, plain


def part(points: float) -> Part:
    return Part(feature="f", value=1, baseline=0, points=points, reason="r")


@given(st.lists(st.floats(-1e4, 1e4), max_size=8))
def test_points_add_up_exactly_and_none_moves_by_a_hundredth(points: list[float]) -> None:
    explanation = explain([part(value) for value in points])
    assert explanation.score == sum(c.points for c in explanation.contributions)
    assert explanation.score == pytest.approx(100 * sum(points), abs=0.5001)
    for value, contribution in zip(points, explanation.contributions, strict=True):
        assert abs(contribution.points - 100 * value) < 1.0 + 1e-6


def test_the_missing_hundredths_go_to_those_that_lost_most() -> None:
    explanation = explain([part(0.004), part(0.003), part(0.003)])
    assert [c.points for c in explanation.contributions] == [1, 0, 0]


def test_evidence_is_read_only_and_cut_to_six_digits() -> None:
    made: Any = evidence(period_s=59.98765432, contacts=12345678, ports="443")
    assert dict(made) == {"period_s": 59.9877, "contacts": 12345678, "ports": "443"}
    with pytest.raises(TypeError):
        made["period_s"] = 1.0
    assert plain(1e-9 / 3) == 3.33333e-10


def test_every_field_of_a_finding_reaches_its_digest() -> None:
    fields: dict[str, Any] = {
        "detection": "beacon_rare",
        "threats": ("beacon_rare",),
        "key": (),
        "severity": 2,
        "direction": Direction.OUT,
        "first": 1,
        "last": 2,
        "count": 3,
        "explanation": explain([part(1.0)]),
        "evidence": evidence(a=1),
        "material": b"",
    }
    changed: dict[str, Any] = {
        "detection": "x",
        "threats": ("x",),
        "key": ("x",),
        "severity": 3,
        "direction": Direction.IN,
        "first": 0,
        "last": 9,
        "count": 4,
        "explanation": explain([part(2.0)]),
        "evidence": evidence(a=2),
        "material": b"x",
    }
    base = Finding(**fields).digest_input()
    assert base == Finding(**fields).digest_input()
    for name, value in changed.items():
        assert Finding(**{**fields, name: value}).digest_input() != base, name
