"""What a simulated journey came to, read from the twin; and how two of them differ."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
import sqlalchemy as sa

from lingxi.coupons import get_offer
from lingxi.coupons.discount import cost_of
from lingxi.coupons.tables import coupon
from lingxi.journeys.graph import Journey
from lingxi.journeys.run import FIELDS, Outcome, read_run
from lingxi.journeys.tables import run
from lingxi.journeys.versions import mark_of
from lingxi.messaging.tables import message
from lingxi.schema import Name
from lingxi.store.tables import to_micros

if TYPE_CHECKING:
    from lingxi.app.shop import Shop

_KEPT_BACK = "journeys.did."
_REASONS = ("capped_day", "capped_week", "capped_run", "yielded", "no_coupon")
_WEEK_US = 7 * 86_400_000_000


class Simulation(msgspec.Struct, frozen=True):
    """What a journey would have done from ``start`` to ``end``.

    Parameters
    ----------
    customers, runs, held_out
        Customers who qualified, runs that began, and runs held out for comparison.
    outcomes
        How runs ended by then; ``on_the_way`` are those that had not.
    messages
        By template and what came of them: ``accepted``, or why not: ``skipped:no_consent``.
    kept_back
        Steps that did not send or issue, by why: the journey's caps, a journey of higher priority,
        an offer without budget or codes.
    coupons, coupon_cost_cents
        Codes issued by offer; and what they cost at most: had each customer's first order within
        the code's time used it, as these orders were.
    per_week
        Customers by the messages that they got in their fullest week (of the simulation's weeks).
    """

    journey: str
    mark: str
    start: datetime
    end: datetime
    customers: int
    runs: int
    held_out: int
    on_the_way: int
    outcomes: dict[str, int]
    messages: dict[str, dict[str, int]]
    kept_back: dict[str, int]
    coupons: dict[str, int]
    coupon_cost_cents: int
    per_week: dict[str, int]


class Difference(msgspec.Struct, frozen=True):
    """A figure in one simulation and in another."""

    figure: str
    before: int
    after: int


def read_outcome(twin: "Shop", journey: Journey, start: datetime, end: datetime) -> Simulation:
    """The figures of a journey that has been played in a twin."""
    with twin.store.read() as tx:
        query = sa.select(*(run.c[name] for name in FIELDS)).where(run.c.journey == journey.name)
        runs = [read_run(row) for row in tx.execute(query)]
        sent = _count_messages(tx, journey.name)
        per_week = _count_per_week(tx, journey.name, start)
        coupons, cost = _count_coupons(tx, twin)
    held = sum(each.outcome == Outcome.HELD_OUT for each in runs)
    outcomes = Counter(each.outcome for each in runs if each.outcome)
    outcomes.pop(Outcome.HELD_OUT.value, None)
    reasons = Counter(
        passed.code.removeprefix(_KEPT_BACK) for each in runs for passed in each.steps
    )
    return Simulation(
        journey=journey.name,
        mark=mark_of(journey),
        start=start,
        end=end,
        customers=len({each.customer for each in runs}),
        runs=len(runs) - held,
        held_out=held,
        on_the_way=sum(each.active for each in runs),
        outcomes=dict(sorted((str(name), n) for name, n in outcomes.items())),
        messages=sent,
        kept_back={name: reasons[name] for name in _REASONS if reasons[name]},
        coupons=coupons,
        coupon_cost_cents=cost,
        per_week=per_week,
    )


def compare(before: Simulation, after: Simulation) -> tuple[Difference, ...]:
    """The figures that are not the same in two simulations."""
    old, new = _flatten(before), _flatten(after)
    figures = dict.fromkeys((*old, *new))
    return tuple(
        Difference(figure, old.get(figure, 0), new.get(figure, 0))
        for figure in figures
        if old.get(figure, 0) != new.get(figure, 0)
    )


def _flatten(of: Simulation) -> dict[str, int]:
    found = {
        "customers": of.customers,
        "runs": of.runs,
        "held_out": of.held_out,
        "on_the_way": of.on_the_way,
        "coupon_cost_cents": of.coupon_cost_cents,
    }
    parts: dict[str, Mapping[str, int]] = {
        "outcomes": of.outcomes,
        "kept_back": of.kept_back,
        "coupons": of.coupons,
        "per_week": of.per_week,
        **{f"messages.{name}": counts for name, counts in of.messages.items()},
    }
    for part, counts in parts.items():
        found |= {f"{part}.{name}": n for name, n in counts.items()}
    return found


def _count_messages(tx: sa.Connection, name: str) -> dict[str, dict[str, int]]:
    c = message.c
    query = (
        sa.select(c.template, c.state, c.reason, sa.func.count())
        .where(c.journey == name)
        .group_by(c.template, c.state, c.reason)
        .order_by(c.template, c.state, c.reason)
    )
    found: dict[str, dict[str, int]] = {}
    for template, state, reason, n in tx.execute(query):
        what = f"{state}:{reason}" if state == "skipped" else str(state)
        found.setdefault(template, {})[what] = n
    return found


def _count_per_week(tx: sa.Connection, name: str, start: datetime) -> dict[str, int]:
    """Customers by their fullest week, as texts so that JSON keeps them."""
    query = sa.select(message.c.customer, message.c.sent_at).where(
        message.c.journey == name, message.c.state == "accepted", message.c.sent_at.is_not(None)
    )
    weeks: Counter[tuple[int, int]] = Counter()
    for customer, sent_at in tx.execute(query):
        weeks[customer, (to_micros(sent_at) - to_micros(start)) // _WEEK_US] += 1
    most: dict[int, int] = {}
    for (customer, _), n in weeks.items():
        most[customer] = max(n, most.get(customer, 0))
    counts = Counter(most.values())
    return {str(n): counts[n] for n in sorted(counts)}


def _count_coupons(tx: sa.Connection, twin: "Shop") -> tuple[dict[str, int], int]:
    """Codes issued by offer, and the most that they cost in minor units."""
    c = coupon.c
    query = sa.select(c.offer, c.customer, c.issued_at, c.expires_at).order_by(c.issued_at)
    issued = tx.execute(query).all()
    cost = 0
    for row in issued:
        offer = get_offer(tx, row.offer).offer
        orders = twin.store.log.read_customer(
            row.customer, limit=1_000, names=(Name.ORDER_COMPLETED.value,)
        )
        fitting = [
            order
            for order in orders
            if order.occurred_at >= row.issued_at
            and (row.expires_at is None or order.occurred_at < row.expires_at)
        ]
        if fitting:
            first = min(fitting, key=lambda order: order.occurred_at)
            delivery_cents = twin.settings.policy.delivery_cost_cents
            cost += cost_of(offer.benefit, first.amount_cents or 0, delivery_cents)
    return dict(sorted(Counter(row.offer for row in issued).items())), cost
