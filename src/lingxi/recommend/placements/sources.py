"""Strategies: from a request to items with values, each value a sum of its causes."""

from collections.abc import Callable, Mapping, Sequence
from typing import cast

import numpy as np

from lingxi.recommend.expressions.facts import to_days
from lingxi.recommend.expressions.nodes import Kind
from lingxi.recommend.expressions.vectorised import Words
from lingxi.recommend.histories import NOBODY
from lingxi.recommend.placements.context import Context, Met
from lingxi.recommend.placements.definition import Strategy, Variant
from lingxi.recommend.placements.knowledge import Knowledge
from lingxi.recommend.placements.scored import (
    Cause,
    Scored,
    Vector,
    keep_positive,
    nothing,
)
from lingxi.recommend.promotions import KINDS as PROMOTIONS
from lingxi.recommend.promotions import find_rates

NEW_DAYS = 90.0
"""An item first offered longer ago is no new arrival."""

_AGAIN_DAYS = 30.0
"""After how many days half of the wish for the same item is back."""

_WORTHS = (0.1, 0.4, 1.0)
"""What a view, a cart and an order are worth for taste, where the placement does not say."""

Source = Callable[[Knowledge, Context, Variant], Scored]


def score_personal(known: Knowledge, context: Context, variant: Variant) -> Scored:
    """The model chosen in training, on the customer's own history and this session."""
    personal = bool(context.past)
    if context.told is not None or not personal:
        quick = known.score_past(
            context.read_past(known.table), context.looked_at, variant.weights, personal=personal
        )
        if quick is not None:
            return quick
    model = known.model if personal else known.visitor_model
    row = known.rows.get(context.customer, NOBODY) if context.customer is not None else NOBODY
    history = known.make_history(
        context.past, context.looked_at, variant.weights, model.recipe.history_weighting, row
    )
    if not len(history.items):
        return nothing(model.name)
    return known.score(model, history, "history")


def score_similar(known: Knowledge, context: Context, variant: Variant) -> Scored:
    """Items like the one that is looked at: by behaviour, and by content where it is new."""
    model = known.visitor_model
    seeds = known.find(context.seeds, known=True)
    if not seeds:
        return _score_like(known, known.find(context.seeds))
    ids = [known.table.facts[place].item_id for place in seeds]
    history = known.make_history({}, ids, variant.weights, model.recipe.history_weighting)
    found = known.score(model, history, "item")
    return found if len(found.places) else _score_like(known, seeds)


def score_together(known: Knowledge, context: Context, _variant: Variant) -> Scored:
    """Items in the same orders as the seeds: the sum of the seeds' confidences."""
    return _score_pairs(known, known.find(context.seeds, known=True), complementary=False)


def score_complementary(known: Knowledge, context: Context, _variant: Variant) -> Scored:
    """As together, without chance (lift up to 1) and without the seeds' own narrowest category."""
    return _score_pairs(known, known.find(context.seeds, known=True), complementary=True)


def score_taste(known: Knowledge, context: Context, variant: Variant) -> Scored:
    """Items that have category, brand and price in common with the history: new ones too."""
    return _score_content(known, _weigh_taste(known, context, variant), "history")


def _weigh_taste(known: Knowledge, context: Context, variant: Variant) -> dict[int, float]:
    """How much each item of the history says of what a customer likes, by place; above 0."""
    given = (variant.weights.view, variant.weights.cart, variant.weights.order)
    worths = [usual if own is None else own for own, usual in zip(given, _WORTHS, strict=True)]
    weights: dict[int, float] = {}
    index = known.table.index
    for item_id, met in context.past.items():
        if item_id in index:
            total = met.views * worths[0] + met.carts * worths[1] + met.orders * worths[2]
            weights[index[item_id]] = float(np.log2(1.0 + total))
    for place in known.find(context.looked_at):
        weights[place] = weights.get(place, 0.0) + float(np.log2(1.0 + worths[0]))
    return {at: weight for at, weight in weights.items() if weight > 0}


def score_promoted(known: Knowledge, context: Context, variant: Variant) -> Scored:
    """Promotions by how often they are clicked, more where they are to the customer's taste.

    ``rate(i) · (1 + sum_j w_j like(j, i) / sum_j w_j)``, see ``promotions.find_rates``; nothing as
    long as nobody has seen any.
    """
    if not context.promoted:
        return nothing("promoted")
    kinds = cast(Words, known.table.column("kind", Kind.TEXT))
    wanted = [code for code, word in enumerate(kinds.words) if word in PROMOTIONS]
    places = np.flatnonzero(np.isin(kinds.codes, wanted))
    ids = [known.table.facts[place].item_id for place in places.tolist()]
    values = np.zeros(len(known.table))
    values[places] = find_rates(context.promoted, ids)
    rates = values.copy()
    taste = _score_content(known, _weigh_taste(known, context, variant), "history", share=True)
    values[taste.places] *= 1.0 + taste.values

    def explain(place: int) -> Sequence[Cause]:
        rate = float(rates[place])
        liked = [Cause(c.kind, c.item_id, c.value * rate) for c in taste.explain(place)]
        views, clicks = context.promoted.get(known.table.facts[place].item_id, (0, 0))
        return [Cause("clicks" if views or clicks else "unseen", "", rate), *liked]

    return keep_positive(values, "promoted", explain)


def score_popular(known: Knowledge, _context: Context, _variant: Variant) -> Scored:
    """Items by demand now, 1 for the most popular."""
    values = np.zeros(len(known.table))
    values[: known.n_known] = known.popularity
    return keep_positive(values, "popularity", lambda at: [Cause("demand", "", float(values[at]))])


def score_popular_here(known: Knowledge, context: Context, variant: Variant) -> Scored:
    """The popular ones of the narrowest category of the seeds; of all where that is unknown."""
    found = score_popular(known, context, variant)
    codes = cast(Words, known.table.column("category", Kind.TEXT)).codes
    seeds = {int(code) for code in codes[known.find(context.seeds)] if code >= 0}
    if not seeds or context.category:
        return found
    here = np.isin(codes[found.places], sorted(seeds))
    return Scored(found.places[here], found.values[here], found.model, found.explain)


def score_trending(known: Knowledge, _context: Context, _variant: Variant) -> Scored:
    """What has become wanted: demand of late times its ratio to demand of all time, 1 the most."""
    values = np.zeros(len(known.table))
    if known.trending is not None:
        values[: known.n_known] = known.trending
    return keep_positive(values, "trending", lambda at: [Cause("demand", "", float(values[at]))])


def score_new(known: Knowledge, context: Context, _variant: Variant) -> Scored:
    """Items first offered within 90 days, the newest first: ``1 / (1 + age in days)``."""
    age = to_days(context.now) - known.table.numbers("first_day")
    fresh = ~np.isnan(age) & (age <= NEW_DAYS)
    values = np.zeros(len(age))
    values[fresh] = 1.0 / (1.0 + np.maximum(age[fresh], 0.0))
    return keep_positive(values, "new_arrivals", lambda at: [Cause("age", "", float(values[at]))])


def score_recent(known: Knowledge, context: Context, _variant: Variant) -> Scored:
    """What was looked at last, newest first: ``1 / place``."""
    past = sorted(context.past.items(), key=lambda each: (-_stamp(each[1]), each[0]))
    session = tuple(reversed(context.history))
    order = known.find(tuple(dict.fromkeys((*session, *(item_id for item_id, _ in past)))))
    return _in_order(known, order, "recently_viewed", "history")


def score_again(known: Knowledge, context: Context, _variant: Variant) -> Scored:
    """What was bought before: ``log2(1 + orders) · (1 - 2^(-days / 30))``."""
    values = np.zeros(len(known.table))
    for item_id, met in context.past.items():
        place = known.table.index.get(item_id)
        if place is not None and met.orders:
            days = max(0.0, (context.now - met.last_at).total_seconds() / 86400)
            values[place] = np.log2(1.0 + met.orders) * (1.0 - 2.0 ** (-days / _AGAIN_DAYS))

    def explain(place: int) -> Sequence[Cause]:
        return [Cause("history", known.table.facts[place].item_id, float(values[place]))]

    return keep_positive(values, "buy_again", explain)


def score_query(known: Knowledge, context: Context, variant: Variant) -> Scored:
    """What a query found, in an order between the query's and the customer's own.

    ``(1 - a) / log2(1 + place) + a · score / highest score``, a being ``personal_share``.
    """
    order = known.find(tuple(dict.fromkeys(context.candidates)))
    if not order:
        return nothing("search")
    share = variant.personal_share
    personal = score_personal(known, context, variant)
    own = np.zeros(len(known.table))
    own[personal.places] = personal.values
    top = float(own[order].max())
    factor = share / top if top > 0 else 0.0
    query = np.zeros(len(known.table))
    query[order] = (1.0 - share) / np.log2(2.0 + np.arange(len(order)))
    values = np.zeros(len(known.table))
    values[order] = np.maximum(query[order] + factor * own[order], 1e-12)

    def explain(place: int) -> Sequence[Cause]:
        causes = personal.explain(place) if factor and own[place] > 0 else ()
        mine = [Cause(each.kind, each.item_id, each.value * factor) for each in causes]
        rest = float(values[place]) - sum(each.value for each in mine)
        return [Cause("query", "", rest), *mine]

    return keep_positive(values, "search", explain)


SOURCES: Mapping[Strategy, Source] = {
    Strategy.PERSONAL: score_personal,
    Strategy.SIMILAR: score_similar,
    Strategy.TOGETHER: score_together,
    Strategy.COMPLEMENTARY: score_complementary,
    Strategy.TASTE: score_taste,
    Strategy.POPULAR: score_popular,
    Strategy.POPULAR_HERE: score_popular_here,
    Strategy.TRENDING: score_trending,
    Strategy.NEW: score_new,
    Strategy.RECENT: score_recent,
    Strategy.AGAIN: score_again,
    Strategy.PROMOTED: score_promoted,
    Strategy.QUERY: score_query,
}
"""What each strategy does."""


def _stamp(met: Met) -> float:
    return met.last_at.timestamp()


def _score_like(known: Knowledge, seeds: Sequence[int]) -> Scored:
    return _score_content(known, dict.fromkeys(seeds, 1.0), "item")


def _score_content(
    known: Knowledge, weights: Mapping[int, float], kind: str, *, share: bool = False
) -> Scored:
    """The weighted sum of how alike each item is to the items of the history; ``share``: by the sum
    of the weights."""
    if not weights:
        return nothing("taste")
    if share:
        total = sum(weights.values())
        weights = {place: weight / total for place, weight in weights.items()}
    likeness = known.likeness
    places = np.array(list(weights), dtype=np.int64)
    values = likeness.add_up(places, np.array(list(weights.values())))
    values[places] = 0.0

    def explain(place: int) -> Sequence[Cause]:
        alike = likeness.between(place, places)
        return [
            Cause(kind, known.table.facts[at].item_id, weights[at] * share)
            for at, share in zip(places.tolist(), alike.tolist(), strict=True)
            if share > 0
        ]

    return keep_positive(values, "taste", explain)


def _score_pairs(known: Knowledge, seeds: Sequence[int], *, complementary: bool) -> Scored:
    """The sum over seeds of how many of their orders held the other item."""
    model = "complementary" if complementary else "bought_together"
    baskets, parts = known.baskets, {}
    codes = cast(Words, known.table.column("category", Kind.TEXT)).codes
    own = {int(codes[seed]) for seed in seeds if codes[seed] >= 0}
    for seed in seeds:
        cells = slice(baskets.pairs.indptr[seed], baskets.pairs.indptr[seed + 1])
        others = baskets.pairs.indices[cells].astype(np.int64)
        confidence = baskets.pairs.data[cells] / max(int(baskets.item_orders[seed]), 1)
        if complementary:
            lift = confidence * baskets.orders / np.maximum(baskets.item_orders[others], 1)
            kept = (lift > 1.0) & ~np.isin(codes[others], sorted(own))
            others, confidence = others[kept], confidence[kept]
        parts[seed] = (others, confidence.astype(np.float64))
    values: Vector = np.zeros(len(known.table))
    for others, confidence in parts.values():
        np.add.at(values, others, confidence)
    values[list(seeds)] = 0.0

    def explain(place: int) -> Sequence[Cause]:
        return [
            Cause(
                "together", known.table.facts[seed].item_id, float(confidence[others == place][0])
            )
            for seed, (others, confidence) in parts.items()
            if (others == place).any()
        ]

    return keep_positive(values, model, explain)


def _in_order(known: Knowledge, order: Sequence[int], model: str, kind: str) -> Scored:
    values = np.zeros(len(known.table))
    values[list(order)] = 1.0 / (1.0 + np.arange(len(order)))

    def explain(place: int) -> Sequence[Cause]:
        return [Cause(kind, known.table.facts[place].item_id, float(values[place]))]

    return keep_positive(values, model, explain)
