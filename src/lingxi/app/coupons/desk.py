"""Offers of a shop: kept, told, exported; the ledger and what it may still cost."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from lingxi.access.audit import record_audit
from lingxi.app.coupons.views import (
    EntryView,
    ImportedView,
    LedgerView,
    LiabilityReport,
    LiabilityView,
    OfferDetail,
    OffersView,
    OfferView,
    VersionView,
)
from lingxi.coupons.book import Kept, get_offer, list_offers, list_versions, remove_offer
from lingxi.coupons.file import spell_offer
from lingxi.coupons.following import count_strays
from lingxi.coupons.ledger import (
    OUTSTANDING,
    Account,
    Totals,
    audit,
    list_entries,
    read_all_totals,
    read_totals,
)
from lingxi.coupons.liability import Liability, report_liability
from lingxi.coupons.offer import Offer, PoolCode
from lingxi.coupons.pool import read_codes
from lingxi.coupons.shopify import export_offer
from lingxi.errors import FileUnreadable, InvalidInput
from lingxi.ingest import customer_ids, find_customer
from lingxi.ingest.sealed import list_subjects

if TYPE_CHECKING:
    from lingxi.app.shop import Shop

_LARGEST_FILE = 100_000_000


class OfferDesk:
    """The offers of one shop."""

    def __init__(self, shop: "Shop") -> None:
        self._shop = shop

    def list_all(self) -> OffersView:
        """All offers with their balances."""
        now = self._shop.clock.now()
        with self._shop.store.read() as tx:
            totals = read_all_totals(tx)
            offers = tuple(
                to_view(each, totals.get(each.offer.name, Totals({}, 0)), now)
                for each in list_offers(tx)
            )
            strays = count_strays(tx, now)
        return OffersView(as_of=now, currency=self._currency, offers=offers, strays=strays)

    def describe(self, name: str) -> OfferDetail:
        """One offer with its versions.

        Raises
        ------
        UnknownOffer
            If there is none of this name.
        """
        now = self._shop.clock.now()
        with self._shop.store.read() as tx:
            view = to_view(get_offer(tx, name), read_totals(tx, name), now)
            versions = tuple(
                VersionView(each.version, each.at, each.actor, spell_offer(each.offer))
                for each in list_versions(tx, name)
            )
        return OfferDetail(currency=self._currency, offer=view, versions=versions)

    def put(self, offer: Offer, *, actor: str) -> OfferDetail:
        """Make the offer so. A condition on a segment needs the segment.

        Raises
        ------
        Conflict
            If its code belongs to another offer, or its kind of code would change.
        InvalidInput
            If it names a segment that there is not.
        """
        now = self._shop.clock.now()
        with self._shop.store.write() as tx:
            self._check_segment(tx, offer)
            kept = self._shop.coupons.put_offer(tx, offer, now, actor=actor)
            target = f"{offer.name} version {kept.version}"
            record_audit(tx, now, actor=actor, action="put_offer", target=target)
        return self.describe(offer.name)

    def remove(self, name: str, *, actor: str) -> OffersView:
        """Take an offer away that never had a coupon."""
        now = self._shop.clock.now()
        with self._shop.store.write() as tx:
            remove_offer(tx, name)
            record_audit(tx, now, actor=actor, action="remove_offer", target=name)
        return self.list_all()

    def read_ledger(
        self,
        *,
        offer: str = "",
        coupon_id: int | None = None,
        customer_id: str = "",
        cursor: str | None = None,
        n: int = 50,
        check: bool = False,
    ) -> LedgerView:
        """A page of the ledger, and with ``check`` where it does not balance.

        Raises
        ------
        InvalidInput, UnknownCustomer
            If the cursor is none, or there is no such customer.
        """
        before = None if cursor is None else _read_cursor(cursor)
        with self._shop.store.read() as tx:
            if offer:
                get_offer(tx, offer)
            customers = self._find_subjects(tx, customer_id) if customer_id else None
            entries = list_entries(
                tx,
                offer=offer,
                coupon_id=coupon_id,
                customers=customers,
                before=before,
                n=n + 1,
            )
            shown = entries[:n]
            names = customer_ids(tx, {e.customer for e in shown if e.customer is not None})
            differences = tuple(audit(tx)) if check else None
        rows = tuple(
            EntryView(
                **{name: getattr(each, name) for name in _ENTRY},
                customer_id=None if each.customer is None else names.get(each.customer),
            )
            for each in shown
        )
        last = str(shown[-1].entry) if len(entries) > n else None
        return LedgerView(
            currency=self._currency, rows=rows, next_cursor=last, differences=differences
        )

    def _find_subjects(self, tx: sa.Connection, customer_id: str) -> list[int]:
        return list_subjects(tx, find_customer(tx, customer_id, store=self._shop.store))

    def report(self) -> LiabilityReport:
        """What outstanding coupons may cost."""
        now = self._shop.clock.now()
        with self._shop.store.read() as tx:
            found = report_liability(tx, now)
        rows = tuple(_to_row(each) for each in found)
        mosts = [row.most_cents for row in rows]
        return LiabilityReport(
            as_of=now,
            currency=self._currency,
            outstanding=sum(row.outstanding for row in rows),
            most_cents=None if None in mosts else sum(each or 0 for each in mosts),
            rows=rows,
        )

    def import_file(self, name: str, path: Path, *, actor: str) -> ImportedView:
        """Add the codes of a CSV file to the pool of an offer.

        Raises
        ------
        FileUnreadable
            If the file cannot be read.
        """
        try:
            if path.stat().st_size > _LARGEST_FILE:
                raise FileUnreadable(f"{path} is larger than 100 MB.")
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise FileUnreadable(f"{path} cannot be read: {type(error).__name__}.") from error
        return self.import_text(name, text, actor=actor)

    def import_text(self, name: str, text: str, *, actor: str) -> ImportedView:
        """Add codes to the pool of an offer: one a line, or a column named code."""
        return self.import_codes(name, read_codes(text), actor=actor)

    def import_codes(self, name: str, codes: Sequence[str], *, actor: str) -> ImportedView:
        """Add codes to the pool of an offer, each as it stands."""
        now = self._shop.clock.now()
        with self._shop.store.write() as tx:
            done = self._shop.coupons.import_codes(tx, name, codes, now, actor=actor)
            target = f"{name}: {done.new} codes"
            record_audit(tx, now, actor=actor, action="import_codes", target=target)
            free = read_totals(tx, name).count(Account.FREE)
        return ImportedView(name, done.new, done.known, done.refused, free)

    def export_shopify(self, name: str, *, actor: str) -> list[dict[str, Any]]:
        """The offer and its outstanding codes as price rules; who took the codes is noted."""
        now = self._shop.clock.now()
        with self._shop.store.write() as tx:
            record_audit(tx, now, actor=actor, action="export_codes", target=name)
            vault = self._shop.coupons.vault
            return export_offer(tx, vault, name, self._currency, now)

    def _check_segment(self, tx: sa.Connection, offer: Offer) -> None:
        if offer.conditions.segment:
            # a customer who is nobody: only the name is asked about
            self._shop.judge.is_member(tx, offer.conditions.segment, 0, self._shop.clock.now())

    @property
    def _currency(self) -> str:
        return self._shop.settings.shop.currency


_ENTRY = (
    "entry", "at", "offer", "coupon", "source", "target", "coupons", "cents", "order_id", "actor",
    "note",
)  # fmt: skip


def to_view(kept: Kept, totals: Totals, now: datetime) -> OfferView:
    """An offer with its balance."""
    offer = kept.offer
    rule = offer.code
    free = totals.count(Account.FREE) if isinstance(rule, PoolCode) else None
    return OfferView(
        name=offer.name,
        title=offer.title,
        state=find_state(offer, now),
        definition=spell_offer(offer),
        version=kept.version,
        at=kept.at,
        actor=kept.actor,
        coupons=dict(totals.coupons),
        issued=totals.issued,
        outstanding=totals.count(*OUTSTANDING),
        redeemed=totals.count(Account.REDEEMED),
        spent_cents=totals.spent_cents,
        budget_cents=offer.limits.budget_cents,
        free=free,
        low=isinstance(rule, PoolCode) and free is not None and free <= rule.low_at,
    )


def find_state(offer: Offer, now: datetime) -> str:
    """active, coming, paused or over."""
    starts, ends = offer.validity.starts_at, offer.validity.ends_at
    if ends is not None and ends <= now:
        return "over"
    if offer.paused:
        return "paused"
    return "coming" if starts is not None and starts > now else "active"


def _to_row(each: Liability) -> LiabilityView:
    expected = each.expected
    return LiabilityView(
        offer=each.offer.name,
        title=each.offer.title,
        outstanding=each.outstanding,
        by_expiry=each.by_expiry,
        spent_cents=each.totals.spent_cents,
        most_cents=each.most_cents,
        expected_cents=None if expected is None else round(expected.value),
        expected_low_cents=None if expected is None else round(expected.low),
        expected_high_cents=None if expected is None else round(expected.high),
    )


def _read_cursor(cursor: str) -> int:
    if not cursor.isdecimal() or len(cursor) > 18:
        raise InvalidInput("cursor must be the next_cursor of the page before.")
    return int(cursor)
