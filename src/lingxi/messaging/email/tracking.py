"""Links of a letter lead round by us, so that a click is seen; where they lead stays the same."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from html import escape, unescape
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

_ANCHOR = re.compile(
    r"(<(?:a|area)\b[^>]*?\shref\s*=\s*)(?:\"([^\"]*)\"|'([^']*)')([^>]*>)", re.IGNORECASE
)
_UNTRACKED = re.compile(r"\sdata-untracked\b", re.IGNORECASE)
_BODY_END = re.compile(r"</body\s*>", re.IGNORECASE)
_LONGEST_TARGET = 1_500


def is_target(url: str) -> bool:
    """Whether a redirect may lead there: a whole web address without tricks.

    >>> [is_target(u) for u in ("https://shop.example/a?b=1", "//evil.example", "javascript:x",
    ...     "https:/x", "https://a@b/")]
    [True, False, False, False, False]
    """
    if not url.isprintable() or any(mark in url for mark in ' "<>\\^`{|}'):
        return False
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(host) and "@" not in parts.netloc


def add_utm(url: str, utm: Mapping[str, str]) -> str:
    """The address with campaign parameters that it does not have yet; what it has stays.

    >>> add_utm("https://shop.example/a?utm_source=me#x", {"source": "lingxi", "medium": "email"})
    'https://shop.example/a?utm_source=me&utm_medium=email#x'
    """
    parts = urlsplit(url)
    known = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    fresh = [
        f"utm_{name}={quote(value, safe='')}"
        for name, value in utm.items()
        if value and f"utm_{name}" not in known
    ]
    query = "&".join([*([parts.query] if parts.query else []), *fresh])
    return urlunsplit(parts._replace(query=query))


def rewrite_links(
    html: str,
    wrap: Callable[[int, str], str] | None,
    *,
    keep: Callable[[str], bool],
    utm: Mapping[str, str] | None = None,
) -> str:
    """HTML whose web links go through ``wrap(number, target)``, counted from 1.

    Untouched stay what ``keep`` says (unsubscribe and preferences), ``mailto:`` and ``tel:``,
    anchors, links that stand with ``data-untracked``, and addresses beyond 1,500 characters.
    Without ``wrap`` only the campaign parameters are added.
    """
    count = 0
    campaign = tuple((utm or {}).items())

    def turn(match: re.Match[str]) -> str:
        nonlocal count
        before, double, single, rest = match.groups()
        url = unescape(double if double is not None else single).strip()
        target = _aim(url, campaign)
        if not target or keep(url) or _UNTRACKED.search(match[0]):
            return match[0]
        if wrap is not None and len(target) <= _LONGEST_TARGET:
            count += 1
            target = wrap(count, target)
        return f'{before}"{escape(target)}"{rest}'

    return _ANCHOR.sub(turn, html)


@lru_cache(maxsize=4_096)
def _aim(url: str, utm: tuple[tuple[str, str], ...]) -> str:
    """Where a link leads in the end; empty where it is none to be followed. Many letters have the
    same links."""
    return add_utm(url, dict(utm)) if is_target(url) else ""


def add_pixel(html: str, url: str) -> str:
    """HTML with the picture that notes an opening, at the end of its body.

    >>> add_pixel("<body>Hi</body>", "https://s.example/o.gif")
    '<body>Hi<img src="https://s.example/o.gif" width="1" height="1" alt=""></body>'
    """
    picture = f'<img src="{escape(url)}" width="1" height="1" alt="">'
    ends = list(_BODY_END.finditer(html))
    at = ends[-1].start() if ends else len(html)
    return html[:at] + picture + html[at:]
