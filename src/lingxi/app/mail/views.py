"""Deliverability of one shop: what became of its e-mail, and what stands in the way of more."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from lingxi.i18n import Sentence
from lingxi.messaging.email import open_email, open_links
from lingxi.messaging.email.address import domain_of
from lingxi.messaging.email.dns import AskTxt, ask_txt
from lingxi.messaging.email.ledger import Came, list_days, list_ways
from lingxi.messaging.email.preflight import Facts, check_all
from lingxi.messaging.email.suppression import count_suppressed
from lingxi.messaging.nouns import Content, Parcel, Recipient

if TYPE_CHECKING:
    from lingxi.app.shop import Shop

_WINDOW = 28
_SAMPLE = "0" * 32
_REMEMBERED = timedelta(days=7)
"""A worker that has told nothing new for so long has ended."""


class Outcomes(msgspec.Struct, frozen=True):
    """How many messages came to what. Rates are shares of what was accepted; null under 1.

    ``hard`` are addresses that do not exist, ``soft`` full or passing troubles, ``blocked``
    refusals for what we are, ``suppressed`` addresses that are not written to any more.
    """

    accepted: int = 0
    deferred: int = 0
    failed: int = 0
    unknown: int = 0
    hard: int = 0
    soft: int = 0
    blocked: int = 0
    complained: int = 0
    suppressed: int = 0
    bounce_rate: float | None = None
    complaint_rate: float | None = None


class ProviderRow(msgspec.Struct, frozen=True):
    """One mailbox provider."""

    provider: str
    outcomes: Outcomes


class DayRow(msgspec.Struct, frozen=True):
    """One day of the shop's time zone, all providers together."""

    day: str
    outcomes: Outcomes


class WayRow(msgspec.Struct, frozen=True):
    """The way out of one worker: ``closed`` lets all through, ``open`` nothing, ``half_open``
    tries."""

    worker: str
    state: str
    detail: str
    since: datetime


class Deliverability(msgspec.Struct, frozen=True):
    """What became of the shop's e-mail. ``host`` is empty where it goes into the outbox."""

    as_of: datetime
    days: int
    host: str
    sender: str
    outbox: str
    total: Outcomes
    by_provider: Sequence[ProviderRow]
    by_day: Sequence[DayRow]
    ways: Sequence[WayRow]
    suppressed: Mapping[str, int]


class CheckRow(msgspec.Struct, frozen=True):
    """One check: ``state`` is pass, warn, fail or unknown; the sentence says what to do."""

    name: str
    state: str
    sentence: Sentence


class Preflight(msgspec.Struct, frozen=True):
    """The list before sending to many; ``ready``: nothing in it failed."""

    as_of: datetime
    ready: bool
    checks: Sequence[CheckRow]


def get_deliverability(shop: "Shop", *, days: int = _WINDOW) -> Deliverability:
    """What became of e-mail in the last days."""
    now = shop.clock.now()
    with shop.store.read() as tx:
        found = list_days(tx, now.astimezone(shop.settings.zone).date(), days)
        ways = [
            way
            for way in list_ways(tx)
            if way.state in ("open", "closed", "half_open") and now - way.at < _REMEMBERED
        ]
        suppressed = count_suppressed(tx)
    by_provider: dict[str, dict[str, int]] = {}
    by_day: dict[str, dict[str, int]] = {}
    for row in found:
        for name, n in row.counts.items():
            for table, key in ((by_provider, row.provider), (by_day, row.day)):
                own = table.setdefault(key, {})
                own[name] = own.get(name, 0) + n
    total = {name.value: sum(each.get(name, 0) for each in by_day.values()) for name in Came}
    providers = sorted(by_provider.items(), key=lambda pair: (-pair[1].get("accepted", 0), pair[0]))
    mail = shop.settings.mail
    return Deliverability(
        as_of=now,
        days=days,
        host=mail.host,
        sender=mail.sender,
        outbox=mail.outbox,
        total=to_outcomes(total),
        by_provider=[ProviderRow(name, to_outcomes(counts)) for name, counts in providers],
        by_day=[DayRow(day, to_outcomes(by_day[day])) for day in sorted(by_day, reverse=True)],
        ways=[WayRow(way.name, way.state, way.detail, way.at) for way in ways],
        suppressed=suppressed,
    )


def to_outcomes(counts: Mapping[str, int]) -> Outcomes:
    """Counts with their rates."""
    accepted = counts.get("accepted", 0)
    bounced = counts.get("hard", 0) + counts.get("soft", 0) + counts.get("blocked", 0)
    return Outcomes(
        **{name.value: counts.get(name.value, 0) for name in Came},
        bounce_rate=bounced / accepted if accepted else None,
        complaint_rate=counts.get("complained", 0) / accepted if accepted else None,
    )


def run_preflight(shop: "Shop", *, ask: AskTxt = ask_txt) -> Preflight:
    """Check what Gmail, Yahoo and Outlook ask for; asks DNS."""
    mail, now = shop.settings.mail, shop.clock.now()
    channel = open_email(shop.settings, shop.store.keyring, shop.clock)
    house = channel.house
    sample = house.write(
        Parcel(
            message_id=_SAMPLE,
            attempt=1,
            recipient=Recipient(address=f"someone@{house.domain}"),
            content=Content(subject="Sample", html="<p>Sample</p>", text="Sample"),
            unsubscribe_url=open_links(shop.settings, shop.store.keyring).unsubscribe(
                _SAMPLE, 0, "0" * 64
            ),
        ),
        now,
    )
    channel.close()
    total = get_deliverability(shop).total
    facts = Facts(
        sender=mail.sender,
        return_domain=mail.return_domain or domain_of(mail.sender),
        keys=house.keys,
        public_url=mail.public_url.rstrip("/"),
        tls=mail.tls,
        host=mail.host,
        hears_bounces=bool(mail.bounces or mail.imap_host),
        sample=sample.data,
        accepted=total.accepted,
        complained=total.complained,
        hard=total.hard,
    )
    checks = [
        CheckRow(
            check.name,
            check.state.value,
            Sentence(f"mail.check.{check.name}.{check.outcome}", dict(check.said)),
        )
        for check in check_all(facts, ask)
    ]
    return Preflight(now, all(check.state != "fail" for check in checks), checks)
