"""Bars: their heights say the counts, and little is not taken for nothing."""

from datetime import timedelta

import pytest

from console.charts import HEIGHT, LEAST, STEP, bars
from console.templatetags.console_text import octets, severity, span


def test_the_greatest_bar_is_as_tall_as_the_drawing_and_the_others_are_in_proportion() -> None:
    drawn = bars([("a", 10), ("b", 5), ("c", 0)])
    assert [bar.height for bar in drawn.bars] == [HEIGHT, HEIGHT / 2, 0]
    assert [bar.y + bar.height for bar in drawn.bars] == [HEIGHT] * 3
    assert (drawn.width, drawn.total, drawn.most) == (3 * STEP, 15, 10)


def test_one_event_among_a_million_is_still_a_bar() -> None:
    assert [bar.height for bar in bars([("a", 10**6), ("b", 1)]).bars] == [HEIGHT, LEAST]


def test_nothing_is_drawn_for_nothing() -> None:
    assert bars([]).bars == ()
    assert [bar.height for bar in bars([("a", 0)]).bars] == [0]


def test_a_severity_is_a_sign_and_a_word_besides_its_colour() -> None:
    written = [severity(number) for number in range(1, 6)]
    assert len({text.partition('d="')[2].partition('"')[0] for text in written}) == 5
    assert "critical" in written[4]
    with pytest.raises(KeyError):
        severity(6)


def test_sizes_and_spans_are_written_in_their_largest_unit() -> None:
    assert octets(0) == "0\N{NO-BREAK SPACE}B"
    assert octets(1536) == "1.5\N{NO-BREAK SPACE}KiB"
    assert octets(2**40 * 20) == "20\N{NO-BREAK SPACE}TiB"
    assert span(timedelta(hours=2)) == "2\N{NO-BREAK SPACE}h"
