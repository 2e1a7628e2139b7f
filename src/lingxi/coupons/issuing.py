"""Giving coupons out, once for each key, and the codes they carry."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from lingxi.coupons.book import Kept, get_offer
from lingxi.coupons.codes import make_code
from lingxi.coupons.events import coupon_event
from lingxi.coupons.ledger import OUTSTANDING, Account, Move, post, read_totals
from lingxi.coupons.offer import Offer, PoolCode, SharedCode, UniqueCode
from lingxi.coupons.tables import coupon
from lingxi.coupons.validity import find_expiry
from lingxi.coupons.vault import Vault
from lingxi.errors import InvalidInput, OfferClosed
from lingxi.schema import Event, Name
from lingxi.store.counters import allocate

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
    InvalidInput
        If the key is empty or too long.
    """
    check_key("key", key)
    held = tx.execute(sa.select(coupon).where(coupon.c.offer == offer, coupon.c.key == key)).first()
    if held is not None:
        return read_code(tx, vault, held), []
    kept = get_offer(tx, offer)
    check_open(tx, kept.offer, now)
    values: dict[str, object] = {
        "version": kept.version,
        "customer": customer,
        "key": key,
        "issued_at": now,
        "starts_at": kept.offer.validity.starts_at,
        "expires_at": find_expiry(kept.offer.validity, now, zone),
    }
    number, source = _take(tx, vault, kept, values)
    move = Move(offer, source, Account.ISSUED, number, customer)
    post(tx, [move], now, actor="issue")
    row = tx.execute(sa.select(coupon).where(coupon.c.coupon == number)).one()
    event = coupon_event(Name.COUPON_ISSUED, number, offer, customer, now)
    return read_code(tx, vault, row, new=True), [event]


def _take(
    tx: sa.Connection, vault: Vault, kept: Kept, values: dict[str, object]
) -> tuple[int, Account]:
    """A coupon for the values, from the pool or made now: its number, and where it came from."""
    rule, name = kept.offer.code, kept.offer.name
    if isinstance(rule, PoolCode):
        free = sa.select(coupon.c.coupon).where(
            coupon.c.offer == name, coupon.c.state == Account.FREE
        )
        number = tx.execute(free.order_by(coupon.c.coupon).limit(1)).scalar()
        if number is None:
            raise OfferClosed(
                f"The pool of the offer {name!r} is empty; import codes with "
                f"'lingxi coupon import {name} FILE'."
            )
        same = sa.update(coupon).where(coupon.c.coupon == number)
        tx.execute(same.values(state=str(Account.ISSUED), **values))
        return number, Account.FREE
    (number,) = allocate(tx, _COUNTER, 1)
    row = {"coupon": number, "offer": name, "state": str(Account.ISSUED), **values}
    if isinstance(rule, UniqueCode):
        text = make_code(rule.prefix, rule.length)
        row |= {"found_by": vault.find_by(text), "sealed": vault.seal(number, text)}
    tx.execute(sa.insert(coupon).values(row))
    return number, Account.NOWHERE


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


def read_code(
    tx: sa.Connection, vault: Vault, row: sa.Row[tuple[object, ...]], *, new: bool = False
) -> Code:
    """A coupon's row with its code."""
    values = row._mapping
    if values["sealed"] is not None:
        text = vault.open(values["coupon"], values["sealed"])
    else:
        rule = get_offer(tx, values["offer"], values["version"]).offer.code
        text = rule.text if isinstance(rule, SharedCode) else ""
    names = ("coupon", "offer", "customer", "state", "issued_at", "starts_at", "expires_at")
    return Code(text=text, new=new, **{name: values[name] for name in names})


def find_held(tx: sa.Connection, offer: str, customer: int) -> sa.Row[tuple[object, ...]] | None:
    """The customer's outstanding coupon of an offer that ends first, if they have one."""
    query = sa.select(coupon).where(
        coupon.c.offer == offer,
        coupon.c.customer == customer,
        coupon.c.state.in_([str(each) for each in OUTSTANDING]),
    )
    order = (coupon.c.expires_at.is_(None), coupon.c.expires_at, coupon.c.coupon)
    return tx.execute(query.order_by(*order).limit(1)).first()


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
