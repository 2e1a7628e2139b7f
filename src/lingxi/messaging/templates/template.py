"""What a template is: how it looks in each language, what it needs, and where it belongs."""

import re
from collections.abc import Iterator

import msgspec

from lingxi.errors import InvalidInput, did_you_mean
from lingxi.i18n import LANGUAGES
from lingxi.messaging.nouns import CHANNELS, CLASSES, EMAIL, MARKETING, ON_SITE
from lingxi.messaging.templates.liquid_engine import HTML, KINDS, MJML, TEXT, check_source

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_PATH = re.compile(r"[A-Za-z_][\w-]*(\.[A-Za-z_][\w-]*)*")
SHORT_PARTS = ("subject", "preview", "title", "url")
"""Parts of one line beside the body."""


class Variant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A template in one language; every part is Liquid.

    ``kind`` says what ``body`` is: mjml, html or text. ``text`` is the plain part of an HTML
    message; where it is empty it is made from the HTML. ``data`` are further fields for a webhook.
    """

    kind: str = TEXT
    body: str = ""
    subject: str = ""
    preview: str = ""
    title: str = ""
    url: str = ""
    text: str = ""
    data: dict[str, str] = {}

    def parts(self) -> Iterator[tuple[str, str, str]]:
        """Name, kind and source of every part that says something."""
        for name in SHORT_PARTS:
            if getattr(self, name):
                yield name, TEXT, getattr(self, name)
        if self.body:
            yield "body", self.kind, self.body
        if self.text:
            yield "text", TEXT, self.text
        for name, source in self.data.items():
            yield f"data.{name}", TEXT, source


class Template(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A message to be written to many.

    Parameters
    ----------
    required
        Paths of values without which it is not sent: ``cart.items``, ``coupon.code``.
    fallback
        The language for customers whose own has no variant.
    """

    name: str
    channel: str
    variants: dict[str, Variant]
    title: str = ""
    category: str = ""
    message_class: str = MARKETING
    required: tuple[str, ...] = ()
    fallback: str = "en"

    def choose(self, language: str) -> tuple[str, Variant]:
        """The variant for a language, or the fallback's, with the language it is in."""
        if language in self.variants:
            return language, self.variants[language]
        return self.fallback, self.variants[self.fallback]


def check_template(template: Template) -> Template:
    """The template, if it can be used.

    Raises
    ------
    InvalidInput
        Saying which part cannot be used and why.
    """
    where = f"The template {template.name!r}"
    if not _NAME.fullmatch(template.name):
        raise InvalidInput(
            f"{template.name[:80]!r} cannot name a template; write small letters, digits, _ and -."
        )
    _check_words(template, where)
    for language, variant in template.variants.items():
        if language not in LANGUAGES:
            raise InvalidInput(f"{where}: there is no language {language[:20]!r}; write en or zh.")
        _check_variant(template, variant, f"{where}, {language}")
    if template.fallback not in template.variants:
        known = ", ".join(sorted(template.variants)) or "none"
        raise InvalidInput(
            f"{where}: its fallback {template.fallback[:20]!r} is no language it has ({known})."
        )
    for path in template.required:
        if not _PATH.fullmatch(path):
            raise InvalidInput(
                f"{where}: required holds paths of values such as cart.items, not {path[:80]!r}."
            )
    return template


def _check_words(template: Template, where: str) -> None:
    if template.channel not in CHANNELS and not _NAME.fullmatch(template.channel):
        raise InvalidInput(
            f"{where}: there is no channel {template.channel[:40]!r}"
            f"{did_you_mean(template.channel, CHANNELS)}."
        )
    if template.message_class not in CLASSES:
        raise InvalidInput(
            f"{where}: class is marketing or transactional, not {template.message_class[:40]!r}."
        )
    if len(template.category) > 64 or any(c.isspace() for c in template.category):
        raise InvalidInput(f"{where}: a category is one word of at most 64 characters.")
    if len(template.title) > 200:
        raise InvalidInput(f"{where}: its title may have 200 characters.")


def _check_variant(template: Template, variant: Variant, where: str) -> None:
    if variant.kind not in KINDS:
        raise InvalidInput(f"{where}: a body is mjml, html or text, not {variant.kind[:20]!r}.")
    if template.channel not in (EMAIL, ON_SITE) and variant.kind != TEXT:
        raise InvalidInput(f"{where}: the channel {template.channel} carries plain text only.")
    if template.channel == ON_SITE and variant.kind == MJML:
        raise InvalidInput(f"{where}: MJML is for e-mail; write html or text for the site.")
    if not variant.body and not (variant.data or variant.title):
        raise InvalidInput(f"{where}: it says nothing; write a body.")
    if template.channel == EMAIL and not variant.subject:
        raise InvalidInput(f"{where}: an e-mail needs a subject.")
    for name, kind, source in variant.parts():
        check_source(kind, source, f"{where}: {name}")
        if name in SHORT_PARTS and ("\n" in source or len(source) > 2000):
            raise InvalidInput(f"{where}: {name} is one line of at most 2,000 characters.")


def body_kind(channel: str) -> str:
    """The kind of a ``.liquid`` file: HTML where the channel shows it, else text.

    >>> body_kind("email"), body_kind("sms")
    ('html', 'text')
    """
    return HTML if channel in (EMAIL, ON_SITE) else TEXT
