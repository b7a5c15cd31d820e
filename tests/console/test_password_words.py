"""A password leans on no name that a stranger knows."""

from typing import Any

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from console.models import Role, Staff

ANA = Staff(username="ana-lindqvist", role=Role.ANALYST)


@pytest.mark.parametrize(
    "password",
    [
        "tawny-tawny-tawny",
        "Lindqvist-2026-11",
        "sentinel.example.2026",
        "TAWNY-analyst-4711",
        "lindqvist-tawny-owl-1",
    ],
)
def test_names_that_a_stranger_knows_count_for_nothing(settings: Any, password: str) -> None:
    settings.ALLOWED_HOSTS = ["sentinel.example"]
    with pytest.raises(ValidationError, match="count for nothing"):
        validate_password(password, user=ANA)


@pytest.mark.parametrize(
    "password",
    ["burrow-lantern-quiet-42", "tawny-burrow-lantern-quiet", "änd dü wärest hier 🦉 oh"],
)
def test_a_long_password_may_hold_one(settings: Any, password: str) -> None:
    settings.ALLOWED_HOSTS = ["sentinel.example"]
    validate_password(password, user=ANA)
