"""MJML becomes HTML: by mrml, which is handed nothing that it could not come back from."""

import re

import mrml

from lingxi.messaging.templates.liquid_engine import LARGEST_OUTPUT, RenderFailed

DEEPEST = 200
"""mrml reads and writes elements by recursion, and a stack that overflows ends the process."""
_VOID = frozenset(
    (
        *("area", "base", "br", "col", "embed", "hr", "img", "input"),
        *("link", "meta", "param", "source", "track", "wbr"),
    )
)
_TAG = re.compile(
    r"""<!--.*?-->
    |<(?P<close>/)[^<>]*>
    |<(?P<name>[^\s<>/!?]+)
      (?:\s+[^\s=<>"'/]+(?:\s*=\s*(?:"[^"]*"|'[^']*'))?)*\s*(?P<alone>/)?>
    |<(?P<odd>[^\s!?])""",
    re.DOTALL | re.VERBOSE,
)


def measure_depth(source: str) -> int:
    """How deep elements lie in each other at most; what is no whole tag counts as if it opened one.

    >>> measure_depth('<mjml><mj-body><br><mj-image alt="/>" /><p>a</p></mj-body></mjml>')
    3
    """
    depth = deepest = 0
    for tag in _TAG.finditer(source):
        if tag["close"]:
            depth = max(0, depth - 1)
        elif tag["odd"] or (tag["name"] and not tag["alone"] and tag["name"].lower() not in _VOID):
            depth += 1
            deepest = max(deepest, depth)
    return deepest


def to_html(source: str) -> str:
    """The HTML of a message.

    Raises
    ------
    RenderFailed
        If it is not MJML, its elements lie too deep in each other, or it becomes too large.
    """
    if measure_depth(source) > DEEPEST:
        raise RenderFailed(f"body: its elements lie more than {DEEPEST} deep in each other.")
    try:
        html: str = mrml.to_html(source.strip()).content
    except OSError as error:
        raise RenderFailed(f"body: it is not MJML: {error}.") from error
    if len(html) > LARGEST_OUTPUT:
        raise RenderFailed("body: it is too large.")
    return html
