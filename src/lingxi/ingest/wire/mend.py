"""Bytes to a JSON value, with encoding damage mended where nothing is guessed by it."""

import re

import msgspec

from lingxi.errors import BodyUnreadable

DEEPEST = 64
"""Levels of nesting in one message; deeper ones say nothing that could be kept."""
_DECODE = msgspec.json.Decoder()
_REPLACEMENT = b"\\ufffd"
_ESCAPES = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
_STRUCTURE = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[\]{}]', re.DOTALL)


def decode(raw: bytes) -> object:
    """The value of a JSON text.

    Half of a surrogate pair (a cut emoji) and bytes that are no UTF-8 become U+FFFD, so that one
    damaged letter does not cost the event. Of a key given twice the last one counts. ``NaN`` and
    numbers too large for a float are not JSON.

    Raises
    ------
    BodyUnreadable
        If it is not JSON, or nested deeper than 64 levels.

    Examples
    --------
    >>> decode(b'{"a": 1, "a": 2}'), decode(b'"\\\\ud83d!"')
    ({'a': 2}, '\ufffd!')
    """
    if raw.count(b"{") + raw.count(b"[") > DEEPEST and measure_depth(raw) > DEEPEST:
        raise BodyUnreadable(f"The JSON is nested deeper than {DEEPEST} levels.")
    try:
        return _DECODE.decode(raw)
    except (ValueError, RecursionError) as error:
        first = error
    mended = mend_text(raw)
    if mended != raw:
        try:
            return _DECODE.decode(mended)
        except (ValueError, RecursionError) as error:
            first = error
    raise BodyUnreadable(f"The body is not JSON: {str(first)[:200]}.") from first


def mend_text(raw: bytes) -> bytes:
    """JSON text with lone surrogates and bytes that are no UTF-8 replaced by U+FFFD."""
    if b"\\" in raw:
        raw = _ESCAPES.sub(lambda found: _REPLACEMENT if found[1] else found[0], raw)
    try:
        raw.decode()
    except UnicodeDecodeError:
        return raw.decode("utf-8", "replace").encode()
    return raw


def measure_depth(raw: bytes) -> int:
    """Levels of nesting, without recursion and without looking into strings.

    >>> measure_depth(b'{"a": [1, "[[["]}')
    2
    """
    depth = deepest = 0
    for found in _STRUCTURE.finditer(raw):
        sign = found[0]
        if sign in (b"{", b"["):
            depth += 1
            deepest = max(deepest, depth)
        elif sign in (b"}", b"]"):
            depth -= 1
    return deepest


def split_array(raw: bytes, start: int) -> list[bytes]:
    """The elements of the JSON array that begins at ``start``, each as its own bytes.

    Only strings and brackets are looked at, so an element that is not JSON leaves its neighbours
    whole. What follows the array is not looked at; a cut array gives what it holds.

    >>> split_array(b'[{"a":1}, {bad}, [2]]', 0)
    [b'{"a":1}', b'{bad}', b'[2]']
    """
    elements: list[bytes] = []
    depth, begin = 0, start + 1
    for found in _SPLITTERS.finditer(raw, start):
        sign = found[0]
        if sign in (b"{", b"["):
            depth += 1
        elif sign in (b"}", b"]"):
            depth -= 1
        elif sign != b"," or depth != 1:
            continue
        if depth == 0 or (depth == 1 and sign == b","):
            elements.append(raw[begin : found.start()].strip())
            begin = found.end()
        if depth == 0:
            return [element for element in elements if element]
    elements.append(raw[begin:].strip())
    return [element for element in elements if element]


_SPLITTERS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[\]{},]', re.DOTALL)
