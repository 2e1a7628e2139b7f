"""A shop platform's webhook: checked, taken once, and everything it means done."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
import sqlalchemy as sa

from lingxi.access import record_audit
from lingxi.access.sources import SIGNED, SourceKind, find_named_source, read_secret
from lingxi.app.privacy import note_requests
from lingxi.catalogue import ItemChange, apply_change, merge_items, remove_items
from lingxi.catalogue.change import convert_change
from lingxi.catalogue.tables import item as item_table
from lingxi.catalogue.write import Merge
from lingxi.errors import BodyUnreadable, InvalidInput, NotAuthenticated
from lingxi.i18n import minor_units
from lingxi.ingest.cleaning.moments import read_moment
from lingxi.ingest.message import Dropped, Message
from lingxi.ingest.reasons import DropReason
from lingxi.ingest.tables import delivery, told_product
from lingxi.ingest.webhooks import (
    Delivery,
    Reading,
    is_ping,
    read_delivery,
    read_shopify,
    read_woocommerce,
    verify,
)
from lingxi.ingest.webhooks.reading import Body, as_object, as_text
from lingxi.ingest.wire import decode
from lingxi.schema import Item
from lingxi.store.keyed import insert_or_ignore, upsert

if TYPE_CHECKING:
    from lingxi.app.shop import Shop

KEEP = timedelta(days=30)
"""How long a delivery is remembered; an older one is no retry and is refused."""
_READERS = {SourceKind.SHOPIFY: read_shopify, SourceKind.WOOCOMMERCE: read_woocommerce}


class Taken(msgspec.Struct, frozen=True):
    """What became of a webhook: ``taken``, ``known``, ``ping``, ``ignored`` or ``set_aside``."""

    success: bool
    result: str
    messages: int = 0
    items: int = 0


def take_webhook(shop: "Shop", name: str, headers: Mapping[str, str], body: bytes) -> Taken:
    """Take one webhook of the source ``name``; header names are in lower case.

    One that lacks what its topic must say waits in quarantine, for sent again it would be the same.

    Raises
    ------
    NotAuthenticated
        If there is no such source in use, or the signature is not the source's.
    BodyUnreadable
        If the signed body is no JSON object.
    StoreBusy, StoreUnavailable
        If it cannot be stored; the platform sends it again.
    """
    with shop.store.read() as tx:
        source = find_named_source(tx, name)
        secret = read_secret(tx, shop.store.keyring, name)
    if source is None or source.kind not in SIGNED or source.disabled_at or not secret:
        raise NotAuthenticated(
            f"No source {name[:40]!r} takes webhooks here; see 'lingxi source list'."
        )
    if is_ping(headers, body):
        return Taken(success=True, result="ping")
    if not verify(headers, body, secret.split()):
        raise NotAuthenticated("The signature is not the one that this source's secret makes.")
    told = read_delivery(headers)
    now = shop.clock.now()
    if told.triggered_at is not None and now - told.triggered_at > KEEP:
        raise NotAuthenticated("The webhook is older than 30 days: no retry, but a replay.")
    if _is_known(shop, name, told):
        return Taken(success=True, result="known")
    decoded = decode(body)
    if not isinstance(decoded, dict):
        raise BodyUnreadable("The body of a webhook is a JSON object.")
    reading = _READERS[source.kind](told.topic, decoded)
    if reading.lacking:
        taken = _set_aside(shop, name, body, decoded, f"{told.topic}: {reading.lacking}")
    else:
        taken = _carry_out(shop, name, reading, told.triggered_at or now)
    if told.delivery_id:
        with shop.store.write() as tx:
            row = {"source": name, "delivery_id": told.delivery_id, "at": now}
            tx.execute(insert_or_ignore(tx, delivery), [row])
            tx.execute(sa.delete(delivery).where(delivery.c.at < now - KEEP))
    return taken


def _is_known(shop: "Shop", name: str, told: Delivery) -> bool:
    if not told.delivery_id:
        return False
    c = delivery.c
    query = sa.select(c.at).where(c.source == name, c.delivery_id == told.delivery_id)
    with shop.store.read() as tx:
        return tx.execute(query).first() is not None


def _set_aside(shop: "Shop", name: str, raw: bytes, body: Body, lacking: str) -> Taken:
    """Keep the webhook's bytes in quarantine, under everybody whom they name."""
    named = {"webhook": body, "customerId": as_text(as_object(body.get("customer")).get("id"))}
    message = Message(
        body=named,
        raw=raw,
        received_at=shop.clock.now(),
        source=name,
        trusted=True,
        refused=DropReason.WEBHOOK_INCOMPLETE,
    )
    step, reason = "drop_refused", DropReason.WEBHOOK_INCOMPLETE
    shop.intake.keep([Dropped(message=message, step=step, reason=reason, detail=lacking)])
    return Taken(success=True, result="set_aside")


def _carry_out(shop: "Shop", name: str, reading: Reading, at: datetime) -> Taken:
    now = shop.clock.now()
    if reading.messages:
        shop.intake.take(
            [
                Message(
                    body=each,
                    raw=msgspec.json.encode(each),
                    received_at=now,
                    source=name,
                    trusted=True,
                )
                for each in reading.messages
            ]
        )
    items = _write_items(shop, name, reading, at)
    with shop.store.write() as tx:
        note_requests(shop, tx, name, reading.requests)
        if reading.uninstalled:  # still in use: the platform asks for erasures only after it
            record_audit(tx, now, actor=f"source:{name}", action="source.uninstalled", target=name)
    result = "taken" if reading != Reading() else "ignored"
    return Taken(success=True, result=result, messages=len(reading.messages), items=items)


def _write_items(shop: "Shop", name: str, reading: Reading, at: datetime) -> int:
    """Write what a webhook says of a product, unless one said more recent; ``at`` is when it was
    sent, which is when a product was deleted."""
    if not (reading.items or reading.removed_groups or reading.stock):
        return 0
    currency, now = shop.settings.shop.currency, shop.clock.now()
    changes = {item_id: _to_change(body, currency) for item_id, body in reading.items.items()}
    gone = at if reading.removed_groups else None
    with shop.store.write() as tx:
        if not _is_news(tx, name, reading.product, read_moment(reading.changed_at) or gone):
            return 0
        for number, stock in reading.stock.items():
            known = item_table.c.attributes.contains(f'"inventory_item_id":"{number}"')
            for item_id in tx.execute(sa.select(item_table.c.item_id).where(known)).scalars():
                changes[item_id] = ItemChange(stock=stock)
        merges = {i: _merge(i, change, currency) for i, change in changes.items()}
        merge_items(shop.store, tx, merges, now)
        removed = _list_gone(tx, reading)
        remove_items(shop.store, tx, removed, now)
    return len(changes) + len(removed)


def _is_news(tx: sa.Connection, source: str, product: str, at: datetime | None) -> bool:
    """Whether nothing more recent was told of a product; this is noted then. News that does not
    say when it happened is taken as it comes."""
    if at is None or not product:
        return True
    c = told_product.c
    query = sa.select(c.at).where(c.source == source, c.product_id == product)
    last = tx.execute(query).scalar()
    if last is not None and at < last:
        return False
    upsert(tx, told_product, [{"source": source, "product_id": product, "at": at}])
    return True


def _list_gone(tx: sa.Connection, reading: Reading) -> list[str]:
    """Items that are gone: with their product, alone, or no longer listed with it."""
    c = item_table.c
    gone: list[sa.ColumnElement[bool]] = [c.group_id.in_(list(reading.removed_groups))]
    gone += [c.attributes.contains(f'"variation_id":"{each}"') for each in reading.removed_groups]
    gone += [
        sa.and_(c.group_id == group, c.item_id.not_in(list(listed)))
        for group, listed in reading.whole_groups.items()
    ]
    query = sa.select(c.item_id).where(sa.or_(*gone), c.removed.is_(False))
    return list(tx.execute(query).scalars())


def _merge(item_id: str, change: ItemChange, currency: str) -> Merge:
    return lambda old: apply_change(old or Item(item_id=item_id), change, currency)


def _to_change(body: Mapping[str, object], currency: str) -> ItemChange:
    """A platform's item as a change of ours: its price in minor units; an address that is none is
    left out."""
    fields = dict(body)
    price = fields.pop("price", None)
    if isinstance(price, int | float):
        fields["price_cents"] = round(price * 10 ** minor_units(currency))
    try:
        change = convert_change(fields)
        apply_change(Item(item_id="check"), change, currency)
    except InvalidInput:
        fields = {n: v for n, v in fields.items() if n not in ("image", "url", "attributes")}
        change = convert_change(fields)
    return change
