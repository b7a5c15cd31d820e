"""The bars of ISO-5, and which figures miss them."""

import pytest

from bench import verify_isolation
from bench.verify_isolation import QUERIES, Figure, main


def figure(
    *, scoped: float = 0.3, policies: float = 0.31, indexes: tuple[str, ...] = ("alert_pkey",)
) -> Figure:
    return Figure(
        query="q",
        rows=1,
        open=0.2,
        scoped=scoped,
        policies=policies,
        indexes=indexes,
        led_by_tenant=bool(indexes),
    )


@pytest.mark.parametrize(
    ("measured", "is_met"),
    [
        (figure(), True),
        (figure(scoped=2.0, policies=2.19), True),
        (figure(scoped=2.0, policies=2.21), False),
        (figure(scoped=0.3, policies=0.37), False),
        (figure(scoped=0.4, policies=97.0), False),
        (figure(indexes=()), False),
    ],
)
def test_a_policy_may_add_a_fifth_and_two_tenths_of_a_millisecond(
    measured: Figure, *, is_met: bool
) -> None:
    assert measured.is_met is is_met


def test_one_figure_that_misses_is_the_exit_status(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    figures = [figure(), figure(policies=97.0)]
    monkeypatch.setattr(verify_isolation, "verify", lambda **_sizes: figures)
    assert main(["--json"], write=written.append) == 1
    assert [line.rpartition(": ")[2] for line in written[:2]] == ["met", "NOT MET"]
    monkeypatch.setattr(verify_isolation, "verify", lambda **_sizes: figures[:1])
    assert main([], write=written.append) == 0


def test_five_queries_of_five_tables_name_the_tenant() -> None:
    assert len({each.table for each in QUERIES}) == 5
    assert all("tenant_id = %(tenant)s" in each.sql for each in QUERIES)
