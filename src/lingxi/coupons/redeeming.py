"""Codes at the checkout: found, judged with what the shop knows, redeemed once, given back."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
import sqlalchemy as sa

from lingxi.catalogue import get_items
from lingxi.coupons.basket import Basket
from lingxi.coupons.book import Kept, find_shared, get_offer
from lingxi.coupons.events import coupon_event
from lingxi.coupons.issuing import check_key, issue_one
from lingxi.coupons.ledger import Account, Move, Totals, post, read_totals
from lingxi.coupons.offer import Offer, SharedCode
from lingxi.coupons.rows import CouponRow, find_by_code, find_held, get_coupon, move_coupon
from lingxi.coupons.tables import coupon_redemption
from lingxi.coupons.validity import find_expiry
from lingxi.coupons.vault import Vault
from lingxi.coupons.verdict import Facts, Refusal, Right, Verdict, judge, refuse
from lingxi.errors import Conflict, InvalidInput
from lingxi.profiles.tables import customer_profile
from lingxi.schema import Event, Name
from lingxi.store.counters import allocate
from lingxi.store.people import find_owner, is_theirs
from lingxi.store.prepared import Prepared, PreparedChange
from lingxi.store.tables import to_micros

if TYPE_CHECKING:
    from lingxi.coupons.till import Coupons

_COUNTER = "coupon_redemption"
NEWCOMER = 0
"""Somebody whom the shop names and who has done nothing yet: no surrogate is zero."""
_LONGEST_ORDER = 200
_r = coupon_redemption.c
_BY_KEY = Prepared(
    sa.select(
        _r.redemption,
        _r.coupon,
        _r.order_id,
        _r.verdict,
        sa.type_coerce(_r.voided_at, sa.BigInteger),
    ).where(_r.key == sa.bindparam("key", type_=sa.String)),
    "key",
)
_REDEEMED = Prepared(
    sa.select(sa.func.count()).where(
        _r.offer == sa.bindparam("offer", type_=sa.String),
        is_theirs(_r.customer),
        _r.voided_at.is_(None),
    ),
    "offer",
    "customer",
)
_ORDERS = Prepared(
    sa.select(customer_profile.c.orders).where(
        customer_profile.c.customer == sa.bindparam("customer", type_=sa.BigInteger)
    ),
    "customer",
)
_INSERT = PreparedChange.insert(
    coupon_redemption,
    "redemption",
    "coupon",
    "offer",
    "customer",
    "order_id",
    "key",
    "at",
    "cost_cents",
    "verdict",
)


class Redemption(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a try: redeemed or not, the verdict, and whether the answer is an old one."""

    redeemed: bool
    verdict: Verdict
    redemption: int | None = None
    order_id: str = ""
    replayed: bool = False


@dataclass(frozen=True)
class Found:
    """A code that was looked up: the offer of its terms, what its holder has, and the verdict."""

    verdict: Verdict
    kept: Kept | None = None
    right: Right | None = None


def examine(
    till: "Coupons",
    tx: sa.Connection,
    code: str,
    basket: Basket,
    customer: int | None,
    now: datetime,
) -> Found:
    """Look a code up and judge it."""
    found_by = till.vault.find_by(code)
    found = look_up(till, tx, found_by, customer, now)
    if found is None:
        return Found(Verdict(valid=False, reasons=(refuse(Refusal.UNKNOWN),)))
    kept, right = found
    current = get_offer(tx, kept.offer.name).offer
    others = [other for other in basket.codes if till.vault.find_by(other) != found_by]
    facts = _gather(till, tx, kept.offer, basket, customer, others, now)
    return Found(judge(kept.offer, current, right, basket, facts, now), kept, right)


def look_up(
    till: "Coupons", tx: sa.Connection, found_by: str, customer: int | None, now: datetime
) -> tuple[Kept, Right] | None:
    row = find_by_code(tx, found_by)
    if row is None:
        return _look_up_shared(till, tx, found_by, customer, now)
    if row.state == Account.FREE:
        return None  # nobody has it yet
    return _to_terms(tx, row)


def _look_up_shared(
    till: "Coupons", tx: sa.Connection, found_by: str, customer: int | None, now: datetime
) -> tuple[Kept, Right] | None:
    name = find_shared(tx, found_by)
    if name is None:
        return None
    held = None if customer is None else find_held(tx, name, customer)
    if held is not None:
        return _to_terms(tx, held)
    kept = get_offer(tx, name)
    rule, validity = kept.offer.code, kept.offer.validity
    if not isinstance(rule, SharedCode) or rule.only_issued:
        return None
    if till.vault.find_by(rule.text) != found_by:
        return None  # a code that the offer had before: only for those who were given it
    ends = find_expiry(msgspec.structs.replace(validity, days=None), now, till.zone)
    return kept, Right(Account.ISSUED, None, customer, validity.starts_at, ends)


def _to_terms(tx: sa.Connection, row: CouponRow) -> tuple[Kept, Right]:
    holder = None if row.customer is None else find_owner(tx, row.customer)
    right = Right(Account(row.state), row.coupon, holder, row.starts_at, row.expires_at)
    return get_offer(tx, row.offer, row.version), right


def _gather(
    till: "Coupons",
    tx: sa.Connection,
    terms: Offer,
    basket: Basket,
    customer: int | None,
    others: list[str],
    now: datetime,
) -> Facts:
    """What the shop knows that the offer asks for, and nothing else."""
    conditions = terms.conditions
    totals: Totals = read_totals(tx, terms.name)
    categories = {}
    if conditions.categories:
        items = get_items(tx, [line.item_id for line in basket.lines])
        categories = {item_id: item.path for item_id, item in items.items()}
    in_segment = None
    if conditions.segment and customer is not None:
        in_segment = till.is_member(tx, conditions.segment, customer, now)
    return Facts(
        currency=till.currency,
        customer=customer,
        orders=_count_orders(tx, customer) if conditions.first_order else None,
        in_segment=in_segment,
        redeemed_by_customer=_count_redeemed(tx, terms.name, customer),
        spent_cents=totals.spent_cents,
        redeemed=totals.count(Account.REDEEMED),
        issued=totals.issued,
        categories=categories,
        others=[_find_other(till, tx, other, customer, now) for other in others],
    )


def _find_other(
    till: "Coupons", tx: sa.Connection, code: str, customer: int | None, now: datetime
) -> Offer | None:
    found = look_up(till, tx, till.vault.find_by(code), customer, now)
    return None if found is None else get_offer(tx, found[0].offer.name).offer


def _count_orders(tx: sa.Connection, customer: int | None) -> int | None:
    if customer is None:
        return None
    row = _ORDERS.first(tx, customer)
    return 0 if row is None else int(row[0] or 0)


def _count_redeemed(tx: sa.Connection, offer: str, customer: int | None) -> int:
    if customer is None:
        return 0
    row = _REDEEMED.first(tx, offer, customer)
    return 0 if row is None else int(row[0])


def redeem_code(
    till: "Coupons",
    tx: sa.Connection,
    code: str,
    basket: Basket,
    customer: int | None,
    *,
    order_id: str,
    key: str,
    now: datetime,
) -> tuple[Redemption, list[Event]]:
    """Redeem a code for an order; what came of it, and its events."""
    check_key("idempotency_key", key)
    if not 1 <= len(order_id) <= _LONGEST_ORDER or not order_id.isprintable():
        raise InvalidInput(f"order_id must be 1 to {_LONGEST_ORDER} printable characters.")
    old = _find_old(till, tx, code, order_id, key)
    if old is not None:
        return old, []
    found = examine(till, tx, code, basket, customer, now)
    if not found.verdict.valid or found.kept is None or found.right is None:
        return Redemption(redeemed=False, verdict=found.verdict, order_id=order_id), []
    number, source, events = secure(till, tx, found.kept, found.right, customer, key, now)
    if number is None:
        refusal = Verdict(valid=False, reasons=(refuse(Refusal.REDEEMED),))
        return Redemption(redeemed=False, verdict=refusal, order_id=order_id), []
    verdict = msgspec.structs.replace(found.verdict, coupon=number)
    holder = customer or found.right.customer or None
    redemption = write_redemption(tx, verdict, holder, source, order_id, key, now)
    events.append(
        coupon_event(
            Name.COUPON_REDEEMED,
            number,
            verdict.offer,
            holder,
            now,
            part=f"-{redemption}",
            order_id=order_id,
            redemption=redemption,
            discount_cents=verdict.discount_cents,
            cost_cents=verdict.cost_cents,
        )
    )
    return (
        Redemption(redeemed=True, verdict=verdict, redemption=redemption, order_id=order_id),
        events,
    )


def _find_old(
    till: "Coupons", tx: sa.Connection, code: str, order_id: str, key: str
) -> Redemption | None:
    """The redemption that this key has made already."""
    row = _BY_KEY.first(tx, key)
    if row is None:
        return None
    redemption, number, order, text, voided_at = row
    if order != order_id or not is_of(till.vault, tx, number, code):
        raise Conflict("This idempotency_key was used for another code or order; take a new one.")
    if voided_at is not None:
        raise Conflict(
            "What this idempotency_key redeemed was released since; take a new one to redeem again."
        )
    return Redemption(
        redeemed=True,
        verdict=msgspec.json.decode(text, type=Verdict),
        redemption=redemption,
        order_id=order_id,
        replayed=True,
    )


def is_of(vault: Vault, tx: sa.Connection, number: int, code: str) -> bool:
    """Whether a coupon is of this code, its own or a shared one."""
    row, found_by = get_coupon(tx, number), vault.find_by(code)
    if row is None:
        return False
    return row.found_by == found_by or find_shared(tx, found_by) == row.offer


def secure(
    till: "Coupons",
    tx: sa.Connection,
    kept: Kept,
    right: Right,
    customer: int | None,
    key: str,
    now: datetime,
) -> tuple[int | None, Account, list[Event]]:
    """The coupon that is redeemed, out of everybody else's reach: its number, where it was."""
    number, source = right.coupon, right.state
    events: list[Event] = []
    if number is None:
        name = kept.offer.name
        code, events = issue_one(
            tx, till.vault, name, customer or None, f"redeem:{key}", now, till.zone
        )
        number, source = code.coupon, Account.ISSUED
    if not move_coupon(tx, number, source, Account.REDEEMED):
        return None, source, events
    return number, source, events


def write_redemption(
    tx: sa.Connection,
    verdict: Verdict,
    customer: int | None,
    source: Account,
    order_id: str,
    key: str,
    now: datetime,
) -> int:
    (number,) = allocate(tx, _COUNTER, 1)
    _INSERT.execute(
        tx,
        number,
        verdict.coupon,
        verdict.offer,
        customer,
        order_id,
        key,
        to_micros(now),
        verdict.cost_cents,
        msgspec.json.encode(verdict).decode(),
    )
    move = Move(
        verdict.offer,
        source,
        Account.REDEEMED,
        verdict.coupon,
        customer,
        cents=verdict.cost_cents,
        order_id=order_id,
    )
    post(tx, [move], now, actor="redeem")
    return number
