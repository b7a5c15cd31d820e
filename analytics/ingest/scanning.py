"""Where a JSON value of a body ends, without decoding it.

The fast way never comes here: a typed decoder reads value after value by itself. This is for the
stretch in which it fails, where one value after the other must be found.
"""

import re

MAX_DEPTH = 8
"""Nesting of one event (contract): no field of ours is deeper than two."""
BETWEEN = b" \t\r\n,[]"
"""Bytes that may stand between two values; an array's are among them."""
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
"""Files that some editors write begin with it, and files are joined: it may stand there too."""
OPEN = ord("{")
_BETWEEN = frozenset(bytes([each]) for each in BETWEEN)

NEVER, LATER = -1, 0
"""What `end_of_object` says where there is no end: whatever follows, or in what is there."""

_BLANK = rb"(?:[ \t\r\n,\[\]]++|\xef\xbb\xbf)*+"
_BLANKS = re.compile(_BLANK)
_NO_OBJECT = re.compile(_BLANK + rb"[^ \t\r\n,\[\]{][^\n]*+(?:\n|\Z)")
_NO_OBJECTS = re.compile(rb"(?:" + _NO_OBJECT.pattern + rb")++")
_TEXT = rb'"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"'
# possessive: an unfinished text fails once, not once for each of its quotes
_PASSED = re.compile(rb'(?:[^"{}]++|' + _TEXT + rb")*+")
_BRACES = re.compile(_PASSED.pattern + rb"(\{++|\}++)")
_BRACKET = re.compile(rb'(?:[^"{}\[\]]++|' + _TEXT + rb")*+([{}\[\]])")


def is_blank(text: bytes) -> bool:
    """Say whether nothing but `BETWEEN` is there, at a gigabyte a second; a match has 0.15."""
    return text[:1] in _BETWEEN and not text.translate(None, BETWEEN)


def skip_blanks(text: bytes, at: int) -> int:
    """Return where the next value or whatever else begins, the text's length where nothing does."""
    found = _BLANKS.match(text, at)
    return at if found is None else found.end()


def skip_lines(text: bytes, at: int) -> tuple[int, int]:
    """Pass over lines that begin with no object.

    Returns where the first that may be one begins, and how many were passed over.
    """
    found = _NO_OBJECTS.match(text, at)
    if found is None:
        return at, 0
    return found.end(), len(_NO_OBJECT.findall(text, at, found.end()))


def end_of_object(text: bytes, start: int, *, longest: int) -> int:
    """Return where the object ends that opens at `start`.

    It may go on over several lines, if it has no more than `longest` bytes and `MAX_DEPTH` braces
    in each other. A text that goes on in the next line is no JSON: the object has no end then.
    `NEVER` and `LATER` stand for an end that there is not.

    Every byte is passed `MAX_DEPTH` + 1 times at most however many objects of a body have no end:
    of two that both reach a byte, the later is one brace deeper inside the earlier.
    """
    line_end = text.find(b"\n", start)
    line_end = len(text) if line_end < 0 else line_end
    position, depth = start, 0
    while (braces := _BRACES.match(text, position)) is not None:
        run, position = len(braces[1]), braces.end()
        if text[position - 1] == OPEN:
            depth += run
        else:
            position -= max(0, run - depth)  # the rest of them close nothing of ours
            depth = max(0, depth - run)
        beyond = position > line_end
        if beyond and (depth > MAX_DEPTH or position - start > longest):
            return NEVER
        if not depth:
            return position
    found = _PASSED.match(text, position)
    stopped = position if found is None else found.end()
    hopeless = text.find(b"\n", stopped) >= 0 or (
        line_end < len(text) and len(text) - start > longest
    )
    return NEVER if hopeless else LATER


def depth_of(text: bytes) -> int:
    """Count the deepest nesting of one or more values, what stands inside texts left out."""
    position = deepest = depth = 0
    while (bracket := _BRACKET.match(text, position)) is not None:
        position = bracket.end()
        depth += 1 if bracket[1] in b"{[" else -1
        deepest = max(deepest, depth)
    return deepest


def is_shallow(text: bytes, values: int) -> bool:
    """Say whether so many objects, and nothing else, cannot be deeper than `MAX_DEPTH`.

    Counts prove it of nearly every text: there are too few brackets, no object is inside another
    and every array is a field's own value, or each line holds whole objects, none with many.
    """
    braces, brackets = text.count(b"{"), text.count(b"[")
    if braces + brackets < values + MAX_DEPTH:
        return True
    if braces == values and brackets == text.count(b'":[') + text.count(b'": ['):
        return True
    text = text.strip(BETWEEN)  # an array's own brackets would count against those inside
    lines = text.split(b"\n")
    # no object goes on behind its inner object's end with another's beginning: a comma is needed
    if text.count(b"}\n{") == len(lines) - 1 and (
        max(line.count(b"{") + line.count(b"[") for line in lines) <= MAX_DEPTH
    ):
        return True
    return depth_of(text) <= MAX_DEPTH


def cut_between(text: bytes | bytearray, start: int, end: int) -> int:
    """Return a place in the text's ``start:end`` where a value probably begins, 0 if there is none.

    Whether one does is for the decoder to say. In this order: a line that begins with an object, an
    object behind another, any line, any object.
    """
    newline = text.rfind(b"\n", start, end)
    if newline >= 0:
        if newline + 1 == end or text[newline + 1] == OPEN:
            return newline + 1
        place = text.rfind(b"\n{", start, end)
        return (newline if place < 0 else place) + 1
    place = text.rfind(b"}{", start, end) + 1
    if place:
        return place
    place = text.rfind(b"{", start + 1, end)
    return max(place, 0)
