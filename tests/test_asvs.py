"""The checklist of ASVS 5.0 is whole, and what it points to is there (SUP-7)."""

import csv
import re
from collections import Counter
from pathlib import Path

import pytest

from config.settings.base import REPOSITORY

CHECKLIST = REPOSITORY / "docs" / "asvs-5.0.tsv"
OF_LEVELS = {"1": 70, "2": 183}
"""Requirements of ASVS 5.0.0 by level; its level 2 is both."""
OF_LEVEL_3 = {"6": 12, "7": 1, "8": 6, "11": 10, "16": 1}
"""By chapter: those of which the third level is listed as well."""
STANDINGS = frozenset({"met", "partly", "open", "not applicable"})

Row = dict[str, str]


def rows() -> list[Row]:
    with CHECKLIST.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_each_requirement_of_the_level_is_listed_once_and_in_order() -> None:
    listed = [tuple(map(int, row["requirement"].split("."))) for row in rows()]
    assert listed == sorted(set(listed))
    counted = Counter(row["level"] for row in rows())
    assert {level: counted[level] for level in OF_LEVELS} == OF_LEVELS
    third = Counter(row["requirement"].split(".")[0] for row in rows() if row["level"] == "3")
    assert dict(third) == OF_LEVEL_3


@pytest.mark.parametrize("row", rows(), ids=lambda row: row["requirement"])
def test_each_has_a_standing_words_and_what_shows_it(row: Row) -> None:
    assert row["standing"] in STANDINGS
    assert row["words"].endswith(".")
    if row["standing"] == "not applicable":
        assert row["evidence"] == ""
        return
    path, _, name = row["evidence"].partition("::")
    shown = REPOSITORY / path
    assert shown.is_file()
    if shown.suffix == ".py":
        assert shown.name.startswith("test_")
        text = shown.read_text("utf-8")
        assert re.search(r"^def test_", text, re.MULTILINE)
        assert not name or f"def {name}(" in text


def test_a_page_says_how_many_are_met() -> None:
    standings = Counter(row["standing"] for row in rows() if row["level"] in OF_LEVELS)
    told = Path(REPOSITORY / "docs" / "supply-chain.md").read_text("utf-8")
    words = (
        f"{standings['met']} met, {standings['partly']} partly, {standings['open']} open, "
        f"{standings['not applicable']} not applicable"
    )
    assert words in told
