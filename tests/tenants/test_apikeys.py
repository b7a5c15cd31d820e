"""API keys: their form, and that only the whole of one opens anything."""

import pytest
from hypothesis import given, strategies as st

from tenants.apikeys import (
    ALPHABET,
    CHECK_LENGTH,
    ENGINE_PREFIX,
    ID_LENGTH,
    SECRET_LENGTH,
    TENANT_PREFIX,
    key_id,
    matches,
    mint,
)

PEPPER = bytes(range(32))


def test_a_minted_key_is_well_formed_and_its_own() -> None:
    keys = [mint(TENANT_PREFIX, pepper=PEPPER) for _ in range(200)]
    assert len({key.id for key in keys}) == len({key.text for key in keys}) == 200
    for key in keys:
        prefix, public, secret = key.text.split("_")
        assert (prefix, public) == (TENANT_PREFIX, key.id)
        assert len(public) == ID_LENGTH
        assert len(secret) == SECRET_LENGTH + CHECK_LENGTH
        assert set(public + secret) <= set(ALPHABET)
        assert key_id(TENANT_PREFIX, key.text) == key.id
        assert matches(key.text, stored=key.mac, pepper=PEPPER)


def test_a_key_is_not_shown_by_its_repr() -> None:
    key = mint(TENANT_PREFIX, pepper=PEPPER)
    assert key.text not in repr(key)
    assert key.text[17:] not in repr(key)


def test_another_prefix_pepper_or_key_does_not_match() -> None:
    one, other = mint(TENANT_PREFIX, pepper=PEPPER), mint(ENGINE_PREFIX, pepper=PEPPER)
    assert key_id(ENGINE_PREFIX, one.text) is None
    assert key_id(TENANT_PREFIX, other.text) is None
    assert not matches(one.text, stored=one.mac, pepper=bytes(32))
    assert not matches(one.text, stored=other.mac, pepper=PEPPER)


@given(st.integers(0, 67), st.sampled_from(ALPHABET + "_ é"))
def test_one_wrong_letter_is_told_before_any_database_is_asked(place: int, letter: str) -> None:
    text = mint(TENANT_PREFIX, pepper=PEPPER).text
    wrong = text[:place] + letter + text[place + 1 :]
    expected = text.split("_")[1] if wrong == text else None
    assert key_id(TENANT_PREFIX, wrong) == expected


@given(st.text(max_size=80))
def test_any_text_is_a_key_or_none(text: str) -> None:
    assert key_id(TENANT_PREFIX, text) is None


@pytest.mark.parametrize("text", ["", "_", "__", "twy_", "twy__", "twy_a_b", "twy_" + "a" * 12])
def test_pieces_of_a_key_are_none(text: str) -> None:
    assert key_id(TENANT_PREFIX, text) is None
