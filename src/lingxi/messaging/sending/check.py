"""The checks at the moment of sending, in their order: the first that objects is the reason."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import sqlalchemy as sa

from lingxi.config import Settings
from lingxi.i18n import choose_language
from lingxi.ingest.consent import is_allowed
from lingxi.ingest.sealed import read_traits
from lingxi.messaging.email.preferences import allows
from lingxi.messaging.email.suppression import is_suppressed
from lingxi.messaging.nouns import APP_PUSH, MARKETING, PUSH, Message, SkipReason
from lingxi.messaging.sending.judgement import Reader, SendCheck, Skip, Wait
from lingxi.messaging.windows import QuietTimes
from lingxi.store import Store
from lingxi.store.prepared import Prepared
from lingxi.store.tables import identity

_OWNER = Prepared(
    sa.select(identity.c.customer).where(
        identity.c.subject == sa.bindparam("subject", type_=sa.BigInteger)
    ),
    "subject",
)
_SUBJECTS = Prepared(
    sa.select(identity.c.subject).where(
        identity.c.customer == sa.bindparam("customer", type_=sa.BigInteger)
    ),
    "customer",
)
_CONSENT_CHANNEL = {APP_PUSH: PUSH}


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
        found = _OWNER.fetch(tx, message.customer)
        if not found:
            return None
        customer = int(found[0][0])
        traits = read_traits(self._store, tx, customer)
        return Reader(
            customer=customer,
            subjects=tuple(
                sorted({int(row[0]) for row in _SUBJECTS.fetch(tx, customer)} | {customer})
            ),
            traits=traits,
            language=choose_language(
                traits.get("language") or traits.get("locale") or self._settings.shop.language
            ),
            timezone=self._zone(traits.get("timezone", "")),
        )

    def judge(
        self, tx: sa.Connection, message: Message, reader: Reader, address: str, now: datetime
    ) -> Skip | Wait | None:
        """Why the message must not be sent, or not yet; nothing where it may."""
        marketing = message.message_class == MARKETING
        if address and is_suppressed(tx, self._store.keyring.blind(address), message.message_class):
            return Skip(SkipReason.SUPPRESSED)
        for check in self._others:
            if marketing or check.transactional:
                reason = check.function(tx, message, now)
                if reason is not None:
                    return Skip(reason, check.name)
        if not marketing:
            return None
        channel = _CONSENT_CHANNEL.get(message.channel, message.channel)
        consent = self._settings.consent
        if not allows(tx, consent, reader.customer, channel, message.category):
            agreed = is_allowed(tx, consent, reader.customer, "marketing", channel)
            return Skip(SkipReason.PREFERENCES if agreed else SkipReason.NO_CONSENT)
        if message.channel in self._quiet_channels:
            end = self._quiet.find_end(now, ZoneInfo(reader.timezone))
            if end >= self.last_moment(message):
                return Skip(SkipReason.TOO_LATE, "quiet hours")
            if end > now:
                return Wait(end)
        return None

    def _zone(self, name: str) -> str:
        try:
            return ZoneInfo(name).key if name else self._settings.shop.timezone
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return self._settings.shop.timezone
