"""Bodies that are no JSON, or JSON that no client should send, or should and rarely does."""

import json

from bench.corpus.case import LINE, Case, event, refused, taken

MARK = b"\xef\xbb\xbf"
LARGEST = 65_536
"""Bytes of one event (contract)."""


def padded(size: int) -> bytes:
    """Write an event of so many bytes."""
    bare = len(event(connID=""))
    return event(connID="x" * (size - bare))


def between(broken: bytes) -> bytes:
    """Write a line between two good ones."""
    return LINE + broken + b"\n" + LINE


def indented(count: int) -> bytes:
    """Write events over several lines each, nothing between them."""
    return json.dumps(json.loads(LINE), indent=4).encode() * count


DEPTH = [
    taken("arrays 100,000 deep", between(b'{"a":' + b"[" * 100_000), 2, too_large=1),
    taken("objects 100,000 deep", between(b'{"a":' * 100_000), 2, too_large=1),
    taken(
        "arrays 100,000 deep, closed",
        between(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
        2,
        too_large=1,
    ),
    taken(
        "arrays 30,000 deep, closed",
        between(b'{"a":' + b"[" * 30_000 + b"]" * 30_000 + b"}"),
        2,
        malformed=1,
    ),
    taken("objects nine deep", between(b'{"a":' * 9 + b"1" + b"}" * 9), 2, malformed=1),
    taken("arrays to the eighth level", event(a=[[[[[[[1]]]]]]]), 1),
    refused("100,000 openings and nothing else", b"[" * 100_000),
    taken("100,000 openings before an event", b"[" * 100_000 + LINE, 1),
    taken("a million objects' openings in a line", b"{" * 1_000_000 + b"\n" + LINE, 1, too_large=1),
    taken("10,000 objects' openings, a line each", b"{\n" * 10_000 + LINE, 1, malformed=10_000),
]

NUMBERS = [
    taken(
        "1e400 where a count is due",
        between(event()[:-1] + b',"bytesIn":1e400}'),
        2,
        number_out_of_range=1,
    ),
    taken(
        "1e400 where a time is due", between(b'{"ts":1e400,"srcIP":"192.0.2.1"}'), 2, ts_invalid=1
    ),
    taken("1e400 in an unknown field", event()[:-1] + b',"x":1e400}', 1),
    taken(
        "1e400 in an unknown field of an event to mend", event(srcPort="5")[:-1] + b',"x":1e400}', 1
    ),
    taken(
        "10,000 digits where a port is due",
        between(event()[:-1] + b',"srcPort":' + b"9" * 10_000 + b"}"),
        2,
        number_out_of_range=1,
    ),
    taken(
        "10,000 digits where a time is due",
        between(b'{"ts":' + b"9" * 10_000 + b"}"),
        2,
        ts_invalid=1,
    ),
    taken("10,000 digits in an unknown field", event()[:-1] + b',"x":' + b"9" * 10_000 + b"}", 1),
    taken("10,000 digits as text", between(event(bytesIn="9" * 10_000)), 2, number_out_of_range=1),
    taken("a negative port", between(event(srcPort=-1)), 2, number_out_of_range=1),
    taken("a count past 63 bits", between(event(bytesIn=2**63)), 2, number_out_of_range=1),
    taken("a count of 63 bits", event(bytesIn=2**63 - 1), 1),
    taken("NaN", between(event()[:-1] + b',"duration":NaN}'), 2, malformed=1),
    taken("minus infinity", between(event()[:-1] + b',"duration":-Infinity}'), 2, malformed=1),
    taken(
        "a number with a leading zero", between(event()[:-1] + b',"srcPort":053}'), 2, malformed=1
    ),
]

KEYS = [
    taken(
        "a key twice, the last one right", event(srcIP="nobody")[:-1] + b',"srcIP":"192.0.2.9"}', 1
    ),
    taken(
        "a key twice, the last one wrong",
        between(event()[:-1] + b',"srcIP":"nobody"}'),
        2,
        src_invalid=1,
    ),
    taken("an unknown key 1,000 times", event()[:-1] + b',"x":1' * 1_000 + b"}", 1),
    taken("an empty key", event(**{"": 1}), 1),
    taken("a key of 60,000 characters", event(**{"k" * 60_000: 1}), 1),
    taken("5,000 unknown keys", event(**{f"k{number}": number for number in range(5_000)}), 1),
    taken("a key that is no text", event()[:-1] + b',"\xff\xfe":1}', 1),
    taken("a key without quotes", between(b"{ts:1777636800}"), 2, malformed=1),
    taken("quotes of the wrong kind", between(b"{'ts':1777636800}"), 2, malformed=1),
]

TEXTS = [
    taken("an escaped NUL", event(srcHost="a\0b"), 1),
    taken("an escaped NUL in an address", between(event(srcIP="192.0.2.1\0")), 2, src_invalid=1),
    taken(
        "a bare NUL in a text", between(event(srcHost="ab").replace(b"ab", b"a\0b")), 2, malformed=1
    ),
    taken("a bare NUL between events", between(b"\0"), 2, malformed=1),
    refused("NULs alone", b"\0" * 5_000),
    taken("half a surrogate pair", between(event(srcHost="\ud800")), 2, malformed=1),
    taken("the other half", between(event(srcHost="\udc00")), 2, malformed=1),
    taken("half a surrogate pair in an unknown field", between(event(x="\ud800")), 2, malformed=1),
    taken("a surrogate pair", event(srcHost="\U0001f98a"), 1),
    taken(
        "a surrogate in three bytes",
        between(event(srcHost="ab").replace(b"ab", b"\xed\xa0\x80")),
        2,
        malformed=1,
    ),
    taken("invalid UTF-8", between(event(srcHost="ab").replace(b"ab", b"a\xffb")), 2, malformed=1),
    taken(
        "overlong UTF-8", between(event(srcHost="ab").replace(b"ab", b"\xc0\xaf")), 2, malformed=1
    ),
    taken("invalid UTF-8 in an unknown field", event(x="ab").replace(b"ab", b"a\xffb"), 1),
    taken(
        "an escape that there is not",
        between(event(srcHost="ab").replace(b"ab", b"\\q")),
        2,
        malformed=1,
    ),
    taken(
        "a text over two lines",
        between(event(srcHost="ab").replace(b"ab", b"a\nb")),
        2,
        malformed=2,
    ),
]

STREAMS = [
    taken("a byte order mark", MARK + LINE * 2, 2),
    taken("files with byte order marks, joined", (MARK + LINE) * 3, 3),
    refused("UTF-16", (LINE * 3).decode().encode("utf-16")),
    refused("UTF-16 without a mark", LINE.decode().encode("utf-16-le")),
    refused("UTF-32", LINE.decode().encode("utf-32")),
    taken("CRLF", LINE.replace(b"\n", b"\r\n") * 3, 3),
    taken("CR alone", LINE.replace(b"\n", b"\r") * 3, 3),
    taken("no separator", event() * 3, 3),
    taken("no separator, and the like inside texts", event(srcHost='"}{" },{ }\\') * 3, 3),
    taken("an array", b"[" + b", ".join([event()] * 3) + b"]", 3),
    taken("an array in lines with a comma too many", b"[\n" + (event() + b",\n") * 3 + b"]\n", 3),
    taken("arrays in arrays", b"[[" + event() + b"],,[[" + event() + b"]]]\n[" + LINE + b"]", 3),
    taken("objects over several lines", indented(3), 3),
    taken(
        "an array of objects over several lines",
        json.dumps([json.loads(LINE)] * 3, indent=2).encode(),
        3,
    ),
    taken("scalars", b'1\n"x"\nnull\ntrue\n-0.5\n' + LINE, 1, malformed=5),
    taken("an array of scalars", b"[1,2,3]\n" + LINE, 1, malformed=1),
    taken("a comment", b"// ours\n" + LINE, 1, malformed=1),
    taken(
        "garbage between events of a line",
        event() + b"garbage" + event() + b"\n" + LINE,
        2,
        malformed=1,
    ),
    taken("an event cut off at the end", LINE + event()[:-9], 1, malformed=1),
    taken("an event cut off in the middle", between(event()[:-9]), 2, malformed=1),
    taken("an event without its brace", between(event()[:-1]), 2, malformed=1),
    taken("nothing in an object", b"{}", 0, ts_missing=1),
    taken("every value null", between(b'{"ts":null,"srcIP":null}'), 2, ts_missing=1),
    taken("an event as large as may be", padded(LARGEST) + LINE, 2),
    taken("an event one byte larger", padded(LARGEST + 1) + LINE, 1, too_large=1),
    taken("an event of 3 MiB", between(padded(3 << 20)), 2, too_large=1),
    taken("garbage of 3 MiB in a line", between(b"x" * (3 << 20)), 2, malformed=1),
]

NOTHING = [
    refused("an empty body", b""),
    refused("blanks", b" \r\n\t\n" * 1_000),
    refused("null", b"null"),
    refused("an empty array", b"[]"),
    refused("a page", b"<!doctype html>\n<html><body>\n<p>502</p>\n</body></html>\n"),
    refused("a form", b"ts=1777636800&srcIP=192.0.2.1"),
    refused("a picture's beginning", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8),
    refused("an array of numbers", b"[" + b"1," * 10_000 + b"1]"),
]

CASES: list[Case] = [*DEPTH, *NUMBERS, *KEYS, *TEXTS, *STREAMS, *NOTHING]
