"""What is doubtful about a template, short of what cannot be used at all."""

from collections.abc import Collection, Iterator

from lingxi.i18n import LANGUAGES, Sentence, Translator
from lingxi.messaging.nouns import EMAIL, MARKETING
from lingxi.messaging.templates.links import list_links
from lingxi.messaging.templates.liquid_engine import (
    HTML,
    MJML,
    RenderFailed,
    find_names,
    is_parameter,
    render_source,
)
from lingxi.messaging.templates.mjml import to_html
from lingxi.messaging.templates.template import Template

_FAULTS = ("empty", "unsafe", "malformed", "insecure")
_HOLE = "{"
_TRIAL_SECONDS = 0.5


def lint_template(
    template: Template, known: Collection[str], channels: Collection[str]
) -> list[Sentence]:
    """Sentences on languages that are missing, values nobody knows, links that lead nowhere.

    ``known`` are the names of the values that a template may use, ``channels`` those of the shop.
    """
    named = Sentence("template.finding.channel", {"channel": template.channel})
    return [
        *([] if template.channel in channels else [named]),
        *_lint_languages(template),
        *_lint_names(template, known),
        *_lint_links(template),
        *_lint_mjml(template),
    ]


def _lint_languages(template: Template) -> Iterator[Sentence]:
    for language in LANGUAGES:
        if language not in template.variants:
            yield Sentence(
                "template.finding.language",
                {"language": language, "fallback": template.fallback},
            )
    if template.message_class == MARKETING and not template.category:
        yield Sentence("template.finding.category")


def _lint_names(template: Template, known: Collection[str]) -> Iterator[Sentence]:
    for language, variant in template.variants.items():
        names = {name for _, kind, source in variant.parts() for name in find_names(kind, source)}
        for name in sorted(names - set(known)):
            if not is_parameter(name):
                yield Sentence("template.finding.value", {"language": language, "value": name})
    for path in template.required:
        if path.split(".")[0] not in known:
            yield Sentence("template.finding.required", {"value": path})


def _lint_links(template: Template) -> Iterator[Sentence]:
    for language, variant in template.variants.items():
        if variant.kind in (HTML, MJML):
            for link in list_links(variant.body):
                if link.fault in _FAULTS and _HOLE not in link.url:
                    yield Sentence(
                        f"template.finding.link_{link.fault}",
                        {"language": language, "url": link.url[:200]},
                    )
        unsubscribes = "links.unsubscribe" in variant.body + variant.text
        if template.channel == EMAIL and template.message_class == MARKETING and not unsubscribes:
            yield Sentence("template.finding.unsubscribe", {"language": language})


def _lint_mjml(template: Template) -> Iterator[Sentence]:
    """MJML that is none even where every value is missing; what only values bring about is told
    when the message is made."""
    for language, variant in template.variants.items():
        if variant.kind != MJML:
            continue
        try:
            text, _ = render_source(
                MJML, variant.body, {}, words=Translator(language), seconds=_TRIAL_SECONDS
            )
        except RenderFailed:
            continue
        try:
            to_html(text)
        except RenderFailed as error:
            problem = str(error).removeprefix("body: ").rstrip(".")
            yield Sentence("template.finding.mjml", {"language": language, "problem": problem})
