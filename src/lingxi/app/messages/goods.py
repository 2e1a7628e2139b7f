"""Items as templates see them, and the lists of a customer: recommended, viewed, in the cart."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from lingxi.catalogue import get_items
from lingxi.catalogue.history import item_as_of
from lingxi.errors import NotTrained
from lingxi.i18n import Translator
from lingxi.ingest.consent import is_allowed
from lingxi.messaging.templates.compose import Ask
from lingxi.profiles import read_history
from lingxi.schema import Event, Item, Name

if TYPE_CHECKING:
    from lingxi.app.shop import Shop

N_ITEMS = 12
_CART_DAYS = 30
_CART_EVENTS = 500
_DROP_DAYS = 60
_CART_NAMES = (Name.PRODUCT_ADDED, Name.PRODUCT_REMOVED, Name.ORDER_COMPLETED)
Shown = dict[str, object]


@dataclass(frozen=True)
class Shelf:
    """Shows items of one shop to one reader."""

    shop: "Shop"
    ask: Ask

    @property
    def words(self) -> Translator:
        """Writes money as the reader does."""
        return Translator(self.ask.language, currency=self.shop.settings.shop.currency)

    def show(self, item: Item, *, quantity: int = 0, old_cents: int | None = None) -> Shown:
        """An item as a mapping; what is not known is left out."""
        values: Mapping[str, object] = {
            "id": item.item_id,
            "name": item.name or None,
            "url": _safe(item.url),
            "image_url": _safe(item.image),
            "price_cents": item.price_cents,
            "price": None if item.price_cents is None else self.words.money(item.price_cents),
            "old_price": None if old_cents is None else self.words.money(old_cents),
            "old_price_cents": old_cents,
            "category": item.category,
            "brand": item.brand,
            "quantity": quantity or None,
        }
        return {key: value for key, value in values.items() if value is not None}

    def show_ids(self, tx: sa.Connection, item_ids: Iterable[str], n: int = N_ITEMS) -> list[Shown]:
        """The items of these ids that the shop offers now, in their order."""
        ids = list(item_ids)
        known = get_items(tx, ids)
        offered = [known[i] for i in ids if i in known and known[i].is_offered(self.ask.now)]
        return [self.show(item) for item in offered[:n]]

    def may_personalise(self, tx: sa.Connection) -> bool:
        """Whether the customer's own history may be used for what they are shown."""
        consent = self.shop.settings.consent
        return is_allowed(tx, consent, self.ask.reader.customer, "personalisation")


def read_recommendations(shop: "Shop", tx: sa.Connection, ask: Ask) -> Sequence[Shown]:
    """What the customer would like; what is popular where their history may not be used.

    Empty before the first training.
    """
    shelf = Shelf(shop, ask)
    customer = ask.reader.customer if shelf.may_personalise(tx) else None
    try:
        found = shop.answers.recommender().recommend(tx, customer, n=N_ITEMS * 2, reasons=0)
    except NotTrained:
        return []
    return shelf.show_ids(tx, (each.item_id for each in found))


def read_viewed(shop: "Shop", tx: sa.Connection, ask: Ask) -> Sequence[Shown]:
    """What the customer looked at last and has not bought, newest first."""
    shelf = Shelf(shop, ask)
    if not shelf.may_personalise(tx):
        return []
    history = read_history(tx, ask.reader.customer, N_ITEMS * 4)
    return shelf.show_ids(tx, (each.item_id for each in history if not each.orders))


def read_cart(shop: "Shop", tx: sa.Connection, ask: Ask) -> Shown | None:
    """What was put into the cart since the last order, and is offered: items, count, total."""
    shelf = Shelf(shop, ask)
    events = shop.store.log.read_customer(
        ask.reader.customer, limit=_CART_EVENTS, names=[name.value for name in _CART_NAMES]
    )
    quantities = count_cart(events, ask.now - timedelta(days=_CART_DAYS))
    known = get_items(tx, list(quantities))
    offered = [
        (known[item_id], quantity)
        for item_id, quantity in quantities.items()
        if item_id in known and known[item_id].is_offered(ask.now)
    ]
    if not offered:
        return None
    cents = [item.price_cents for item, _ in offered]
    total = sum((c or 0) * q for c, (_, q) in zip(cents, offered, strict=True))
    return {
        "items": [shelf.show(item, quantity=quantity) for item, quantity in offered],
        "count": sum(quantity for _, quantity in offered),
        "total_cents": None if None in cents else total,
        "total": None if None in cents else shelf.words.money(total),
    }


def count_cart(events: Sequence[Event], since: datetime) -> dict[str, int]:
    """Units of each item in a cart, the last added first, from events newest first.

    The last order emptied it; what was added before ``since`` is forgotten.
    """
    counts: dict[str, int] = {}
    for event in events:
        if event.name == Name.ORDER_COMPLETED or event.occurred_at < since:
            break
        sign = 1 if event.name == Name.PRODUCT_ADDED else -1
        for line in event.lines:
            counts[line.item_id] = counts.get(line.item_id, 0) + sign * line.quantity
    return {item_id: count for item_id, count in counts.items() if count > 0}


def read_item(shop: "Shop", tx: sa.Connection, ask: Ask) -> Shown | None:
    """The item that the message is about, where its context names one."""
    wanted = list_item_ids(ask.message.context)[:1]
    item = next(iter(get_items(tx, wanted).values()), None)
    if item is None or item.removed:
        return None
    old = ask.message.context.get("old_price_cents")
    old_cents = old if isinstance(old, int) and not isinstance(old, bool) else None
    return Shelf(shop, ask).show(item, old_cents=old_cents)


def read_items(shop: "Shop", tx: sa.Connection, ask: Ask) -> Sequence[Shown]:
    """The items that the message is about, as far as they are offered."""
    return Shelf(shop, ask).show_ids(tx, list_item_ids(ask.message.context))


def list_item_ids(context: Mapping[str, object]) -> list[str]:
    """The items that a message's context names: ``item_id``, and ``item_ids`` with commas.

    >>> list_item_ids({"item_id": "A", "item_ids": "B,A"})
    ['A', 'B']
    """
    named = [context.get("item_id"), *str(context.get("item_ids") or "").split(",")]
    return list(dict.fromkeys(str(each) for each in named if each))


def read_drops(shop: "Shop", tx: sa.Connection, ask: Ask) -> Sequence[Shown]:
    """What the customer looked at, has not bought, and costs less now than it did then."""
    shelf = Shelf(shop, ask)
    if not shelf.may_personalise(tx):
        return []
    history = [h for h in read_history(tx, ask.reader.customer, N_ITEMS * 2) if not h.orders]
    known = get_items(tx, [each.item_id for each in history])
    found: list[Shown] = []
    for each in history:
        item = known.get(each.item_id)
        if item is None or not item.is_offered(ask.now) or item.price_cents is None:
            continue
        if ask.now - each.last_at > timedelta(days=_DROP_DAYS):
            continue
        then = item_as_of(tx, each.item_id, each.last_at)
        if then is not None and (then.price_cents or 0) > item.price_cents:
            found.append(shelf.show(item, old_cents=then.price_cents))
    return found[:N_ITEMS]


def _safe(url: str | None) -> str | None:
    """An address that a message may carry: over HTTP or HTTPS."""
    return url if url and url.lower().startswith(("https://", "http://")) else None
