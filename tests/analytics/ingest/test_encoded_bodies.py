"""Content codings: read in any pieces, refused when broken, bounded whatever their ratio."""

import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from unittest.mock import patch

import pytest
from hypothesis import given, settings, strategies as st

from analytics.ingest import bodies
from analytics.ingest.bodies import inflated
from analytics.ingest.encodings import FEED, STEP, zstd
from analytics.ingest.reasons import TooLarge, Unreadable

BODY = b"".join(json.dumps({"n": n}).encode() + b"\n" for n in range(3000))
SKIPPED = b"\x53\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"hello"
"""A zstd frame that holds nothing of the content."""


def raw_deflate(body: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(body) + compressor.flush()


def zstd_of(body: bytes, *, window: int = 20, checked: bool = True) -> bytes:
    """Compress without saying how much it will be."""
    made = zstd.ZstdCompressor(
        options={
            zstd.CompressionParameter.window_log: window,
            zstd.CompressionParameter.checksum_flag: checked,
        }
    )
    return made.compress(body) + made.flush()


FORMS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("x-gzip", gzip.compress),
    "zlib": ("deflate", zlib.compress),
    "raw deflate": ("deflate", raw_deflate),
    "zstd of known size": ("zstd", zstd.compress),
    "zstd of unknown size": ("zstd", zstd_of),
    "zstd of 8 MiB": ("zstd", lambda body: zstd_of(body, window=23)),
    "gzip, then zstd": ("gzip, zstd", lambda body: zstd_of(gzip.compress(body))),
    "gzip, twice": ("GZIP ,gzip", lambda body: gzip.compress(gzip.compress(body))),
    "identity, then gzip": (" identity, , gzip", gzip.compress),
    "identity": ("identity", bytes),
    "none": ("", bytes),
}
forms = pytest.mark.parametrize(("encoding", "packed"), FORMS.values(), ids=FORMS)
compressed = pytest.mark.parametrize(
    ("encoding", "packed"), list(FORMS.values())[:7], ids=list(FORMS)[:7]
)


def unpacked(body: bytes, encoding: str, piece: int = 1 << 18) -> bytes:
    pieces = [body[at : at + piece] for at in range(0, len(body), piece)]
    return b"".join(inflated(pieces, encoding))


@forms
@pytest.mark.parametrize("piece", [1, 7, 4096, 1 << 20])
def test_a_body_is_read_however_it_arrives(
    encoding: str, packed: Callable[[bytes], bytes], piece: int
) -> None:
    assert unpacked(packed(BODY), encoding, piece) == BODY


@given(st.binary(max_size=400), st.sampled_from(sorted(FORMS)), st.integers(1, 50))
@settings(max_examples=200)
def test_any_bytes_come_back(body: bytes, form: str, piece: int) -> None:
    encoding, packed = FORMS[form]
    assert unpacked(packed(body), encoding, piece) == body


@forms
@pytest.mark.parametrize("size", [STEP - 1, STEP, STEP + 1, 3 * STEP])
def test_it_ends_well_wherever_its_output_is_cut(
    encoding: str, packed: Callable[[bytes], bytes], size: int
) -> None:
    assert unpacked(packed(b"a" * size), encoding, 100) == b"a" * size


@forms
def test_an_empty_body_is_empty_whatever_its_header_says(
    encoding: str, packed: Callable[[bytes], bytes]
) -> None:
    assert unpacked(b"", encoding) == b""
    assert list(inflated([b"", b""], encoding)) in ([], [b"", b""])
    assert unpacked(packed(b""), encoding) == b""


@pytest.mark.parametrize("piece", [1, 7, 4096, 1 << 20])
def test_members_and_frames_are_read_one_after_the_other(piece: int) -> None:
    half = len(BODY) // 2
    one, two = BODY[:half], BODY[half:]
    assert unpacked(gzip.compress(one) + gzip.compress(two), "gzip", piece) == BODY
    padded = gzip.compress(b"") * 3 + gzip.compress(one) + b"\0" * 700 + gzip.compress(two)
    assert unpacked(padded + b"\0" * 100, "gzip", piece) == BODY
    frames = SKIPPED + zstd.compress(one) + SKIPPED * 2 + zstd.compress(b"") + zstd_of(two)
    assert unpacked(frames + SKIPPED, "zstd", piece) == BODY


def test_padding_alone_is_an_empty_body() -> None:
    assert unpacked(b"\0" * 20, "gzip") == b""
    assert unpacked(SKIPPED, "zstd") == b""


@compressed
def test_a_body_that_ends_in_the_middle_is_refused(
    encoding: str, packed: Callable[[bytes], bytes]
) -> None:
    whole = packed(BODY)
    for cut in (1, 2, 5, 9, 20, len(whole) // 2, len(whole) - 1):
        with pytest.raises(Unreadable, match="ends in the middle") as refusal:
            unpacked(whole[:cut], encoding)
        assert refusal.value.status == 400


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (BODY, "gzip"),
        (BODY, "zstd"),
        (b"\xff" + BODY, "deflate"),
        (gzip.compress(BODY) + b"garbage" * 3, "gzip"),
        (gzip.compress(BODY)[:-5] + b"\xff" + gzip.compress(BODY)[-4:], "gzip"),
        (zlib.compress(BODY)[:-1] + b"\0", "deflate"),
        (zstd_of(BODY)[:-1] + b"\0", "zstd"),
        (zstd_of(BODY) + b"garbage" * 3, "zstd"),
        (gzip.compress(zlib.compress(BODY))[:-6] + b"\0" * 6, "deflate, gzip"),
    ],
)
def test_a_broken_body_is_refused(body: bytes, encoding: str) -> None:
    with pytest.raises(Unreadable, match="is broken") as refusal:
        unpacked(body, encoding)
    assert refusal.value.status == 400


@pytest.mark.parametrize("piece", [1, 1 << 18])
def test_what_follows_the_end_of_a_deflate_body_is_refused(piece: int) -> None:
    for whole in (zlib.compress(BODY), raw_deflate(BODY)):
        with pytest.raises(Unreadable, match="follows the end"):
            unpacked(whole + b"x", "deflate", piece)


@given(st.binary(max_size=300), st.sampled_from(["gzip", "deflate", "zstd", "gzip, zstd"]))
@settings(max_examples=200)
def test_no_bytes_make_another_exception(body: bytes, encoding: str) -> None:
    with suppress(Unreadable):
        unpacked(body, encoding)


def test_a_window_of_more_than_8_mib_is_refused_and_the_limit_said() -> None:
    for window in (24, 27):
        with pytest.raises(Unreadable, match="8 MiB") as refusal:
            unpacked(zstd_of(BODY, window=window), "zstd")
        assert refusal.value.status == 400


@pytest.mark.parametrize("form", ["gzip", "zlib", "raw deflate", "zstd of known size"])
@pytest.mark.parametrize("unit", [b"\0", b"{}\n", BODY[:99]])
def test_a_bomb_is_inflated_no_further_than_the_cap(form: str, unit: bytes) -> None:
    encoding, packed = FORMS[form]
    bomb = packed(unit * ((8 << 20) // len(unit)))
    taken: list[int] = []
    with patch.object(bodies, "MAX_INFLATED", 2 << 20), pytest.raises(TooLarge) as refusal:
        taken.extend(len(piece) for piece in inflated([bomb], encoding))
    assert max(taken) <= STEP
    assert sum(taken) <= 2 << 20
    assert refusal.value.status == 413


def test_a_bomb_inside_a_bomb_is_stopped_at_its_outer_layer() -> None:
    inner = b"\0" * (8 << 20)  # padding between gzip members: it inflates to nothing
    with patch.object(bodies, "MAX_INFLATED", 2 << 20), pytest.raises(TooLarge):
        list(inflated([zstd.compress(inner)], "gzip, zstd"))


@pytest.mark.parametrize(
    "encoding", ["br", "compress", "gzip, br", "gzip, gzip, gzip", "zip", "gzip;q=1", "\x00" * 50]
)
def test_another_coding_is_415_and_the_known_ones_are_named(encoding: str) -> None:
    with pytest.raises(Unreadable) as refusal:
        list(inflated([b"x"], encoding))
    assert refusal.value.status == 415
    assert "zstd" in refusal.value.message or "2 codings" in refusal.value.message
    assert len(refusal.value.message) < 200


def test_a_plain_body_passes_as_it_comes() -> None:
    def pieces() -> Iterator[bytes]:
        yield b"a"
        yield b"b"

    assert list(inflated(pieces(), "identity")) == [b"a", b"b"]


def test_many_tiny_members_cost_no_more_than_their_length() -> None:
    many = gzip.compress(b"") * 20_000
    assert len(many) > 10 * FEED
    assert unpacked(many, "gzip") == b""
