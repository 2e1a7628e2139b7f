"""From rules to the customers who fulfil them, all at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property, reduce
from operator import and_, or_
from typing import Any as Anything

import ibis
import numpy as np
import pyarrow as pa

from lingxi.segments.bulk.conditions import Expr
from lingxi.segments.bulk.counting import Counting, Measured, earliest
from lingxi.segments.bulk.state import Ids, Mask, State
from lingxi.segments.gather import read_goods
from lingxi.segments.needs import find_needs
from lingxi.segments.rule import (
    Aggregate,
    All,
    Any,
    Consent,
    Did,
    Leaf,
    Not,
    Rule,
    Trait,
    leaves,
)
from lingxi.segments.scores import ScoreColumn
from lingxi.store import Analytics, Store
from lingxi.store.tables import to_micros

_PEOPLE, _CHOSEN = "segment_people", "segment_chosen"


@dataclass(frozen=True)
class Crowd:
    """All customers of a store in one state of log and tables, as seen at ``now``."""

    store: Store
    scores: Mapping[str, ScoreColumn]
    analytics: Analytics
    now: datetime

    @cached_property
    def people(self) -> tuple[Ids, Ids]:
        """The surrogates of customers that the shop knows, and whose each is."""
        table = self.analytics.identities
        known = table["known"].to_numpy()
        return table["subject"].to_numpy()[known], table["customer"].to_numpy()[known]

    @cached_property
    def customers(self) -> Ids:
        """Every customer that the shop knows, sorted."""
        found = self.people[1]
        return found if bool((np.diff(found) > 0).all()) else np.unique(found)


def compile_rule(crowd: Crowd, rule: Rule) -> ibis.Table:
    """The customers who fulfil a rule: one column ``customer``.

    References to other segments must be resolved (``lingxi.segments.needs.resolve``). Events are
    counted only of those whom the conditions on the state leave over.
    """
    table = _evaluate(crowd, {"rule": rule}, due=False, narrow=True)
    return table.filter(table["rule"]).select("customer")


def evaluate(crowd: Crowd, rules: Mapping[str, Rule], *, due: bool = False) -> ibis.Table:
    """Every known customer with one truth a rule, named as the rules are.

    With ``due`` also ``NAME.due`` for each: the earliest moment, in microseconds since 1970, at
    which time alone may change the answer; never later than it does, and ``2**62`` for never.
    """
    return _evaluate(crowd, rules, due=due, narrow=False)


def _evaluate(crowd: Crowd, rules: Mapping[str, Rule], *, due: bool, narrow: bool) -> ibis.Table:
    distinct = dict.fromkeys(leaf for rule in rules.values() for leaf in leaves(rule))
    now_us, analytics = to_micros(crowd.now), crowd.analytics
    others = [leaf for leaf in distinct if not isinstance(leaf, Did | Aggregate)]
    state = State(crowd.store, dict(crowd.scores), analytics.transaction, crowd.customers, now_us)
    masks = _read_masks(analytics, state, others)
    chosen = _choose(crowd, rules, masks) if narrow else None
    table, columns = _register(crowd, state, masks, chosen, due=due)
    people = None if chosen is None else _list_people(crowd, chosen)
    goods = read_goods(analytics.transaction, find_needs(rules.values()).categories)
    counting = Counting(analytics, goods, now_us, due=due, people=people)
    measured: dict[Leaf, Measured] = {
        leaf: counting.add(leaf) for leaf in distinct if isinstance(leaf, Did | Aggregate)
    }
    for number, each in enumerate(counting.tables()):
        settled = analytics.settle(each)
        table = table.left_join(settled, "customer", rname=f"{{name}}_{number}")
    filled = {
        name: table[name] if empty is None else ibis.coalesce(table[name], empty)
        for name, empty in counting.filled.items()
    }
    table = table.mutate(**filled)
    flags: dict[Leaf, Expr] = {leaf: table[name] for leaf, name in columns.items()}
    flags |= {leaf: each.holds(table) for leaf, each in measured.items()}
    values: dict[str, Expr] = {name: _combine(r, flags) for name, r in rules.items()}
    if due:
        dues = _list_dues(table, columns, measured)
        values |= {f"{name}.due": _first_due(rule, dues) for name, rule in rules.items()}
    return table.select("customer", **values)


def _read_masks(analytics: Analytics, state: State, conditions: Sequence[Leaf]) -> dict[Leaf, Mask]:
    """Of which customers each condition on the state holds; the dearest are begun first."""
    ordered = sorted(conditions, key=lambda leaf: not isinstance(leaf, Trait | Consent))
    masks = analytics.ask_state(lambda tx, leaf: replace(state, tx=tx).mask(leaf), ordered)
    return dict(zip(ordered, masks, strict=True))


def _choose(crowd: Crowd, rules: Mapping[str, Rule], masks: Mapping[Leaf, Mask]) -> Mask | None:
    """Who may fulfil one of the rules, whatever is counted; nothing if that is most customers."""
    n = len(crowd.customers)
    possible = reduce(or_, [_bound(rule, masks, n)[1] for rule in rules.values()])
    return possible if 2 * np.count_nonzero(possible) < n else None


def _bound(rule: Rule, masks: Mapping[Leaf, Mask], n: int) -> tuple[Mask, Mask]:
    """Who fulfils a rule whatever is counted, and who may fulfil it."""
    match rule:
        case All() | Any():
            join, start = (and_, True) if isinstance(rule, All) else (or_, False)
            parts = [_bound(part, masks, n) for part in rule.rules]
            sure, possible = np.full(n, start), np.full(n, start)
            for part in parts:
                sure, possible = join(sure, part[0]), join(possible, part[1])
            return sure, possible
        case Not():
            sure, possible = _bound(rule.rule, masks, n)
            return ~possible, ~sure
    if rule in masks:
        return masks[rule], masks[rule]
    return np.zeros(n, np.bool_), np.ones(n, np.bool_)


def _list_people(crowd: Crowd, chosen: Mask) -> ibis.Table:
    """The surrogates of some customers: ``subject`` and ``customer``."""
    subjects, owners = crowd.people
    own = chosen[np.searchsorted(crowd.customers, owners)]
    table = pa.table({"subject": pa.array(subjects[own]), "customer": pa.array(owners[own])})
    return crowd.analytics.register(_CHOSEN, table)


def _register(
    crowd: Crowd, state: State, masks: Mapping[Leaf, Mask], chosen: Mask | None, *, due: bool
) -> tuple[ibis.Table, dict[Leaf, str]]:
    """Customers with a truth a condition on the state, and with when it may change."""
    everyone = slice(None) if chosen is None else chosen
    columns = {leaf: f"f{number}" for number, leaf in enumerate(masks)}
    arrays: dict[str, Anything] = {"customer": pa.array(crowd.customers[everyone])}
    for leaf, name in columns.items():
        arrays[name] = pa.array(masks[leaf][everyone])
        moments = state.due(leaf) if due else None
        if moments is not None:
            arrays[f"{name}.due"] = pa.array(moments[everyone])
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
    return earliest(moments)
