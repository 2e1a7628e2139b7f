"""What the shop can offer at present, and to whom: read for the plan."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from statistics import fmean

import sqlalchemy as sa

from lingxi.catalogue.tables import item
from lingxi.coupons.openness import OpenOffer, list_open, read_used_up
from lingxi.coupons.usual import put_usual_offers
from lingxi.coupons.vault import Vault
from lingxi.policy.candidate import Candidate
from lingxi.segments.tables import segment_member
from lingxi.store import Store


@dataclass(frozen=True)
class Offering:
    """The open offers, and what must be known of customers to choose among them."""

    offers: tuple[OpenOffer, ...]
    used: Mapping[int, frozenset[str]]
    segments: Mapping[int, frozenset[str]]
    margins: Mapping[str, float]
    """Margin by price of each item that has one, where an offer has a floor."""
    usual_margin: float | None = None
    """The mean of them."""

    def add_to(self, one: Candidate) -> Candidate:
        """The candidate with what bears on offers."""
        shares = [self.margins[i] for i in one.item_ids if i in self.margins]
        return replace(
            one,
            used_offers=self.used.get(one.customer, frozenset()),
            segments=self.segments.get(one.customer, frozenset()),
            margin_share=fmean(shares) if shares else self.usual_margin,
        )


def read_offering(store: Store) -> Offering:
    """The offers as they are now; a shop that has none for the plan gets the usual ones."""
    now = store.clock.now()
    with store.write() as tx:
        put_usual_offers(tx, Vault(store.keyring), now)
    with store.read() as tx:
        offers = tuple(each for each in list_open(tx, now) if each.offer.plan.occasions)
        floors = any(each.offer.plan.margin_floor is not None for each in offers)
        asked = {each.offer.conditions.segment for each in offers} - {""}
        margins = _read_margins(tx) if floors else {}
        return Offering(
            offers,
            read_used_up(tx, [each.offer for each in offers]),
            _read_members(tx, asked),
            margins,
            fmean(margins.values()) if margins else None,
        )


def _read_members(tx: sa.Connection, names: Collection[str]) -> Mapping[int, frozenset[str]]:
    if not names:
        return {}
    c = segment_member.c
    found: dict[int, set[str]] = {}
    for name, customer in tx.execute(
        sa.select(c.segment, c.customer).where(c.segment.in_(sorted(names)))
    ):
        found.setdefault(customer, set()).add(name)
    return {customer: frozenset(held) for customer, held in found.items()}


def _read_margins(tx: sa.Connection) -> Mapping[str, float]:
    c = item.c
    query = sa.select(c.item_id, c.margin_cents, c.price_cents).where(
        c.margin_cents.is_not(None), c.price_cents > 0
    )
    return {item_id: margin / price for item_id, margin, price in tx.execute(query)}
