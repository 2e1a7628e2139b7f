"""The message log: what was sent and what was not, each with its why; and messages on the site."""

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import msgspec
import sqlalchemy as sa

from lingxi.app.cursors import check_size, decode_cursor, encode_cursor
from lingxi.app.messages.report import compare_with_holdout
from lingxi.app.messages.views import (
    CountView,
    MessageReport,
    MessagesView,
    MessageView,
    MessageWhy,
    OnSiteMessage,
    OnSiteMessages,
    PushKeyView,
    StepView,
)
from lingxi.app.messages.ways import find_push_key
from lingxi.errors import InvalidInput
from lingxi.i18n import Sentence
from lingxi.ingest import customer_ids, find_customer, seek_browser
from lingxi.ingest.sealed import list_subjects
from lingxi.journeys.calendar import FIRST_YEAR, LAST_YEAR
from lingxi.messaging import journal, message_id, queue_message
from lingxi.messaging.channels.onsite import list_waiting, mark_closed, mark_shown
from lingxi.messaging.nouns import MARKETING, Message, SkipReason, State
from lingxi.messaging.sending.judgement import Composed, Links, Skip, Wait
from lingxi.messaging.templates import book
from lingxi.messaging.windows import first_at
from lingxi.schema import MESSAGE_EVENTS
from lingxi.store.tables import from_micros, identity, to_micros

if TYPE_CHECKING:
    from lingxi.app.shop import Shop

_STATES = frozenset(state.value for state in State)
_MOST_STEPS = 1000


class MessageDesk:
    """The messages of one shop."""

    def __init__(self, shop: "Shop") -> None:
        self._shop = shop

    def list_all(
        self,
        *,
        customer_id: str = "",
        template: str = "",
        journey: str = "",
        channel: str = "",
        state: str = "",
        reason: str = "",
        day: date | None = None,
        cursor: str | None = None,
        n: int = 50,
    ) -> MessagesView:
        """A page of messages, the last queued first; with ``day`` those queued on this day of the
        shop's time zone.

        Raises
        ------
        UnknownCustomer
            If there is no such customer.
        InvalidInput
            If a filter, the cursor or the page size cannot be used.
        """
        if state and state not in _STATES:
            raise InvalidInput(f"state is one of {', '.join(sorted(_STATES))}.")
        check_size(n)
        before = None if cursor is None else _read_cursor(cursor)
        since, until = (None, None) if day is None else self._bounds(day)
        with self._shop.store.read() as tx:
            subjects = self._find_subjects(tx, customer_id)
            filters = journal.Filters(
                subjects=subjects,
                template=template,
                journey=journey,
                channel=channel,
                state=state,
                reason=reason,
                since=since,
                until=until,
            )
            found = journal.list_entries(tx, filters, before=before, n=n + 1)
            page = found[:n]
            names = customer_ids(tx, {each.message.customer for each in page})
        last = page[-1].message if len(found) > n else None
        following = encode_cursor([to_micros(last.queued_at), last.id]) if last else None
        return MessagesView(tuple(_to_view(each, names) for each in page), following)

    def why(self, message_id: str) -> MessageWhy:
        """Why a message was sent or not.

        Raises
        ------
        UnknownMessage
            If there is none of this id.
        """
        now = self._shop.clock.now()
        with self._shop.store.read() as tx:
            entry = journal.get_entry(tx, message_id)
            message = entry.message
            names = customer_ids(tx, [message.customer])
            owner = _find_owner(tx, message.customer)
            verdict = self._judge(tx, message, now) if entry.state == State.QUEUED.value else None
        events = self._shop.store.log.read_customer(
            owner, limit=_MOST_STEPS, names=[name.value for name in MESSAGE_EVENTS]
        )
        steps = tuple(
            StepView(each.occurred_at, each.name, str(each.properties.get("reason") or ""))
            for each in reversed(events)
            if each.properties.get("message") == message_id
        )
        return MessageWhy(_to_view(entry, names), steps, verdict)

    def report(self, *, template: str = "", journey: str = "", days: int = 30) -> MessageReport:
        """What the messages of a template, a journey or all came to.

        Raises
        ------
        InvalidInput
            If ``days`` is not between 1 and 365.
        """
        if not 1 <= days <= 365:
            raise InvalidInput(f"days must be between 1 and 365, not {days}.")
        counted = self.count(template=template, journey=journey)
        journeys = [journey] if journey else []
        if template and not journey:
            with self._shop.store.read() as tx:
                journeys = journal.list_journeys(tx, template)
        outcomes = [compare_with_holdout(self._shop, each, days) for each in journeys]
        told = tuple(each for each in outcomes if each is not None)
        return msgspec.structs.replace(counted, outcomes=told)

    def count(self, *, template: str = "", journey: str = "") -> MessageReport:
        """The report without its comparison with those held out, which takes longer."""
        with self._shop.store.read() as tx:
            counts = journal.count_entries(tx, journal.Filters(template=template, journey=journey))
        return MessageReport(
            template=template,
            journey=journey,
            total=sum(counts.values()),
            counts=tuple(CountView(s, reason, n) for (s, reason), n in counts.items()),
            outcomes=(),
        )

    def queue(
        self,
        template: str,
        customer_id: str,
        *,
        key: str = "",
        context: dict[str, str | int | float | bool | None] | None = None,
        not_before: datetime | None = None,
        send_before: datetime | None = None,
    ) -> MessageView:
        """Queue one message of a published template; the same ``key`` is the same message.

        Raises
        ------
        UnknownTemplate, UnknownCustomer
            If there is none of this name or id.
        InvalidInput
            If the template was never published, or a moment cannot be used.
        """
        now = self._shop.clock.now()
        with self._shop.store.write() as tx:
            kept = book.get_template(tx, template)
            if not kept.published:
                raise InvalidInput(f"The template {template!r} was never published.")
            definition = book.read_version(tx, template, kept.published)
            customer = find_customer(tx, customer_id, store=self._shop.store)
            message = Message(
                id=message_id("api", f"{template} {key or uuid4().hex}", customer),
                customer=customer,
                channel=definition.channel,
                template=template,
                queued_at=now,
                category=definition.category,
                message_class=definition.message_class,
                not_before=not_before,
                send_before=send_before,
                context=context or {},
            )
            queue_message(self._shop.store, tx, message)
            entry = journal.get_entry(tx, message.id)
            return _to_view(entry, customer_ids(tx, [customer]))

    def push_key(self) -> PushKeyView:
        """What a browser subscribes to web push with."""
        return PushKeyView(find_push_key(self._shop))

    def list_on_site(
        self, *, customer_id: str = "", anonymous_id: str = "", slot: str = "", n: int = 5
    ) -> OnSiteMessages:
        """What waits for a customer on the site, its text made now; it counts as shown.

        Nobody who is unknown has anything waiting.
        """
        now = self._shop.clock.now()
        store, postroom = self._shop.store, self._shop.postroom
        shown: list[OnSiteMessage] = []
        noted: list[Message] = []
        with store.read() as tx:
            subjects = self._find_visitor(tx, customer_id, anonymous_id)
            waiting = list_waiting(tx, subjects, now, slot=slot, n=n) if subjects else []
            for each in waiting:
                reader = postroom.checks.find_reader(tx, each.message)
                if reader is None:
                    continue
                made = postroom.composer.compose(tx, each.message, reader, Links(), now)
                if isinstance(made, Composed):
                    c = made.content
                    shown.append(
                        OnSiteMessage(
                            id=each.message.id,
                            slot=each.slot,
                            title=c.title,
                            html=c.html,
                            text=c.text,
                            url=c.url,
                            data=c.data,
                            ends_at=each.ends_at,
                        )
                    )
                    if not each.shown:
                        noted.append(each.message)
        if noted:
            with store.write() as tx:
                mark_shown(store, tx, noted, now)
        return OnSiteMessages(tuple(shown))

    def close_on_site(self, message_id: str) -> None:
        """A customer closed a message on the site: it is not shown again.

        Raises
        ------
        UnknownMessage
            If no such message waits on the site.
        """
        with self._shop.store.write() as tx:
            mark_closed(self._shop.store, tx, message_id, self._shop.clock.now())

    def _bounds(self, day: date) -> tuple[datetime, datetime]:
        """When a day of the shop's time zone begins and ends."""
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise InvalidInput(f"day lies between {FIRST_YEAR} and {LAST_YEAR}.")
        zone = self._shop.settings.zone
        return first_at(day, time(), zone), first_at(day + timedelta(days=1), time(), zone)

    def _find_subjects(self, tx: sa.Connection, customer_id: str) -> tuple[int, ...]:
        if not customer_id:
            return ()
        return tuple(list_subjects(tx, find_customer(tx, customer_id, store=self._shop.store)))

    def _find_visitor(
        self, tx: sa.Connection, customer_id: str, anonymous_id: str
    ) -> tuple[int, ...]:
        if customer_id:
            return self._find_subjects(tx, customer_id)
        customer = seek_browser(tx, anonymous_id) if anonymous_id else None
        return () if customer is None else tuple(list_subjects(tx, customer))

    def _judge(self, tx: sa.Connection, message: Message, now: datetime) -> Sentence:
        """What would be decided on a waiting message now, limits apart."""
        postroom = self._shop.postroom
        checks = postroom.checks
        if now >= checks.last_moment(message):
            return Sentence(f"message.reason.{SkipReason.TOO_LATE.value}")
        channel = postroom.channels.get(message.channel)
        if channel is None:
            return Sentence(f"message.reason.{SkipReason.NO_CHANNEL.value}")
        reader = checks.find_reader(tx, message)
        if reader is None:
            return Sentence(f"message.reason.{SkipReason.NO_CUSTOMER.value}")
        address = reader.traits.get(channel.address_trait, "") if channel.address_trait else ""
        if channel.address_trait and not address:
            return Sentence(f"message.reason.{SkipReason.NO_ADDRESS.value}")
        verdict = checks.judge(tx, message, reader, address, now)
        if isinstance(verdict, Skip):
            return Sentence(f"message.reason.{verdict.reason.value}")
        if isinstance(verdict, Wait):
            return Sentence("message.waits", {"moment": f"{verdict.until:%Y-%m-%d %H:%M} UTC"})
        marketing = message.message_class == MARKETING
        return Sentence("message.would_go" if marketing else "message.would_go_always")


def explain_state(entry: journal.Entry) -> Sentence:
    """What a message's state means, in a sentence."""
    reasons = {reason.value for reason in SkipReason}
    if entry.state == State.SKIPPED.value and entry.reason in reasons:
        return Sentence(f"message.reason.{entry.reason}")
    if entry.state == State.QUEUED.value and entry.attempts:
        return Sentence("message.state.again", {"reason": entry.reason or "-", "n": entry.attempts})
    if entry.state == State.FAILED.value:
        return Sentence("message.state.failed", {"reason": entry.reason or "-"})
    return Sentence(f"message.state.{entry.state}")


def _find_owner(tx: sa.Connection, subject: int) -> int:
    query = sa.select(identity.c.customer).where(identity.c.subject == subject)
    return tx.execute(query).scalar() or subject


def _read_cursor(cursor: str) -> tuple[datetime, str]:
    micros, last = decode_cursor(cursor, 2)
    if not isinstance(micros, int) or not isinstance(last, str):
        raise InvalidInput("cursor is not one that this list gave; begin without it.")
    return from_micros(micros), last


def _to_view(entry: journal.Entry, names: dict[int, str]) -> MessageView:
    message = entry.message
    return MessageView(
        id=message.id,
        customer_id=names.get(message.customer, ""),
        channel=message.channel,
        template=message.template,
        template_version=message.template_version,
        category=message.category,
        message_class=message.message_class,
        journey=message.journey,
        run=message.run,
        node=message.node,
        state=entry.state,
        reason=entry.reason,
        why=explain_state(entry),
        detail=entry.detail,
        queued_at=message.queued_at,
        not_before=message.not_before,
        send_before=message.send_before,
        due_at=entry.due_at,
        sent_at=entry.sent_at,
        ended_at=entry.ended_at,
        attempts=entry.attempts,
        reference=entry.reference,
    )
