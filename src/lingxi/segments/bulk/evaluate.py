"""From rules to the customers who fulfil them, all at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import and_, or_
from typing import Any as Anything

import ibis
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lingxi.segments.bulk.conditions import Expr
from lingxi.segments.bulk.counting import NEVER, Counting, Measured
from lingxi.segments.bulk.state import State
from lingxi.segments.gather import read_goods
from lingxi.segments.needs import find_needs
from lingxi.segments.rule import Aggregate, All, Any, Did, Leaf, Not, Rule, leaves
from lingxi.segments.scores import ScoreColumn
from lingxi.store import Analytics, Store
from lingxi.store.tables import to_micros

_PEOPLE = "segment_people"


@dataclass(frozen=True)
class Crowd:
    """All customers of a store in one state of log and tables, as seen at ``now``."""

    store: Store
    scores: Mapping[str, ScoreColumn]
    analytics: Analytics
    now: datetime

    @property
    def customers(self) -> NDArray[np.int64]:
        """Every customer that the shop knows, sorted."""
        people = self.analytics.to_arrow(self.analytics.people.filter(lambda t: t.known))
        found: NDArray[np.int64] = np.unique(people.column("customer").to_numpy())
        return found


def compile_rule(crowd: Crowd, rule: Rule) -> ibis.Table:
    """The customers who fulfil a rule: one column ``customer``.

    References to other segments must be resolved (``lingxi.segments.needs.resolve``).
    """
    table = evaluate(crowd, {"rule": rule})
    return table.filter(table["rule"]).select("customer")


def evaluate(crowd: Crowd, rules: Mapping[str, Rule], *, due: bool = False) -> ibis.Table:
    """Every known customer with one truth a rule, named as the rules are.

    With ``due`` also ``NAME.due`` for each: the earliest moment, in microseconds since 1970, at
    which time alone may change the answer; never later than it does, and ``2**62`` for never.
    """
    distinct = dict.fromkeys(leaf for rule in rules.values() for leaf in leaves(rule))
    goods = read_goods(crowd.analytics.transaction, find_needs(rules.values()).categories)
    now_us = to_micros(crowd.now)
    counting = Counting(crowd.analytics, goods, now_us, due=due)
    measured: dict[Leaf, Measured] = {
        leaf: counting.add(leaf) for leaf in distinct if isinstance(leaf, Did | Aggregate)
    }
    others = [leaf for leaf in distinct if leaf not in measured]
    table, columns = _gather(crowd, others, now_us, due=due)
    for number, each in enumerate(counting.tables()):
        table = table.left_join(each, "customer", rname=f"{{name}}_{number}")
    filled = {
        name: table[name] if empty is None else ibis.coalesce(table[name], empty)
        for name, empty in counting.filled.items()
    }
    table = table.mutate(**filled)
    flags: dict[Leaf, Expr] = {leaf: table[name] for leaf, name in columns.items()}
    flags |= {leaf: each.holds(table) for leaf, each in measured.items()}
    chosen: dict[str, Expr] = {name: _combine(r, flags) for name, r in rules.items()}
    if due:
        dues = _list_dues(table, columns, measured)
        chosen |= {f"{name}.due": _first_due(rule, dues) for name, rule in rules.items()}
    return table.select("customer", **chosen)


def _gather(
    crowd: Crowd, others: list[Leaf], now_us: int, *, due: bool
) -> tuple[ibis.Table, dict[Leaf, str]]:
    """Known customers with a truth a condition on the state, and with when it may change."""
    customers = crowd.customers
    state = State(crowd.store, dict(crowd.scores), crowd.analytics.transaction, customers, now_us)
    columns = {leaf: f"f{number}" for number, leaf in enumerate(others)}
    arrays: dict[str, Anything] = {"customer": pa.array(customers)}
    for leaf, name in columns.items():
        arrays[name] = pa.array(state.mask(leaf))
        moments = state.due(leaf) if due else None
        if moments is not None:
            arrays[f"{name}.due"] = pa.array(moments)
    return crowd.analytics.register(_PEOPLE, pa.table(arrays)), columns


def _combine(rule: Rule, flags: Mapping[Leaf, Expr]) -> Expr:
    match rule:
        case All():
            return reduce(and_, [_combine(p, flags) for p in rule.rules], ibis.literal(True))
        case Any():
            return reduce(or_, [_combine(p, flags) for p in rule.rules], ibis.literal(False))
        case Not():
            return ~_combine(rule.rule, flags)
        case _:
            return flags[rule]


def _list_dues(
    table: ibis.Table, columns: Mapping[Leaf, str], measured: Mapping[Leaf, Measured]
) -> dict[Leaf, Expr]:
    dues = {leaf: each.due(table) for leaf, each in measured.items()}
    for leaf, name in columns.items():
        if f"{name}.due" in table.columns:
            dues[leaf] = table[f"{name}.due"]
    return dues


def _first_due(rule: Rule, dues: Mapping[Leaf, Expr]) -> Expr:
    moments = [dues[leaf] for leaf in dict.fromkeys(leaves(rule)) if leaf in dues]
    return ibis.least(*moments, ibis.literal(NEVER))
