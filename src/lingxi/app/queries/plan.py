"""The plan, a page at a time, and its totals."""

from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from lingxi.app.cursors import check_size, decode_cursor, encode_cursor
from lingxi.app.views import ActionView, PlanView
from lingxi.catalogue import get_items
from lingxi.coupons import find_offer
from lingxi.coupons.offer import LANGUAGES
from lingxi.errors import InvalidInput, NotTrained
from lingxi.ingest import customer_ids
from lingxi.policy import StoredAction, get_totals, list_actions
from lingxi.policy.candidate import NO_OFFER
from lingxi.policy.ledger import UNKNOWN
from lingxi.schema import Item
from lingxi.store import Store

NO_PLAN = "There is no plan yet. Run 'lingxi train', then 'lingxi plan'."


def list_plan(
    store: Store, currency: str, *, action: str, stage: str, cursor: str | None, n: int
) -> PlanView:
    """A page of the plan, the most valuable first, with the totals of the whole plan.

    Raises
    ------
    NotTrained
        Before the first plan.
    InvalidInput
        If the cursor or the page size cannot be used.
    """
    check_size(n)
    after = None if cursor is None else _read_cursor(cursor)
    with store.read() as tx:
        totals = get_totals(tx)
        if totals is None:
            raise NotTrained(NO_PLAN)
        actions = list_actions(tx, action=action, stage=stage, after=after, n=n + 1)
        ids = customer_ids(tx, [each.customer for each in actions])
        items = get_items(tx, list_item_ids(actions))
        titles = read_titles(tx, actions)
    page, more = actions[:n], len(actions) > n
    last = page[-1] if page else None
    return PlanView(
        as_of=totals.as_of,
        currency=currency,
        customers=sum(totals.customers.values()),
        by_action=totals.customers,
        expected_by_action=totals.expected_value_cents,
        expected_value_cents=sum(totals.expected_value_cents.values()),
        rows=tuple(to_action_view(each, ids, items, titles) for each in page),
        next_cursor=encode_cursor([_rank(last), last.customer]) if more and last else None,
    )


def list_item_ids(actions: Iterable[StoredAction]) -> list[str]:
    """Every item that the lines name, once."""
    return sorted({item_id for action in actions for item_id in action.item_ids})


def read_titles(
    tx: sa.Connection, actions: Iterable[StoredAction]
) -> Mapping[str, Mapping[str, str]]:
    """The titles of the offers that the lines name, by language; the name where it has none."""
    names = {action.offer for action in actions} - {NO_OFFER}
    kept = {name: find_offer(tx, name) for name in names}
    return {
        name: {lang: name if one is None else one.offer.title_in(lang) for lang in LANGUAGES}
        for name, one in kept.items()
    }


def to_action_view(
    action: StoredAction,
    ids: Mapping[int, str],
    items: Mapping[str, Item],
    titles: Mapping[str, Mapping[str, str]],
) -> ActionView:
    """A stored line of the plan with the shop's own customer id and the items' names."""
    return ActionView(
        customer_id=ids[action.customer],
        stage=action.stage,
        segment=action.segment,
        value_cents=action.value_cents,
        churn_probability=action.churn_probability,
        action=action.action,
        rule=action.rule,
        offer=action.offer,
        channel=action.channel,
        item_ids=action.item_ids,
        reason=action.reason,
        expected_value_cents=action.expected_value_cents,
        item_names=tuple(items[i].name if i in items else i for i in action.item_ids),
        offer_title=titles.get(action.offer, {}),
    )


def _rank(action: StoredAction) -> int:
    value = action.expected_value_cents
    return UNKNOWN if value is None else value


def _read_cursor(cursor: str) -> tuple[int, int]:
    value, customer = decode_cursor(cursor, 2)
    if not isinstance(value, int) or not isinstance(customer, int):
        raise InvalidInput("cursor is not one that this list gave; begin without it.")
    return value, customer
