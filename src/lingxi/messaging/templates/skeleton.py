"""MJML is converted once for each shape: the values are left out before, and put in after.

A shape is what Liquid makes of a body when a mark stands for each value that it prints. What was
printed nowhere, the turns of loops and the ways of conditions are part of it, so two letters of one
shape differ in nothing but their values. Marks stand only in words and in attributes that MJML
passes on, and a shape with another is converted letter by letter, as is one whose values could be
more than words.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from html import unescape

from lingxi.messaging.templates.liquid_engine import LARGEST_OUTPUT, RenderFailed
from lingxi.messaging.templates.mjml import to_html
from lingxi.messaging.templates.plain_text import read_plain_text, squeeze

_MARK, _OTHER_MARK = "lxvalue", "lxanothervalue"
_SLOT = re.compile(rf"{_MARK}(\d+)z")
_LARGEST_SHAPE = 20_000
_MOST_SHAPES = 256
_PASSED_ON = re.compile(r"(?:href|src|alt|title)\s*=\s*(?:\"[^\"<>]*|'[^'<>]*)\Z")
_REFUSED_TAGS = re.compile(r"{%-?\s*(?:capture|ifchanged)\b")
_PUNCTUATION = ".,;:!?，。；：！？"


@dataclass
class Slots:
    """The values of one letter; the same value has the same mark."""

    values: list[str] = field(default_factory=list)
    _places: dict[str, int] = field(default_factory=dict)
    _printed: int = 0

    def put(self, value: str) -> str:
        """The mark that stands for a value.

        Raises
        ------
        RenderFailed
            If all that was printed is too large.
        """
        self._printed += len(value)
        if self._printed > LARGEST_OUTPUT:
            raise RenderFailed("It is too large.")
        place = self._places.setdefault(value, len(self.values))
        if place == len(self.values):
            self.values.append(value)
        return f"{_MARK}{place}z"


@dataclass(frozen=True)
class _Skeleton:
    """A converted shape: HTML and plain text with marks, and each link of it that has some: its
    address, its words, and whether the words told the address."""

    html: str
    text: str
    links: tuple[tuple[str, str, bool], ...]


def open_slots(source: str) -> Slots | None:
    """Slots for a body, unless its values may not be left out."""
    return None if _MARK in source or _REFUSED_TAGS.search(source) else Slots()


def convert(shape: str, slots: Slots | None) -> tuple[str, str]:
    """HTML and plain text of a body in MJML.

    Raises
    ------
    RenderFailed
        If it is no MJML, or becomes too large.
    """
    values = [] if slots is None else slots.values
    skeleton = None
    if slots is not None and len(shape) <= _LARGEST_SHAPE and all(map(_is_words, values)):
        skeleton = _make(shape)
    if skeleton is None:
        html = to_html(_fill(shape, values))
        return html, read_plain_text(html).text
    html = _fill(skeleton.html, values)
    if len(html) > LARGEST_OUTPUT:
        raise RenderFailed("body: it is too large.")
    words = [unescape(value) for value in values]
    if not all(map(_is_plain, words)) or not _tell_the_same(skeleton, words):
        return html, read_plain_text(html).text
    return html, _fill(skeleton.text, words)


def _tell_the_same(skeleton: _Skeleton, words: Sequence[str]) -> bool:
    """Whether the words of each link tell its address where their marks did, and only there."""
    return all(
        (_fill(address, words) in _fill(said, words)) is told
        for address, said, told in skeleton.links
    )


def _fill(text: str, values: Sequence[str]) -> str:
    return _SLOT.sub(lambda found: values[int(found.group(1))], text) if values else text


def _is_words(value: str) -> bool:
    """Whether a value is mere words on one line: no markup, no space around it."""
    return value == value.strip() and value.isprintable() and "<" not in value and ">" not in value


def _is_plain(words: str) -> bool:
    """Whether words read the same whatever stands around them."""
    return (
        bool(words)
        and words.isprintable()
        and words == squeeze(words)
        and words[0] not in _PUNCTUATION
        and not words.startswith(("#", "mailto:"))
    )


@lru_cache(maxsize=_MOST_SHAPES)
def _make(shape: str) -> _Skeleton | None:
    """The converted shape; nothing where it may not be filled in afterwards.

    Marks of another length must give the same, so none of them has been measured or understood.
    """
    html = to_html(shape)
    if not _SLOT.search(shape):
        return _Skeleton(html, read_plain_text(html).text, ())
    if not _stand_well(shape):
        return None
    if to_html(_rename(shape)) != _rename(html):
        return None
    plain = read_plain_text(html)
    links = [each for each in plain.links if _SLOT.search(each[0]) or _SLOT.search(each[1])]
    return _Skeleton(html, plain.text, tuple(links))


def _rename(text: str) -> str:
    return _SLOT.sub(rf"{_OTHER_MARK}\g<1>0z", text)


def _stand_well(shape: str) -> bool:
    """Whether marks stand only in the body's words and in attributes that are passed on."""
    start = shape.find("<mj-body")
    for found in _SLOT.finditer(shape):
        before = shape[: found.start()]
        if found.start() < start or before.endswith(("&", "&#", "&#x")):
            return False
        opened = before.rfind("<")
        if before.rfind(">") < opened and not _PASSED_ON.search(before, opened):
            return False
    return start >= 0
