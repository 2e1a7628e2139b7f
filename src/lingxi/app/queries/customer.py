"""Everything known of one customer."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
import sqlalchemy as sa

from lingxi.app.cursors import check_size, decode_cursor, encode_cursor
from lingxi.app.queries.plan import list_item_ids, read_titles, to_action_view
from lingxi.app.views import ChurnView, CustomerView, Reason, TimelineEntry, TimelineLine
from lingxi.catalogue import get_items
from lingxi.errors import InvalidInput
from lingxi.i18n import Sentence
from lingxi.ingest import customer_ids, find_customer
from lingxi.ingest.tables import identifier
from lingxi.lifecycle.tables import customer_state
from lingxi.messaging.nouns import SkipReason
from lingxi.policy import get_action
from lingxi.profiles import Timeline, get_profile, get_timeline, get_traits
from lingxi.schema import AUTOMATION_EVENTS, Event, Item, Name
from lingxi.store.tables import from_micros, identity, to_micros

if TYPE_CHECKING:
    from lingxi.app.shop import Shop


def get_customer(shop: "Shop", customer_id: str, *, before: str | None, n: int) -> CustomerView:
    """Everything known of one customer as of the last scoring, or as of now before the first.

    Raises
    ------
    UnknownCustomer
        If there is no such customer.
    InvalidInput
        If ``before`` or ``n`` cannot be used.
    """
    from lingxi.features import online_features  # and with it the analytics, not needed elsewhere

    check_size(n)
    start = None if before is None else _read_before(before)
    with shop.store.read() as tx:
        customer = find_customer(tx, customer_id, store=shop.store)
        profile = get_profile(tx, customer)
        query = sa.select(customer_state).where(customer_state.c.customer == customer)
        state = tx.execute(query).mappings().one_or_none()
        action = get_action(tx, customer)
        ids = customer_ids(tx, [customer])
        items = get_items(tx, [] if action is None else list_item_ids([action]))
        titles = read_titles(tx, [] if action is None else [action])
        told_at = _find_first_word(tx, customer) if profile is None else None
    as_of: datetime = shop.clock.now() if state is None else state["as_of"]
    timeline = get_timeline(shop.store, customer, start, n)
    features = online_features(shop.store, customer, as_of)
    view = CustomerView(
        customer_id=ids[customer],
        as_of=as_of,
        currency=shop.settings.shop.currency,
        stage="registered",
        stage_since=None,
        stage_reason=Sentence("customer.not_scored"),
        segment=None,
        recency_score=None,
        frequency_score=None,
        monetary_score=None,
        orders=0 if profile is None else profile.orders,
        revenue_cents=0 if profile is None else profile.revenue_cents,
        value_cents=None,
        first_seen_at=(told_at or as_of) if profile is None else profile.first_seen_at,
        last_order_at=None if profile is None else profile.last_order_at,
        country=None if profile is None else profile.country,
        traits=get_traits(shop.store, customer),
        features=features,
        churn=None,
        action=None if action is None else to_action_view(action, ids, items, titles),
        timeline=_to_entries(shop, timeline),
        next_cursor=_next(timeline),
    )
    return view if state is None else _add_state(view, state)


def _find_first_word(tx: sa.Connection, customer: int) -> datetime | None:
    """When the shop first heard of somebody who has done nothing yet: a subscriber, or a customer
    of a file."""
    names = identifier.join(identity, identity.c.subject == identifier.c.subject)
    query = sa.select(sa.func.min(identifier.c.since)).select_from(names)
    found: datetime | None = tx.execute(query.where(identity.c.customer == customer)).scalar()
    return found


def _add_state(view: CustomerView, state: sa.RowMapping) -> CustomerView:
    """The view with stage, RFM, value and churn as they were scored last."""
    return msgspec.structs.replace(
        view,
        stage=state["stage"],
        stage_since=state["since"],
        stage_reason=msgspec.json.decode(state["reason"], type=Sentence),
        segment=state["segment"],
        recency_score=state["r"],
        frequency_score=state["f"],
        monetary_score=state["m"],
        value_cents=state["value_cents"],
        churn=_read_churn(state, view.features),
    )


def _read_churn(
    state: sa.RowMapping, features: Mapping[str, float | str | None]
) -> ChurnView | None:
    if state["churn_probability"] is None:
        return None
    recency = features.get("recency_days")
    return ChurnView(
        probability=state["churn_probability"],
        level=state["churn_level"],
        horizon_days=state["horizon_days"],
        model=state["churn_model"] or "",
        rfm_sum=(state["r"] or 0) + (state["f"] or 0) + (state["m"] or 0),
        recency_days=float(recency) if isinstance(recency, int | float) else 0.0,
        reasons=tuple(msgspec.json.decode(state["churn_reasons"] or "[]", type=list[Reason])),
    )


def _to_entries(shop: "Shop", timeline: Timeline) -> tuple[TimelineEntry, ...]:
    ids = sorted({line.item_id for event in timeline.events for line in event.lines})
    with shop.store.read() as tx:
        items = get_items(tx, ids)
    return tuple(_to_entry(event, items) for event in timeline.events)


def _to_entry(event: Event, items: Mapping[str, Item]) -> TimelineEntry:
    return TimelineEntry(
        event_id=event.event_id,
        occurred_at=event.occurred_at,
        name=event.name,
        order_id=event.order_id,
        amount_cents=event.amount_cents,
        lines=tuple(
            TimelineLine(
                line.item_id,
                items[line.item_id].name if line.item_id in items else "",
                line.quantity,
                line.amount_cents,
            )
            for line in event.lines
        ),
        detail=_describe(event),
    )


def _describe(event: Event) -> Sentence | None:
    if event.name == Name.STAGE_CHANGED:
        reason = event.properties.get("reason")
        if isinstance(reason, str) and reason.startswith("{"):
            return msgspec.json.decode(reason, type=Sentence)
    if event.query:
        return Sentence("timeline.searched", {"query": event.query})
    return _describe_automation(event)


def _describe_automation(event: Event) -> Sentence | None:
    """Of which message, journey, offer, segment or list an event of our own is."""
    said = event.properties
    reason = said.get("reason")
    if event.name == Name.MESSAGE_SKIPPED and reason in set(SkipReason):
        return Sentence(f"message.reason.{reason}")
    if event.name in _AUTOMATION:
        what = next((said[key] for key in _OF_WHAT if said.get(key)), None)
        return None if what is None else Sentence("timeline.of", {"what": str(what)})
    return None


_OF_WHAT = ("template", "experiment", "journey", "offer", "segment", "list")
_AUTOMATION = frozenset(AUTOMATION_EVENTS)


def _read_before(before: str) -> tuple[datetime, int]:
    moment, position = decode_cursor(before, 2)
    if not isinstance(moment, int) or not isinstance(position, int):
        raise InvalidInput("before is not a cursor that this timeline gave; begin without it.")
    try:
        return from_micros(moment), position
    except OverflowError as error:
        raise InvalidInput("before is not a cursor that this timeline gave.") from error


def _next(timeline: Timeline) -> str | None:
    if timeline.before is None:
        return None
    return encode_cursor([to_micros(timeline.before[0]), timeline.before[1]])
