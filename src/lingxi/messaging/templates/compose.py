"""From a queued message to its text: which version, which language, which values."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from lingxi.config import Settings
from lingxi.errors import UnknownTemplate
from lingxi.ingest import customer_ids
from lingxi.messaging.nouns import WEBHOOK, Content, Message, SkipReason
from lingxi.messaging.sending.judgement import Composed, Links, Reader, Skip
from lingxi.messaging.templates.book import find_published, read_version
from lingxi.messaging.templates.liquid_engine import RenderFailed
from lingxi.messaging.templates.render import Rendered, list_names, render_template
from lingxi.messaging.templates.template import Template

_MOST_VERSIONS = 500


@dataclass(frozen=True)
class Ask:
    """What a value is wanted for."""

    message: Message
    reader: Reader
    language: str
    now: datetime


@dataclass(frozen=True)
class ValueSource:
    """A value of templates that another room knows: ``recommendations``, ``cart``, ``coupon``.

    ``read`` answers plain values (texts, numbers, lists, mappings), or nothing where there is
    nothing to tell. It is asked only by templates that name it.
    """

    name: str
    read: Callable[[sa.Connection, Ask], object]


class TemplateComposer:
    """Makes texts from the shop's templates."""

    def __init__(self, settings: Settings, sources: Sequence[ValueSource] = ()) -> None:
        self._settings = settings
        self._sources = {source.name: source for source in sources}
        self._versions: dict[tuple[str, int], Template] = {}

    @property
    def names(self) -> list[str]:
        """Every value that a template may name."""
        return sorted({"customer", "shop", "message", "links", *self._sources})

    def compose(
        self, tx: sa.Connection, message: Message, reader: Reader, links: Links, now: datetime
    ) -> Composed | Skip:
        """The text of a message, or why there is none."""
        if message.channel == WEBHOOK and message.context.get("url"):
            known = customer_ids(tx, [reader.customer])
            return Composed(_write_hook(message, known.get(reader.customer, "")), 0)
        version = message.template_version or find_published(tx, message.template)
        if not version:
            return Skip(SkipReason.NO_TEMPLATE, message.template)
        try:
            template = self._read(tx, message.template, version)
            rendered = self.render(tx, template, message, reader, links, now)
        except UnknownTemplate as error:
            return Skip(SkipReason.NO_TEMPLATE, str(error))
        except RenderFailed as error:
            return Skip(SkipReason.NOT_RENDERED, str(error))
        if rendered.missing:
            return Skip(SkipReason.UNRESOLVED, ", ".join(rendered.missing))
        return Composed(rendered.content, version)

    def render(
        self,
        tx: sa.Connection,
        template: Template,
        message: Message,
        reader: Reader,
        links: Links,
        now: datetime,
    ) -> Rendered:
        """A template, published or not, as this reader would get it.

        Raises
        ------
        RenderFailed
            If it cannot be rendered.
        """
        language, _ = template.choose(reader.language)
        ask = Ask(message, reader, language, now)
        values = self._read_values(tx, list_names(template, language), ask, links)
        return render_template(
            template,
            language,
            values,
            currency=self._settings.shop.currency,
            timezone=reader.timezone,
            seconds=self._settings.messaging.render_seconds,
        )

    def _read(self, tx: sa.Connection, name: str, version: int) -> Template:
        """A version, remembered: it never changes."""
        known = self._versions.get((name, version))
        if known is None:
            if len(self._versions) >= _MOST_VERSIONS:
                self._versions.clear()
            known = self._versions[name, version] = read_version(tx, name, version)
        return known

    def _read_values(
        self, tx: sa.Connection, names: frozenset[str], ask: Ask, links: Links
    ) -> Mapping[str, object]:
        reader, message = ask.reader, ask.message
        values: dict[str, object] = {
            "customer": {**reader.traits, "name": reader.name or None, "language": ask.language},
            "shop": {
                "name": self._settings.shop.name,
                "currency": self._settings.shop.currency,
                "url": self._settings.shop.url,
            },
            "message": {**message.context, "id": message.id, "category": message.category},
            "links": {
                "unsubscribe": links.unsubscribe_url or None,
                "preferences": links.preferences_url or None,
            },
        }
        for name in names:
            source = self._sources.get(name)
            if source is not None:
                values[name] = source.read(tx, ask)
        return values


def _write_hook(message: Message, customer_id: str) -> Content:
    """A call to the shop's own systems, which has no text: what the journey knows, as it is."""
    said = {name: value for name, value in message.context.items() if value is not None}
    url = str(said.pop("url"))
    data = {name: value if isinstance(value, str) else str(value) for name, value in said.items()}
    own = {"customer_id": customer_id, "journey": message.journey, "run": message.run}
    return Content(url=url, data={**data, **own})
