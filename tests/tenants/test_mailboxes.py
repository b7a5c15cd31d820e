"""E-mail addresses: one form for those that a mail server takes for the same."""

import pytest
from hypothesis import given, strategies as st

from tenants.mailboxes import normalised


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        ("ann@example.org", "ann@example.org"),
        ("  Ann.B+x@EXAMPLE.org ", "ann.b+x@example.org"),
        ("j\u0065\u0301@example.org", "jé@example.org"),
        ("ann@BÜCHER.example", "ann@xn--bcher-kva.example"),
        ("o'neil@example.org", "o'neil@example.org"),
    ],
)
def test_an_address_has_one_form(given_: str, expected: str) -> None:
    assert normalised(given_) == expected
    assert normalised(expected) == expected


@pytest.mark.parametrize(
    "text",
    [
        "", "ann", "@example.org", "ann@", "ann@localhost", "a b@example.org", "a@b@example.org",
        "ann@example.org\nBcc: x@example.org", "ann\n@example.org", "a\x00b@example.org",
        "<ann@example.org>", "ann@exa mple.org", "ann@-example.org", "a" * 65 + "@example.org",
        "ann@" + "a." * 126 + "org", "a,b@example.org", "a\u202eb@example.org",
    ],
)  # fmt: skip
def test_what_is_no_address_is_none(text: str) -> None:
    assert normalised(text) is None


@given(st.text(max_size=60))
def test_any_text_is_an_address_in_its_one_form_or_none(text: str) -> None:
    found = normalised(f"{text}@example.org")
    assert found is None or normalised(found) == found
