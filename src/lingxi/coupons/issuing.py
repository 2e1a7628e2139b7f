"""Giving coupons out, once for each key, and the codes they carry."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from lingxi.coupons.book import Kept, get_offer
from lingxi.coupons.codes import make_code
from lingxi.coupons.events import coupon_event
from lingxi.coupons.ledger import Account, Move, post, read_totals
from lingxi.coupons.offer import Offer, PoolCode, SharedCode, UniqueCode
from lingxi.coupons.rows import CouponRow, find_by_key, find_free, get_coupon, insert_coupon
from lingxi.coupons.tables import coupon
from lingxi.coupons.validity import find_expiry
from lingxi.coupons.vault import Vault
from lingxi.errors import Conflict, InvalidInput, OfferClosed
from lingxi.schema import Event, Name
from lingxi.store.counters import allocate
from lingxi.store.people import find_owner

_COUNTER = "coupon"
LONGEST_KEY = 120


@dataclass(frozen=True)
class Code:
    """A coupon in somebody's hands. ``text`` is a secret: show it to its holder, write it nowhere.

    ``new`` is false where the key had its coupon already.
    """

    coupon: int
    text: str
    offer: str
    customer: int | None
    state: str
    issued_at: datetime
    starts_at: datetime | None
    expires_at: datetime | None
    new: bool = False

    def __repr__(self) -> str:
        """Without the text: what is printed or logged by mistake gives nothing away."""
        return f"Code(coupon={self.coupon}, offer={self.offer!r}, state={self.state!r})"


def issue_one(
    tx: sa.Connection,
    vault: Vault,
    offer: str,
    customer: int | None,
    key: str,
    now: datetime,
    zone: ZoneInfo,
) -> tuple[Code, list[Event]]:
    """A coupon of the offer for a customer, the same one for the same key, and its events.

    Raises
    ------
    UnknownOffer
        If there is no such offer.
    OfferClosed
        If the offer is paused or over, or has nothing left.
    Conflict
        If the key has its coupon, and that is another customer's: nobody is told somebody's code.
    InvalidInput
        If the key is empty or too long.
    """
    check_key("key", key)
    held = find_by_key(tx, offer, key)
    if held is not None:
        _check_holder(tx, held, customer)
        return read_code(tx, vault, held), []
    kept = get_offer(tx, offer)
    check_open(tx, kept.offer, now)
    starts = kept.offer.validity.starts_at
    wanted = CouponRow(
        coupon=0,
        offer=offer,
        version=kept.version,
        state=str(Account.ISSUED),
        customer=customer,
        key=key,
        issued_at=now,
        starts_at=None if starts is None else starts.astimezone(UTC),
        expires_at=find_expiry(kept.offer.validity, now, zone),
    )
    row, source, text = _take(tx, vault, kept, wanted)
    move = Move(offer, source, Account.ISSUED, row.coupon, customer)
    post(tx, [move], now, actor="issue")
    event = coupon_event(Name.COUPON_ISSUED, row.coupon, offer, customer, now)
    return _to_code(row, text, new=True), [event]


def _check_holder(tx: sa.Connection, held: CouponRow, customer: int | None) -> None:
    if held.customer is None:  # given to nobody in particular, or to somebody who was erased
        return
    if customer is None or find_owner(tx, customer) != find_owner(tx, held.customer):
        raise Conflict("This key was used for another customer's coupon; take a new one.")


def _take(
    tx: sa.Connection, vault: Vault, kept: Kept, row: CouponRow
) -> tuple[CouponRow, Account, str]:
    """The coupon, from the pool or made now, where it came from, and its code."""
    rule = kept.offer.code
    if isinstance(rule, PoolCode):
        row = _take_free(tx, row)
        return row, Account.FREE, _open(vault, row)
    (number,) = allocate(tx, _COUNTER, 1)
    row = row._replace(coupon=number)
    text = rule.text if isinstance(rule, SharedCode) else ""
    if isinstance(rule, UniqueCode):
        text = make_code(rule.prefix, rule.length)
        row = row._replace(found_by=vault.find_by(text), sealed=vault.seal(number, text))
    insert_coupon(tx, row)
    return row, Account.NOWHERE, text


def _take_free(tx: sa.Connection, wanted: CouponRow) -> CouponRow:
    """A coupon of the pool, from now on the one that is wanted."""
    number = find_free(tx, wanted.offer)
    if number is None:
        raise OfferClosed(
            f"The pool of the offer {wanted.offer!r} is empty; import codes with "
            f"'lingxi coupon import {wanted.offer} FILE'."
        )
    names = ("version", "customer", "key", "issued_at", "starts_at", "expires_at", "state")
    values = {name: getattr(wanted, name) for name in names}
    tx.execute(sa.update(coupon).where(coupon.c.coupon == number).values(values))
    row = get_coupon(tx, number)
    assert row is not None
    return row


def check_open(tx: sa.Connection, offer: Offer, now: datetime) -> None:
    """Refuse to issue what could never be redeemed.

    Raises
    ------
    OfferClosed
        Saying why.
    """
    name, limits, ends = offer.name, offer.limits, offer.validity.ends_at
    if offer.paused:
        raise OfferClosed(f"The offer {name!r} is paused.")
    if ends is not None and ends <= now:
        raise OfferClosed(f"The offer {name!r} ended on {ends:%Y-%m-%d}.")
    totals = read_totals(tx, name)
    if limits.issued is not None and totals.issued >= limits.issued:
        raise OfferClosed(f"All {limits.issued} coupons of the offer {name!r} are issued.")
    redeemed = totals.count(Account.REDEEMED)
    if limits.redemptions is not None and redeemed >= limits.redemptions:
        raise OfferClosed(f"The offer {name!r} was redeemed {redeemed} times, as often as it may.")
    if limits.budget_cents is not None and totals.spent_cents >= limits.budget_cents:
        raise OfferClosed(f"The budget of the offer {name!r} is spent.")


def read_code(tx: sa.Connection, vault: Vault, row: CouponRow) -> Code:
    """A coupon's row with its code."""
    if row.sealed is not None:
        return _to_code(row, _open(vault, row))
    rule = get_offer(tx, row.offer, row.version).offer.code
    return _to_code(row, rule.text if isinstance(rule, SharedCode) else "")


def _open(vault: Vault, row: CouponRow) -> str:
    return "" if row.sealed is None else vault.open(row.coupon, row.sealed)


def _to_code(row: CouponRow, text: str, *, new: bool = False) -> Code:
    assert row.issued_at is not None
    return Code(
        coupon=row.coupon,
        text=text,
        offer=row.offer,
        customer=row.customer,
        state=row.state,
        issued_at=row.issued_at,
        starts_at=row.starts_at,
        expires_at=row.expires_at,
        new=new,
    )


def check_key(name: str, key: str) -> None:
    """Refuse a key that cannot tell one act from another.

    Raises
    ------
    InvalidInput
        If it is empty, too long or cannot be printed.
    """
    if not 1 <= len(key) <= LONGEST_KEY or not key.isprintable():
        raise InvalidInput(f"{name} must be 1 to {LONGEST_KEY} printable characters.")


def count_free(tx: sa.Connection, offers: Sequence[Offer]) -> dict[str, int]:
    """Codes left in the pool of each offer that has one."""
    return {
        each.name: read_totals(tx, each.name).count(Account.FREE)
        for each in offers
        if isinstance(each.code, PoolCode)
    }
