"""Conditions on what the state tables hold, as masks over all customers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any as Anything

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy import Connection

from lingxi.ingest.consent.ask import is_assumed
from lingxi.ingest.consent.project import EVERY
from lingxi.ingest.tables import consent, trait
from lingxi.segments.bucket import buckets_of
from lingxi.segments.compare import (
    moment_bounds,
    passes_trait,
    read_moment_us,
    turning_points,
)
from lingxi.segments.lists import members_of
from lingxi.segments.needs import STAGE
from lingxi.segments.rule import (
    Consent,
    Everyone,
    InList,
    Leaf,
    Random,
    Score,
    Stage,
    Test,
    Trait,
    Value,
)
from lingxi.segments.scores import ScoreColumn, find_score
from lingxi.store import Store
from lingxi.store.arrow_state import read_columns, read_ids
from lingxi.store.tables import identity

Ids = NDArray[np.int64]
Mask = NDArray[np.bool_]
NEVER = 2**62
_DENSE = 200_000_000


@dataclass(frozen=True)
class State:
    """The state tables of one moment, asked for masks over ``customers`` (sorted, each once)."""

    store: Store
    scores: dict[str, ScoreColumn]
    tx: Connection
    customers: Ids
    now_us: int

    def mask(self, leaf: Leaf) -> Mask:
        """Of which customers a condition holds, shape (n_customers,)."""
        match leaf:
            case Everyone():
                return np.ones(len(self.customers), np.bool_)
            case Random():
                buckets = buckets_of(leaf.salt, self.customers)
                chosen: Mask = (buckets >= leaf.low) & (buckets < leaf.high)
                return chosen
            case InList():
                return self.place(read_ids(self.tx, members_of(leaf.list)))
            case Stage():
                column = find_score(self.scores, STAGE).column
                return self.place(read_ids(self.tx, _select(column, column.in_(leaf.stages))))
            case Score():
                return self._score(leaf)
            case Consent():
                return self._consent(leaf) ^ (not leaf.granted)
            case Trait():
                return self._trait(leaf)
        raise TypeError(f"{type(leaf).__name__} is not in the state")

    def place(self, ids: "Sequence[int] | Ids") -> Mask:
        """A mask that is true of these customers."""
        return _locate(self.customers, ids)

    def _trait(self, leaf: Trait) -> Mask:
        pairs = self._traits(leaf.trait)
        mask = self.place([w for w, text in pairs if passes_trait(leaf.test, text, self.now_us)])
        if passes_trait(leaf.test, None, self.now_us):
            mask |= ~self.place([who for who, _ in pairs])
        return mask

    def due(self, leaf: Leaf) -> Ids | None:
        """When time alone may change the answer, microseconds; ``NEVER`` where it cannot."""
        if not isinstance(leaf, Trait | Score) or not leaf.test.moves:
            return None
        if isinstance(leaf, Trait):
            pairs = [(who, read_moment_us(text)) for who, text in self._traits(leaf.trait)]
        else:
            score = find_score(self.scores, leaf.score)
            if score.kind != "moment":
                return None
            value = sa.type_coerce(score.column, sa.BigInteger)
            query = _select(score.column, value.is_not(None)).add_columns(value)
            who, values = read_columns(self.tx, query)
            pairs = list(zip(who, values, strict=True))
        found = np.full(len(self.customers), NEVER, np.int64)
        places = np.searchsorted(self.customers, [who for who, _ in pairs])
        for place, (customer, at) in zip(places.tolist(), pairs, strict=True):
            if at is None or place >= len(found) or self.customers[place] != customer:
                continue
            found[place] = next(
                (p for p in turning_points(leaf.test, at) if p > self.now_us), NEVER
            )
        return found

    def _score(self, leaf: Score) -> Mask:
        score = find_score(self.scores, leaf.score)
        column, test = score.column, leaf.test
        if test == Test(known=False):
            known = read_ids(self.tx, _select(column, column.is_not(None)))
            return ~self.place(known)
        return self.place(read_ids(self.tx, _select(column, *_sql_test(score, test, self.now_us))))

    def _consent(self, leaf: Consent) -> Mask:
        """Who may be reached: the latest word, of two at one moment the withdrawal.

        There is one word a customer for the channel and one for every channel. Those who gave the
        word that is looked for are found, without those whose other word is later.
        """
        assumed = is_assumed(self.store.settings.consent, leaf.purpose)
        wanted = ~consent.c.granted if assumed else consent.c.granted
        said = sa.select(consent.c.customer).where(consent.c.purpose == leaf.purpose)
        general = said.where(consent.c.channel == EVERY)
        found = self.place(read_ids(self.tx, general.where(wanted)))
        if leaf.channel != EVERY:
            found |= self.place(
                read_ids(self.tx, said.where(consent.c.channel == leaf.channel, wanted))
            )
            if self.tx.execute(general.limit(1)).first() is not None:
                lost = _outdone(leaf.purpose, leaf.channel, refused=assumed)
                found &= ~self.place(read_ids(self.tx, lost))
        return found ^ assumed

    def _traits(self, name: str) -> list[tuple[int, str]]:
        """Each customer's value of a trait, the latest word."""
        owner = sa.func.coalesce(identity.c.customer, trait.c.subject)
        query = (
            sa.select(owner, trait.c.subject, trait.c.value)
            .select_from(trait.outerjoin(identity, identity.c.subject == trait.c.subject))
            .where(trait.c.name == name)
            .order_by(trait.c.updated_at, trait.c.subject)
        )
        latest = {row[0]: (row[1], row[2]) for row in self.tx.execute(query)}
        kept = {who: pair for who, pair in latest.items() if pair[1] is not None}
        texts = self.store.keyring.decrypt_many(list(kept.values()))
        pairs = zip(kept, texts, strict=True)
        return [(who, text) for who, text in pairs if text is not None]


def _locate(customers: Ids, ids: "Sequence[int] | Ids") -> Mask:
    wanted = np.asarray(ids, np.int64)
    if not len(customers) or not len(wanted):
        return np.zeros(len(customers), np.bool_)
    top = int(max(customers[-1], wanted.max()))
    if top > _DENSE or wanted.min() < 0:
        return np.isin(customers, wanted)
    table = np.zeros(top + 1, np.bool_)
    table[wanted] = True
    return table[customers]


def _outdone(purpose: str, channel: str, *, refused: bool) -> "sa.Select[tuple[int]]":
    """Customers who said yes for a channel and no for every one, or the other way round, and of
    these the later was not that which is looked for: ``refused``, or granted."""
    every, own = consent.alias("every_word"), consent.alias("own_word")
    moments = [sa.type_coerce(word.c.at, sa.BigInteger) for word in (every, own)]
    yes = sa.case((every.c.granted, moments[0]), else_=moments[1])
    no = sa.case((every.c.granted, moments[1]), else_=moments[0])
    return sa.select(every.c.customer).where(
        every.c.purpose == purpose,
        every.c.channel == EVERY,
        own.c.customer == every.c.customer,
        own.c.purpose == every.c.purpose,
        own.c.channel == channel,
        own.c.granted != every.c.granted,
        yes > no if refused else yes <= no,
    )


def _select(column: "sa.Column[Anything]", *where: Anything) -> "sa.Select[Anything]":
    return sa.select(column.table.c.customer).where(*where)


def _sql_test(score: ScoreColumn, test: Test, now_us: int) -> list[Anything]:
    """A test that is not only ``known: false`` as conditions of SQL."""
    column = score.column
    if test.known is False:
        return [sa.false()]
    if score.kind == "moment":
        return _sql_moment(column, test, now_us)
    if test.moves or test.before is not None or test.after is not None:
        return [sa.false()]
    number = score.kind == "number"
    parts: list[Anything] = [column.is_not(None)]

    def equals(value: Value) -> Anything:
        fits = isinstance(value, int | float) and not isinstance(value, bool)
        return column == value if fits == number and not isinstance(value, bool) else sa.false()

    if test.equals is not None:
        parts.append(equals(test.equals))
    if test.not_equals is not None:
        parts.append(~equals(test.not_equals))
    if test.one_of is not None:
        parts.append(sa.or_(*(equals(value) for value in test.one_of)))
    for text, ask in _text_tests(column, test):
        parts.append(sa.false() if number else ask(text))
    for bound, ask_number in _number_tests(column, test):
        parts.append(ask_number(bound) if number else sa.false())
    return parts


def _text_tests(
    column: "sa.Column[Anything]", test: Test
) -> list[tuple[str, Callable[[str], Anything]]]:
    found: list[tuple[str, Callable[[str], Anything]]] = []
    if test.contains is not None:
        found.append((test.contains, lambda text: sa.func.replace(column, text, "") != column))
    if test.starts_with is not None:
        found.append((test.starts_with, lambda t: sa.func.substr(column, 1, len(t)) == t))
    return found


def _number_tests(
    column: "sa.Column[Anything]", test: Test
) -> list[tuple[float, Callable[[float], Anything]]]:
    asked: list[tuple[float | None, Callable[[float], Anything]]] = [
        (test.more_than, lambda bound: column > bound),
        (test.at_least, lambda bound: column >= bound),
        (test.less_than, lambda bound: column < bound),
        (test.at_most, lambda bound: column <= bound),
    ]
    return [(bound, ask) for bound, ask in asked if bound is not None]


def _sql_moment(column: "sa.Column[Anything]", test: Test, now_us: int) -> list[Anything]:
    words = (test.equals, test.not_equals, test.one_of, test.contains, test.starts_with)
    bounds = (test.more_than, test.at_least, test.less_than, test.at_most)
    if any(part is not None for part in (*words, *bounds)):
        return [sa.false()]
    low, high = moment_bounds(test, now_us)
    value = sa.type_coerce(column, sa.BigInteger)
    return [value.is_not(None), value >= low, value <= high]
