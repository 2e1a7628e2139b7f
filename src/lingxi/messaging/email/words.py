"""Text in header fields: encoded words, quoted phrases, folding; never a line of its own."""

import re
from base64 import b64encode
from collections.abc import Iterator

FOLD = "\r\n "
LONGEST_LINE = 998
_WIDTH = 76
_BYTES_A_WORD = 45  # 60 characters of base64, 72 with =?utf-8?B? and ?=
_BREAKS = re.compile(r"[\x00-\x20\x7f\x85\u2028\u2029]+")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")
_SURROGATES = re.compile(r"[\ud800-\udfff]")


def tidy(text: str) -> str:
    """The text on one line: every run of white space and control characters becomes one space.

    >>> tidy("Hello\\r\\nBcc: everyone@shop.example")
    'Hello Bcc: everyone@shop.example'
    """
    return _BREAKS.sub(" ", _SURROGATES.sub("\ufffd", text)).strip()


def encode_text(text: str, *, first: int = 0) -> str:
    """Unstructured text of a header field, folded; ``first`` is how much of its line is taken.

    Source
    ------
    RFC 2047: words of at most 75 characters, each of whole characters.

    Examples
    --------
    >>> encode_text("你好")
    '=?utf-8?B?5L2g5aW9?='
    >>> encode_text("Plain as it is")
    'Plain as it is'
    """
    text = tidy(text)
    if text.isascii() and "=?" not in text and max(map(len, text.split(" "))) < _WIDTH:
        return _fold(text.split(" "), first)
    return FOLD.join(_encode_words(text, (_WIDTH - first - 12) * 3 // 4))


def encode_phrase(text: str) -> str:
    """A display name.

    >>> encode_phrase('Ann "Annie" O.'), encode_phrase("Mei Lin")
    ('"Ann \\\\"Annie\\\\" O."', 'Mei Lin')
    """
    text = tidy(text)[:200]
    if not text.isascii() or "=?" in text:
        return FOLD.join(_encode_words(text))
    if _ATOMS.fullmatch(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _encode_words(text: str, first: int = _BYTES_A_WORD) -> Iterator[str]:
    """Encoded words of whole characters; the first one has at most ``first`` bytes in it."""
    part, room = b"", min(first, _BYTES_A_WORD)
    for character in text:
        coded = character.encode()
        if len(part) + len(coded) > room:
            yield _encode_word(part)
            part, room = b"", _BYTES_A_WORD
        part += coded
    if part:
        yield _encode_word(part)


def _encode_word(part: bytes) -> str:
    return f"=?utf-8?B?{b64encode(part).decode()}?="


def _fold(words: list[str], first: int) -> str:
    lines, room = [words[0]], _WIDTH - first - len(words[0])
    for word in words[1:]:
        if len(word) + 1 > room:
            lines.append(word)
            room = _WIDTH - 1 - len(word)
        else:
            lines[-1] += " " + word
            room -= len(word) + 1
    return FOLD.join(lines)
