"""A template with values becomes a message: subject, HTML, plain text, in the reader's language."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from lingxi.i18n import Translator
from lingxi.messaging.nouns import EMAIL, ON_SITE, Content
from lingxi.messaging.templates.links import find_unsafe
from lingxi.messaging.templates.liquid_engine import (
    HTML,
    MJML,
    RenderFailed,
    find_names,
    render_source,
)
from lingxi.messaging.templates.plain_text import to_plain_text
from lingxi.messaging.templates.skeleton import Slots, convert, open_slots
from lingxi.messaging.templates.template import Template, Variant

Values = Mapping[str, object]


@dataclass(frozen=True)
class Rendered:
    """A message, and the values that were wanted and are not there."""

    content: Content
    language: str
    missing: tuple[str, ...] = ()


def list_names(template: Template, language: str) -> frozenset[str]:
    """The names of the values that the template asks for in a language."""
    _, variant = template.choose(language)
    names = {path.split(".")[0] for path in template.required}
    for _part, kind, source in variant.parts():
        names |= find_names(kind, source)
    return frozenset(names)


def find_unresolved(required: Sequence[str], values: Values) -> list[str]:
    """The required paths that lead to nothing: absent, empty text or an empty list.

    >>> find_unresolved(["cart.items", "coupon.code"], {"cart": {"items": [1]}, "coupon": None})
    ['coupon.code']
    """
    missing = []
    for path in required:
        value: object = values
        for part in path.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        if value is None or value == "" or value == [] or value == {}:
            missing.append(path)
    return missing


def render_template(
    template: Template,
    language: str,
    values: Values,
    *,
    currency: str = "GBP",
    timezone: str = "UTC",
    seconds: float = 0.5,
) -> Rendered:
    """Make the message; its parts may take ``seconds`` of the processor, however busy it is.

    Raises
    ------
    RenderFailed
        If it takes too long, becomes too large, cannot be worked out, or holds a link that would
        run code.
    """
    spoken, variant = template.choose(language)
    words = Translator(spoken, ZoneInfo(timezone), currency)
    end = time.thread_time() + seconds
    missing = find_unresolved(template.required, values)
    done: dict[str, str] = {}
    slots = open_slots(variant.body) if variant.kind == MJML else None
    for name, kind, source in variant.parts():
        left, own = end - time.thread_time(), slots if name == "body" else None
        try:
            text, holes = render_source(kind, source, values, words=words, seconds=left, slots=own)
        except RenderFailed as error:
            raise RenderFailed(f"{name}: {error}") from error
        done[name] = text
        missing += [hole for hole in holes if hole not in missing]
    return Rendered(_assemble(template, variant, done, slots), spoken, tuple(missing))


def _assemble(
    template: Template, variant: Variant, done: Mapping[str, str], slots: Slots | None
) -> Content:
    line = {name: " ".join(done.get(name, "").split()) for name in ("subject", "title", "url")}
    data = {key.removeprefix("data."): text for key, text in done.items() if key[:5] == "data."}
    body = done.get("body", "")
    if variant.kind not in (MJML, HTML):
        text = body.strip()
        return Content(**line, text=text, body=text, data=data)
    html, plain = convert(body, slots) if variant.kind == MJML else (body, "")
    html = _add_preview(html, done.get("preview", "")) if template.channel == EMAIL else html
    if (unsafe := find_unsafe(html)) is not None:
        raise RenderFailed(f"body: the link {unsafe[:80]!r} is not safe.")
    if template.channel == ON_SITE and "<script" in html.lower():
        raise RenderFailed("body: what the site shows may hold no script.")
    text = done.get("text", "").strip() or plain or to_plain_text(html)
    return Content(**line, html=html, text=text, body=text, data=data)


def _add_preview(html: str, preview: str) -> str:
    """The line that a mailbox shows beside the subject, hidden in the message itself."""
    words = " ".join(preview.split())
    if not words:
        return html
    safe = words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    hidden = f'<div style="display:none;max-height:0;overflow:hidden">{safe}</div>'
    lower = html.lower()
    start = lower.find("<body")
    place = lower.find(">", start) + 1 if start >= 0 else 0
    return html[:place] + hidden + html[place:]
