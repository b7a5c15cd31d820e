"""Asking Wisdom where something of it is missing."""

from pathlib import Path
from typing import Any

import pytest

from analytics.actions import reports
from destinations.report import Destination

ASKED = frozenset({Destination(kind="name", value="a.example")})


def test_without_a_wisdom_nothing_is_owed(settings: Any) -> None:
    settings.WISDOM_URL = ""
    answer = reports.ask(ASKED)
    assert (answer.reports, answer.owed) == ({}, frozenset())


@pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])
def test_a_key_that_cannot_be_read_leaves_the_answers_owed(settings: Any, tmp_path: Path) -> None:
    settings.WISDOM_URL = "https://wisdom.example"
    settings.WISDOM_KEY_FILE = str(tmp_path / "missing")
    reports._client.cache_clear()
    answer = reports.ask(ASKED)
    assert (answer.reports, answer.owed) == ({}, ASKED)
