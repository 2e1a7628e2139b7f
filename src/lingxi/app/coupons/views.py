"""What can be told about offers and coupons. Amounts are minor units of ``currency``."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from lingxi.i18n import Sentence


class OfferView(msgspec.Struct, frozen=True, kw_only=True):
    """An offer and its balance. ``definition`` is its file form; ``state`` is active, coming,
    paused or over. ``free`` are codes left in its pool, ``low`` says that they are few."""

    name: str
    title: Mapping[str, str]
    state: str
    definition: Mapping[str, Any]
    version: int
    at: datetime
    actor: str
    coupons: Mapping[str, int]
    issued: int
    outstanding: int
    redeemed: int
    spent_cents: int
    budget_cents: int | None
    free: int | None
    low: bool


class OffersView(msgspec.Struct, frozen=True, kw_only=True):
    """All offers, by name. ``strays`` counts codes of the shop's own orders that redeemed
    nothing in the last 90 days: ``unknown`` are not ours, ``spent`` could not be used any more."""

    as_of: datetime
    currency: str
    offers: tuple[OfferView, ...]
    strays: Mapping[str, int] = {}


class VersionView(msgspec.Struct, frozen=True):
    """What an offer was from a moment on, and who made it so."""

    version: int
    at: datetime
    actor: str
    definition: Mapping[str, Any]


class OfferDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One offer with every version it had, newest first."""

    currency: str
    offer: OfferView
    versions: tuple[VersionView, ...]


class CouponView(msgspec.Struct, frozen=True, kw_only=True):
    """One coupon. ``code`` is a secret, and is given only to whoever issues coupons."""

    coupon: int
    offer: str
    customer_id: str | None
    state: str
    issued_at: datetime
    starts_at: datetime | None
    expires_at: datetime | None
    code: str | None = None
    new: bool = False


class EntryView(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the ledger: ``coupons`` went from one account to another."""

    entry: int
    at: datetime
    offer: str
    coupon: int | None
    customer_id: str | None
    source: str
    target: str
    coupons: int
    cents: int
    order_id: str | None
    actor: str
    note: str


class LedgerView(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the ledger, newest first. ``differences`` is empty where everything balances, and
    null where that was not asked for."""

    currency: str
    rows: tuple[EntryView, ...]
    next_cursor: str | None
    differences: tuple[str, ...] | None = None


class LiabilityView(msgspec.Struct, frozen=True, kw_only=True):
    """What the outstanding coupons of an offer may cost. Null where nothing bounds it, or where
    too few coupons are closed to expect anything."""

    offer: str
    title: Mapping[str, str]
    outstanding: int
    by_expiry: Mapping[str, int]
    spent_cents: int
    most_cents: int | None
    expected_cents: int | None
    expected_low_cents: int | None
    expected_high_cents: int | None


class LiabilityReport(msgspec.Struct, frozen=True, kw_only=True):
    """The liability of every offer; ``most_cents`` together is null where one is unbounded."""

    as_of: datetime
    currency: str
    outstanding: int
    most_cents: int | None
    rows: tuple[LiabilityView, ...]


class VerdictView(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a checkout; all amounts are zero where the code is not valid.

    ``lines`` are the shares of ``goods_cents`` for each line of the basket.
    """

    valid: bool
    reasons: tuple[Sentence, ...]
    words: tuple[str, ...]
    offer: str
    coupon: int | None
    discount_cents: int
    goods_cents: int
    shipping_cents: int
    lines: tuple[int, ...]
    gift_item_id: str | None
    gift_quantity: int
    points: int
    currency: str
    expires_at: datetime | None


class RedemptionView(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a redemption; ``replayed`` where the key had its answer before."""

    redeemed: bool
    replayed: bool
    redemption: int | None
    order_id: str
    verdict: VerdictView


class ReleasedView(msgspec.Struct, frozen=True):
    """How many coupons an order gave back."""

    order_id: str
    released: int


class ImportedView(msgspec.Struct, frozen=True):
    """What came of an import of codes, and how many wait in the pool now."""

    offer: str
    new: int
    known: int
    refused: int
    free: int
