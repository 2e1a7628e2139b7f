"""Plain text made from HTML: headings, paragraphs, lists, tables, links with their address."""

import re
from html.parser import HTMLParser

from typing_extensions import override

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
_NO_DISPLAY = re.compile(r"display\s*:\s*none", re.IGNORECASE)


class _Reader(HTMLParser):
    """Collects lines; ``hidden`` counts open elements whose text nobody sees."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.open: list[tuple[str, bool]] = []
        self.hidden = 0
        self.links: list[tuple[str, int]] = []

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        hides = tag in _HIDDEN or bool(_NO_DISPLAY.search(said.get("style", "")))
        if tag not in _VOID:
            self.open.append((tag, hides))
            self.hidden += hides
        if self.hidden:
            return
        if tag == "br":
            self.parts.append("\n")
        elif tag == "img" and said.get("alt", "").strip():
            self.parts.append(f" {said['alt'].strip()} ")
        elif tag == "li":
            self.parts.append("\n- ")
        elif tag == "hr":
            self.parts.append("\n\n---\n\n")
        elif tag in _SPACED:
            self.parts.append("\n\n")
        elif tag in _BLOCKS or tag in _ROWS:
            self.parts.append("\n")
        elif tag == "a":
            self.links.append((said.get("href", "").strip(), len(self.parts)))
        elif tag in ("td", "th"):
            self.parts.append(" ")

    @override
    def handle_endtag(self, tag: str) -> None:
        names = [name for name, _ in self.open]
        if tag not in names:
            return
        while self.open:
            name, hides = self.open.pop()
            self.hidden -= hides
            if name == tag:
                break
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
        if address and not address.startswith("#") and told not in words:
            self.parts.append(f" ({told}) ")

    @override
    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.parts.append(re.sub(r"[ \t\r\n\f\u200c\u00ad\u034f]+", " ", data))


def to_plain_text(html: str) -> str:
    r"""The words of an HTML message as lines of plain text, with every link's address.

    >>> to_plain_text("<h1>Hello</h1><p>Look <a href='https://s.example/a'>here</a></p>")
    'Hello\n\nLook here (https://s.example/a)'
    """
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = [" ".join(line.split()) for line in "".join(reader.parts).splitlines()]
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines))
    return re.sub(r"\s+([.,;:!?，。；：！？])", r"\1", text).strip()
