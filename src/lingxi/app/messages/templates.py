"""The shop's templates as the command line, the API and the pages work on them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING
from uuid import uuid4

import msgspec
import sqlalchemy as sa

from lingxi.access.audit import record_audit
from lingxi.app.messages.views import (
    LinkView,
    TemplateDetail,
    TemplatePreview,
    TemplatesView,
    TemplateVersionView,
    TemplateView,
    TestSent,
)
from lingxi.errors import InvalidInput
from lingxi.ingest import customer_ids, find_customer
from lingxi.messaging.nouns import Accepted, Content, Deferred, Failed, Message, Parcel, Recipient
from lingxi.messaging.sending.judgement import Links, Reader
from lingxi.messaging.templates import book
from lingxi.messaging.templates.links import list_links
from lingxi.messaging.templates.lint import lint_template
from lingxi.messaging.templates.liquid_engine import RenderFailed
from lingxi.messaging.templates.render import Rendered
from lingxi.messaging.templates.template import Template

if TYPE_CHECKING:
    from lingxi.app.shop import Shop

Context = Mapping[str, str | int | float | bool | None]
_LARGEST_CONTEXT = 50


class TemplateDesk:
    """The templates of one shop."""

    def __init__(self, shop: "Shop") -> None:
        self._shop = shop

    def list_all(self) -> TemplatesView:
        """All templates, drafts included."""
        with self._shop.store.read() as tx:
            return TemplatesView(tuple(_to_view(each) for each in book.list_templates(tx)))

    def describe(self, name: str) -> TemplateDetail:
        """One template with its draft, findings and versions.

        Raises
        ------
        UnknownTemplate
            If there is none of this name.
        """
        names, channels = self._shop.postroom.composer.names, self._shop.postroom.channels
        with self._shop.store.read() as tx:
            kept = book.get_template(tx, name)
            versions = book.list_versions(tx, name)
        return TemplateDetail(
            template=_to_view(kept),
            definition=msgspec.to_builtins(kept.draft),
            findings=tuple(lint_template(kept.draft, names, channels)),
            versions=tuple(
                TemplateVersionView(v.version, v.published_at, v.published_by, v.note)
                for v in versions
            ),
            values=tuple(names),
        )

    def put(self, template: Template, *, actor: str) -> TemplateDetail:
        """Make the template its draft; what is sent stays as it is.

        Raises
        ------
        InvalidInput
            If it cannot be used.
        """
        now = self._shop.clock.now()
        with self._shop.store.write() as tx:
            if book.put_template(tx, template, now, actor=actor):
                record_audit(tx, now, actor=actor, action="template.draft", target=template.name)
        return self.describe(template.name)

    def publish(self, name: str, *, actor: str, note: str = "") -> TemplateDetail:
        """Make the draft what is sent."""
        now = self._shop.clock.now()
        with self._shop.store.write() as tx:
            book.publish_template(tx, name, now, actor=actor, note=note)
            record_audit(tx, now, actor=actor, action="template.publish", target=name)
        return self.describe(name)

    def restore(self, name: str, version: int, *, actor: str) -> TemplateDetail:
        """Make the draft what a version was."""
        now = self._shop.clock.now()
        with self._shop.store.write() as tx:
            book.restore_version(tx, name, version, now, actor=actor)
            record_audit(tx, now, actor=actor, action="template.restore", target=name)
        return self.describe(name)

    def remove(self, name: str, *, actor: str) -> None:
        """Take away a template that was never published."""
        now = self._shop.clock.now()
        with self._shop.store.write() as tx:
            book.remove_template(tx, name)
            record_audit(tx, now, actor=actor, action="template.remove", target=name)

    def preview(
        self,
        name: str,
        *,
        customer_id: str = "",
        language: str = "",
        context: Context | None = None,
        template: Template | None = None,
    ) -> TemplatePreview:
        """The draft, or another definition of it, as a customer would get it. Nothing is sent.

        Raises
        ------
        UnknownTemplate, UnknownCustomer
            If there is none of this name or id.
        """
        with self._shop.store.read() as tx:
            wanted = template or book.get_template(tx, name).draft
            message, reader = self._ask(tx, wanted, customer_id, language, context or {})
            shown = customer_ids(tx, [reader.customer]).get(reader.customer, "")
            try:
                rendered = self._render(tx, wanted, message, reader)
            except RenderFailed as error:
                return TemplatePreview(shown, reader.language, problem=str(error))
        content = rendered.content
        return TemplatePreview(
            customer_id=shown,
            language=rendered.language,
            subject=content.subject,
            title=content.title,
            html=content.html,
            text=content.text,
            url=content.url,
            missing=rendered.missing,
            links=tuple(LinkView(link.url, link.fault) for link in list_links(content.html)),
        )

    def send_test(
        self,
        name: str,
        to: str,
        *,
        actor: str,
        customer_id: str = "",
        language: str = "",
        context: Context | None = None,
    ) -> TestSent:
        """Send the draft to an address at once, marked as a test; nothing is counted.

        Raises
        ------
        UnknownTemplate, UnknownCustomer
            If there is none of this name or id.
        InvalidInput
            If it cannot be rendered, values are missing, or its channel is not set up.
        """
        with self._shop.store.read() as tx:
            template = book.get_template(tx, name).draft
            message, reader = self._ask(tx, template, customer_id, language, context or {})
            try:
                rendered = self._render(tx, template, message, reader)
            except RenderFailed as error:
                raise InvalidInput(f"The template {name!r} cannot be rendered: {error}") from error
        if rendered.missing:
            raise InvalidInput(
                f"Values are missing: {', '.join(rendered.missing)}. Name a customer who has them, "
                "or give the template defaults."
            )
        channel = self._shop.postroom.channels.get(template.channel)
        if channel is None:
            raise InvalidInput(
                f"The channel {template.channel!r} is not set up; see docs/messaging.md."
            )
        outcome = channel.deliver(_pack(template, message, reader, rendered.content, to))
        now = self._shop.clock.now()
        with self._shop.store.write() as tx:
            record_audit(tx, now, actor=actor, action="template.test", target=name)
        if isinstance(outcome, Accepted):
            return TestSent("accepted")
        kind = {Deferred: "deferred", Failed: "failed"}.get(type(outcome), "unclear")
        return TestSent(kind, outcome.reason, outcome.detail)

    def _ask(
        self, tx: sa.Connection, template: Template, customer_id: str, language: str, said: Context
    ) -> tuple[Message, Reader]:
        if len(said) > _LARGEST_CONTEXT:
            raise InvalidInput(f"A context may have {_LARGEST_CONTEXT} entries.")
        if language and language not in template.variants:
            raise InvalidInput(f"The template {template.name!r} has no language {language[:20]!r}.")
        customer = find_customer(tx, customer_id, store=self._shop.store) if customer_id else 0
        message = Message(
            id=uuid4().hex,
            customer=customer,
            channel=template.channel,
            template=template.name,
            queued_at=self._shop.clock.now(),
            category=template.category,
            message_class=template.message_class,
            context=dict(said),
        )
        reader = self._shop.postroom.checks.find_reader(tx, message) if customer else None
        if reader is None:
            shop = self._shop.settings.shop
            reader = Reader(0, (), {}, language or shop.language, shop.timezone)
        elif language:
            reader = Reader(
                reader.customer, reader.subjects, reader.traits, language, reader.timezone
            )
        return message, reader

    def _render(
        self, tx: sa.Connection, template: Template, message: Message, reader: Reader
    ) -> Rendered:
        postroom = self._shop.postroom
        links = postroom.make_links(message, reader, "")
        if not links.unsubscribe_url:
            base = self._shop.settings.mail.public_url.rstrip("/")
            links = Links(f"{base}/mail/unsubscribe/preview", f"{base}/mail/preferences/preview")
        return postroom.composer.render(tx, template, message, reader, links, message.queued_at)


def _pack(
    template: Template, message: Message, reader: Reader, content: Content, to: str
) -> Parcel:
    marked = msgspec.structs.replace(
        content,
        subject=f"[Test] {content.subject}" if content.subject else "",
        title=f"[Test] {content.title}" if content.title else "",
    )
    return Parcel(
        message_id=message.id,
        attempt=1,
        recipient=Recipient(
            address=to, name=reader.name, language=reader.language, timezone=reader.timezone
        ),
        content=marked,
        category=template.category,
        message_class=template.message_class,
        customer=reader.customer,
    )


def _to_view(kept: book.Kept) -> TemplateView:
    draft = kept.draft
    return TemplateView(
        name=draft.name,
        title=draft.title,
        channel=draft.channel,
        category=draft.category,
        message_class=draft.message_class,
        languages=tuple(sorted(draft.variants)),
        published=kept.published,
        differs=kept.differs,
        changed_at=kept.changed_at,
        changed_by=kept.changed_by,
    )
