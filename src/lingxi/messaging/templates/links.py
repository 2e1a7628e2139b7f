"""The links of a rendered message: which there are, and what is wrong with one. No request is made
to find out: an address that is fetched may count as a click, or unsubscribe somebody."""

import re
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urlsplit

from typing_extensions import override

_USUAL = r"(?:https?://|mailto:|tel:|sms:|#|/)"
_DOUBTFUL = re.compile(
    rf"(?:href|src|action)\s*=(?!\s*(?:\"(?:{_USUAL}|\")|'(?:{_USUAL}|')|{_USUAL}))"
)
"""Where an address may be what a parser must look at: no well-known beginning after the sign. Of
small letters only: told to ignore their case, it takes three times as long."""
SAFE_SCHEMES = ("https", "http", "mailto", "tel", "sms")


@dataclass(frozen=True)
class Link:
    """A link and its fault: empty, unsafe, relative, insecure, malformed; or none."""

    url: str
    fault: str = ""


class _Collector(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.urls: list[str] = []

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "action", "formaction") or (name == "src" and tag != "img"):
                self.urls.append((value or "").strip())


def list_links(html: str) -> list[Link]:
    """Every link of an HTML text once, in order, with its fault."""
    collector = _Collector()
    collector.feed(html)
    collector.close()
    return [check_link(url) for url in dict.fromkeys(collector.urls)]


def check_link(url: str) -> Link:
    """What is wrong with an address, without asking for it.

    >>> check_link("https://shop.example/a").fault, check_link("javascript:alert(1)").fault
    ('', 'unsafe')
    >>> check_link("").fault, check_link("/a").fault, check_link("http://s.example/").fault
    ('empty', 'relative', 'insecure')
    """
    if not url or url == "#":
        return Link(url, "empty")
    squeezed = "".join(c for c in url if ord(c) > 32)  # browsers leave these out of a scheme
    try:
        parts = urlsplit(squeezed)
        host = parts.hostname
    except ValueError:
        return Link(url, "malformed")
    if parts.scheme and parts.scheme.lower() not in SAFE_SCHEMES:
        return Link(url, "unsafe")
    if not parts.scheme:
        return Link(url, "" if url.startswith("#") else "relative")
    if parts.scheme in ("http", "https"):
        if not host or " " in url:
            return Link(url, "malformed")
        return Link(url, "insecure" if parts.scheme == "http" else "")
    return Link(url)


def find_unsafe(html: str) -> str | None:
    """The first link that could run code, if there is one."""
    if not _DOUBTFUL.search(html.lower()):
        return None
    return next((link.url for link in list_links(html) if link.fault == "unsafe"), None)
