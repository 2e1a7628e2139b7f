"""Plain text made from HTML: headings, paragraphs, lists, tables, links with their address."""

import re
from dataclasses import dataclass
from html import unescape

_SPACED = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "blockquote"})
_BLOCKS = _SPACED | {
    "address",
    "article",
    "div",
    "dl",
    "dt",
    "dd",
    "footer",
    "form",
    "header",
    "li",
}
_ROWS = frozenset({"li", "main", "nav", "pre", "section", "tr", "figure", "fieldset", "aside"})
_HIDDEN = frozenset({"head", "style", "script", "title", "noscript", "template"})
_VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta"})
_RAW = {
    name: re.compile(rf"</{name}\s*>", re.IGNORECASE)
    for name in ("head", "script", "style", "title")
}
"""Elements that nobody sees and that end at their own end tag only, whatever they hold."""
_TOKEN = re.compile(
    r"<(?:!--.*?(?:-->|\Z)"
    r"|(/?)(?=([a-zA-Z][^\s/>]*))\2(?=((?:[^>\"']+|\"[^\"]*\"|'[^']*')*))\3>"
    r"|[!?/][^>]*>)",
    re.DOTALL,
)
"""A comment, a tag (with /, name, attributes), a declaration.

What stands in ``(?=(...))`` and is then taken by its number is never tried in another way, so a tag
that does not end costs no more than its length. Possessive quantifiers would say it shorter, but
match wrongly before Python 3.11.5 (gh-106052), which Debian 12 does not have.
"""
_ATTRIBUTE = re.compile(
    r"([^\s\"'>/=]+)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>]+)))?", re.DOTALL
)
_EMPTY_TAG = re.compile(r"(?:^|[\s\"'])/$")
_BLANK = re.compile(r"[ \t\r\n\f\u200c\u00ad\u034f]+")
_NO_DISPLAY = re.compile(r"display\s*:\s*none", re.IGNORECASE)


class _Reader:
    """Collects lines; ``hidden`` counts open elements whose text nobody sees."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.open: list[tuple[str, bool]] = []
        self.hidden = 0
        self.links: list[tuple[str, int]] = []
        self.told: list[tuple[str, str, bool]] = []

    def read(self, html: str) -> None:
        """Take a whole text: what stands between the tags, and the tags."""
        at = 0
        while token := _TOKEN.search(html, at):
            start, at_next = token.span()
            if start > at:
                self._add(html[at:start])
            at = at_next
            closes, name, attributes = token.groups()
            if name is None:
                continue
            tag = name.lower()
            end = _RAW[tag].search(html, at) if tag in _RAW and not closes else None
            if end:
                at = end.end()
                continue
            if not closes:
                self._open(tag, attributes)
            if closes or (attributes.endswith("/") and _EMPTY_TAG.search(attributes)):
                self._close(tag)
        self._add(html[at:])

    def _open(self, tag: str, attributes: str) -> None:
        hides = tag in _HIDDEN or (
            "display" in attributes.lower()
            and bool(_NO_DISPLAY.search(_read_attribute(attributes, "style")))
        )
        if tag not in _VOID:
            self.open.append((tag, hides))
            self.hidden += hides
        if self.hidden:
            return
        if tag in _SPACED:
            self.parts.append("\n\n")
        elif tag == "li":
            self.parts.append("\n- ")
        elif tag in _BLOCKS or tag in _ROWS or tag == "br":
            self.parts.append("\n")
        elif tag in ("td", "th"):
            self.parts.append(" ")
        elif tag == "a":
            self.links.append((_read_attribute(attributes, "href"), len(self.parts)))
        elif tag == "img" and (words := _read_attribute(attributes, "alt")):
            self.parts.append(f" {words} ")
        elif tag == "hr":
            self.parts.append("\n\n---\n\n")

    def _close(self, tag: str) -> None:
        for depth in range(len(self.open) - 1, -1, -1):
            if self.open[depth][0] == tag:
                break
        else:
            return
        self.hidden -= sum(hides for _, hides in self.open[depth:])
        del self.open[depth:]
        if self.hidden:
            return
        if tag == "a" and self.links:
            self._close_link(*self.links.pop())
        elif tag in _SPACED:
            self.parts.append("\n\n")
        elif tag != "li" and (tag in _BLOCKS or tag in _ROWS):
            self.parts.append("\n")

    def _close_link(self, address: str, start: int) -> None:
        words = " ".join("".join(self.parts[start:]).split())
        told = address.removeprefix("mailto:")
        if address and not address.startswith("#"):
            self.told.append((told, words, told in words))
            if told not in words:
                self.parts.append(f" ({told}) ")

    def _add(self, text: str) -> None:
        if self.hidden or not text:
            return
        if text.isspace() and text.isascii():
            self.parts.append(" ")
            return
        if "&" in text:
            text = unescape(text)
        self.parts.append(_BLANK.sub(" ", text))


def _read_attribute(attributes: str, wanted: str) -> str:
    """The value of one attribute of a tag, without space around it; of several the last."""
    found = ""
    for name, double, single, bare in _ATTRIBUTE.findall(attributes):
        if name.lower() == wanted:
            found = unescape(double or single or bare).strip()
    return found


@dataclass(frozen=True)
class PlainText:
    """The words of an HTML message; and of each link its address, its words, and whether they tell
    the address."""

    text: str
    links: tuple[tuple[str, str, bool], ...]


def to_plain_text(html: str) -> str:
    r"""The words of an HTML message as lines of plain text, with every link's address.

    >>> to_plain_text("<h1>Hello</h1><p>Look <a href='https://s.example/a'>here</a></p>")
    'Hello\n\nLook here (https://s.example/a)'
    """
    return read_plain_text(html).text


def read_plain_text(html: str) -> PlainText:
    """The same, with the links."""
    reader = _Reader()
    reader.read(html)
    lines = [" ".join(line.split()) for line in "".join(reader.parts).splitlines()]
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines))
    return PlainText(_close_up(text).strip(), tuple(reader.told))


def squeeze(words: str) -> str:
    """Words as they stand in a line of plain text, if they are of one line."""
    return _close_up(" ".join(_BLANK.sub(" ", words).split()))


def _close_up(text: str) -> str:
    return re.sub(r"\s+([.,;:!?，。；：！？])", r"\1", text)
