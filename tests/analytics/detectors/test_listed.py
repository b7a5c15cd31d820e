import numpy as np
import pytest

from analytics.catalogue import threats
from analytics.detectors import listed
from analytics.detectors.contacts import PairDay
from analytics.detectors.directions import Direction
from analytics.detectors.explanation import Finding
from analytics.detectors.states import ConnState
from tests.analytics.detectors.series import pair_day


def report(*flags: str, points: int = 4000) -> listed.Report:
    return listed.Report(
        destination="203.0.113.9",
        flags=flags,
        labels=tuple(f"{flag}:Example" for flag in flags),
        reasons=tuple(
            listed.Reason(
                flag=flag, source="a list", date="2026-04-30", points=points, text="on a list"
            )
            for flag in flags
        ),
    )


ANSWERED = pair_day(np.array([1.0, 2.0]))
FAILED = pair_day(np.array([1.0, 2.0]), state=ConnState.S0, bytes_out=0, bytes_in=0)


def found(
    *reports: listed.Report, day: PairDay = ANSWERED, direction: Direction = Direction.OUT
) -> Finding:
    finding = listed.detect(day, direction=direction, reports=reports)
    assert finding is not None
    return finding


def test_command_and_control_is_critical_even_where_it_never_answered() -> None:
    finding = found(report("c2"), day=FAILED)
    assert finding.threats == ("c2_communication",)
    assert finding.severity == 5
    assert finding.score == 4000


def test_a_mere_listing_counts_less_where_nothing_answered() -> None:
    assert found(report("blocklist")).severity == 3
    assert found(report("blocklist"), day=FAILED).severity == 2


def test_listed_addresses_that_knock_from_outside_are_at_most_medium() -> None:
    assert found(report("c2"), direction=Direction.IN).severity == 3


def test_points_are_the_reports_reasons_and_the_answer() -> None:
    finding = found(report("c2", points=4012), report("sinkholed", points=1501))
    points = [c.points for c in finding.explanation.contributions]
    assert points == [4012, 1501, 500]
    assert finding.score == 6013
    assert finding.threats == ("c2_communication", "sinkholed_destination")


def test_order_and_repetition_of_reports_change_nothing() -> None:
    one, other = report("c2"), report("dropper")
    assert found(one, other) == found(other, one, one)


@pytest.mark.parametrize("flags", [(), ("young_domain",), ("hosting", "freedns")])
def test_properties_alone_do_not_alert(flags: tuple[str, ...]) -> None:
    assert listed.detect(ANSWERED, direction=Direction.OUT, reports=[report(*flags)]) is None


def test_every_threat_a_flag_raises_is_in_the_catalogue_at_its_severity() -> None:
    for flag, threat in listed.THREATS.items():
        assert threats()[threat.id].severity >= threat.severity, flag
