"""May these people be written to? Their words of consent and barred addresses, read for a batch."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from lingxi.ingest.consent import Answers, narrow, read_answers
from lingxi.messaging.email.suppression import find_barred
from lingxi.messaging.nouns import APP_PUSH, MARKETING, PUSH, TRANSACTIONAL, Message, SkipReason
from lingxi.messaging.sending.judgement import Skip
from lingxi.store import Store

_CONSENT_CHANNEL = {APP_PUSH: PUSH}
_PURPOSE = "marketing"


@dataclass(frozen=True)
class Asked:
    """A message, the customer it goes to after all merges, and at which address (may be empty)."""

    message: Message
    customer: int
    address: str


@dataclass(frozen=True)
class Permits:
    """What customers said and which addresses are barred, as one transaction sees it."""

    answers: Answers
    hashes: dict[str, str]
    barred: dict[str, bool]

    def check_address(self, asked: Asked) -> Skip | None:
        """The objection where the address bounced or complained, or was barred."""
        everything = self.barred.get(self.hashes.get(asked.address, ""))
        if everything or (everything is not None and asked.message.message_class != TRANSACTIONAL):
            return Skip(SkipReason.SUPPRESSED)
        return None

    def check_consent(self, asked: Asked) -> Skip | None:
        """The objection where the customer did not agree; transactional messages need no yes."""
        message, customer = asked.message, asked.customer
        if message.message_class != MARKETING:
            return None
        channel = _CONSENT_CHANNEL.get(message.channel, message.channel)
        if not self.answers.allows(customer, _PURPOSE, channel):
            return Skip(SkipReason.NO_CONSENT)
        about = narrow(_PURPOSE, message.category)
        if message.category and not self.answers.allows(customer, about, channel):
            return Skip(SkipReason.PREFERENCES)
        return None


def read_permits(store: Store, tx: sa.Connection, asked: Sequence[Asked]) -> Permits:
    """The permits for a batch; a query for each category in it, and one for the addresses."""
    marketing = [each for each in asked if each.message.message_class == MARKETING]
    categories = {each.message.category for each in marketing} - {""}
    purposes = [_PURPOSE, *(narrow(_PURPOSE, category) for category in sorted(categories))]
    customers = {each.customer for each in marketing}
    hashes = {each.address: store.keyring.blind(each.address) for each in asked if each.address}
    return Permits(
        read_answers(tx, store.settings.consent, customers, purposes),
        hashes,
        find_barred(tx, set(hashes.values())),
    )
