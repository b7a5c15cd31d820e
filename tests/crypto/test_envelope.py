"""Envelopes open only where they were sealed."""

import pickle
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import given, strategies as st

from crypto import envelope, ids
from crypto.errors import MalformedSealed, NotAuthentic, UnknownKey, WrongKey

KEY = envelope.DataKey(id=UUID(int=7), secret=b"k" * 32)
PART = st.one_of(
    st.text(max_size=8),
    st.binary(max_size=8),
    st.integers(-(2**63), 2**63 - 1),
    st.uuids(),
)


def held(name: UUID) -> envelope.DataKey | None:
    return KEY if name == KEY.id else None


@given(st.binary(max_size=200), st.lists(PART, max_size=4))
def test_what_was_sealed_comes_back(
    plaintext: bytes, parts: list[str | bytes | int | UUID]
) -> None:
    row = envelope.context(*parts)
    sealed = envelope.seal(key=KEY, plaintext=plaintext, context=row)
    assert envelope.unseal(key=held, sealed=sealed, context=row) == plaintext
    assert len(sealed) == len(plaintext) + envelope.OVERHEAD_BYTES


@given(st.lists(PART, max_size=4), st.lists(PART, max_size=4))
def test_different_contexts_never_encode_alike(
    one: list[str | bytes | int | UUID], other: list[str | bytes | int | UUID]
) -> None:
    typed = [[(type(part), part) for part in parts] for parts in (one, other)]
    assert (envelope.context(*one) == envelope.context(*other)) == (typed[0] == typed[1])


def test_a_ciphertext_moved_to_another_row_does_not_open() -> None:
    sealed = envelope.seal(key=KEY, plaintext=b"x", context=envelope.context("alerts", UUID(int=1)))
    with pytest.raises(NotAuthentic):
        envelope.unseal(key=held, sealed=sealed, context=envelope.context("alerts", UUID(int=2)))


def test_an_envelope_of_another_key_is_named() -> None:
    other = envelope.DataKey(id=uuid4(), secret=b"o" * 32)
    sealed = envelope.seal(key=other, plaintext=b"x", context=b"")
    with pytest.raises(UnknownKey, match=str(other.id)):
        envelope.unseal(key=held, sealed=sealed, context=b"")


@given(st.binary(max_size=100))
def test_arbitrary_bytes_are_no_envelope(noise: bytes) -> None:
    with pytest.raises((MalformedSealed, UnknownKey)):
        envelope.unseal(key=held, sealed=noise, context=b"")


def test_a_wrapped_key_opens_under_its_own_context_and_check_only() -> None:
    data = envelope.DataKey(id=uuid4(), secret=b"d" * 32)
    wrapped = envelope.wrap(key=data, under=KEY, context=b"tenant")
    assert (
        envelope.unwrap(wrapped=wrapped, id=data.id, check=data.check, under=KEY, context=b"tenant")
        == data
    )
    with pytest.raises(NotAuthentic):
        envelope.unwrap(wrapped=wrapped, id=data.id, check=data.check, under=KEY, context=b"other")
    with pytest.raises(WrongKey):
        envelope.unwrap(wrapped=wrapped, id=data.id, check=b"0" * 16, under=KEY, context=b"tenant")


def test_a_key_shows_and_pickles_nothing() -> None:
    assert repr(KEY) == f"DataKey(id={KEY.id})"
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(KEY)


def test_identifiers_sort_by_the_millisecond_and_bound_their_day() -> None:
    now = datetime(2026, 5, 1, 12, 0, 0, 123456, tzinfo=UTC)
    later = datetime(2026, 5, 1, 12, 0, 0, 125000, tzinfo=UTC)
    first, second = ids.uuid7(now), ids.uuid7(later)
    assert first < second
    assert first.version == 7
    assert ids.made_at(first) == datetime(2026, 5, 1, 12, 0, 0, 123000, tzinfo=UTC)
    assert ids.first_uuid7(date(2026, 5, 1)) < first < ids.first_uuid7(date(2026, 5, 2))
