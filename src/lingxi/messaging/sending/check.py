"""The checks at the moment of sending, in their order: the first that objects is the reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import sqlalchemy as sa

from lingxi.config import Settings
from lingxi.i18n import choose_language
from lingxi.ingest.sealed import read_traits_of
from lingxi.messaging.nouns import MARKETING, Message, SkipReason
from lingxi.messaging.sending.judgement import Reader, SendCheck, Skip, Wait
from lingxi.messaging.sending.permits import Asked, Permits, read_permits
from lingxi.messaging.windows import QuietTimes
from lingxi.store import Store
from lingxi.store.keyed import fetch_by_keys
from lingxi.store.tables import identity


@dataclass(frozen=True)
class Known:
    """What was read for a batch of messages: permits, and objections of other rooms by message."""

    permits: Permits
    objections: Mapping[str, Skip]


class Checks:
    """Everything that can keep a message back, except the limits: those are counted under the lock.

    Raises
    ------
    InvalidSetting
        If quiet hours or holidays cannot be read.
    """

    def __init__(self, store: Store, others: Sequence[SendCheck] = ()) -> None:
        settings: Settings = store.settings
        self._store = store
        self._settings = settings
        self._others = tuple(others)
        sending = settings.messaging
        self._quiet = QuietTimes.read(sending.quiet_hours, sending.holidays)
        self._quiet_channels = frozenset(sending.quiet_channels)

    def last_moment(self, message: Message) -> datetime:
        """When it is too late for a message, whether it says so itself or not."""
        if message.send_before is not None:
            return message.send_before
        begun = message.not_before or message.queued_at
        return begun + timedelta(hours=self._settings.messaging.give_up_hours)

    def find_reader(self, tx: sa.Connection, message: Message) -> Reader | None:
        """Who the message goes to, followed through merges; nothing where nobody is there."""
        return self.find_readers(tx, [message]).get(message.customer)

    def find_readers(self, tx: sa.Connection, messages: Sequence[Message]) -> dict[int, Reader]:
        """Who many messages go to, by the customer they name; who is gone is left out."""
        c = identity.c
        named = {(message.customer,) for message in messages}
        owners: dict[int, int] = dict(
            fetch_by_keys(tx, [c.subject], named, [c.subject, c.customer])
        )
        customers = set(owners.values())
        subjects: dict[int, set[int]] = {customer: {customer} for customer in customers}
        rows = fetch_by_keys(
            tx, [c.customer], [(each,) for each in customers], [c.customer, c.subject]
        )
        for customer, subject in rows:
            subjects[customer].add(subject)
        traits = read_traits_of(self._store, tx, subjects)
        readers = {each: self._to_reader(each, subjects[each], traits[each]) for each in customers}
        return {subject: readers[customer] for subject, customer in owners.items()}

    def read_known(self, tx: sa.Connection, asked: Sequence[Asked], now: datetime) -> "Known":
        """What these people said, whether their addresses are barred, and what other rooms have
        against these messages, in this transaction."""
        objections: dict[str, Skip] = {}
        for check in self._others:
            concerned = [
                each.message
                for each in asked
                if each.message.id not in objections
                and (check.transactional or each.message.message_class == MARKETING)
            ]
            if concerned:
                against = check.function(tx, concerned, now)
                objections |= {key: Skip(reason, check.name) for key, reason in against.items()}
        return Known(read_permits(self._store, tx, asked), objections)

    def judge(
        self, tx: sa.Connection, message: Message, reader: Reader, address: str, now: datetime
    ) -> Skip | Wait | None:
        """Why the message must not be sent, or not yet; nothing where it may."""
        asked = Asked(message, reader.customer, address)
        return self.judge_by(self.read_known(tx, [asked], now), asked, reader, now)

    def judge_by(
        self, known: "Known", asked: Asked, reader: Reader, now: datetime
    ) -> Skip | Wait | None:
        """As ``judge``, by what was read for a batch in the same transaction."""
        message, permits = asked.message, known.permits
        if (skip := permits.check_address(asked)) is not None:
            return skip
        if (skip := known.objections.get(message.id)) is not None:
            return skip
        if message.message_class != MARKETING:
            return None
        if (skip := permits.check_consent(asked)) is not None:
            return skip
        if message.channel in self._quiet_channels:
            end = self._quiet.find_end(now, ZoneInfo(reader.timezone))
            if end >= self.last_moment(message):
                return Skip(SkipReason.TOO_LATE, "quiet hours")
            if end > now:
                return Wait(end)
        return None

    def _to_reader(self, customer: int, subjects: set[int], traits: Mapping[str, str]) -> Reader:
        return Reader(
            customer=customer,
            subjects=tuple(sorted(subjects)),
            traits=traits,
            language=choose_language(
                traits.get("language") or traits.get("locale") or self._settings.shop.language
            ),
            timezone=self._zone(traits.get("timezone", "")),
        )

    def _zone(self, name: str) -> str:
        try:
            return ZoneInfo(name).key if name else self._settings.shop.timezone
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return self._settings.shop.timezone
