"""What a change of a placement would do: lists before and after, side by side."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import sqlalchemy as sa

from lingxi.app.placements.request import Ask
from lingxi.app.placements.show import name_of
from lingxi.app.placements.views import Movement, PreviewView, SampleList
from lingxi.ingest import customer_ids
from lingxi.profiles.tables import customer_profile
from lingxi.recommend.placements.definition import Placement, Strategy
from lingxi.recommend.placements.knowledge import Knowledge
from lingxi.recommend.placements.listing import Listed

_SEED = 5
_MOVED = 20
_FOUND = 40
"""Items that a made-up search finds, where a preview needs one."""

_SEEDED = frozenset({Strategy.SIMILAR, Strategy.TOGETHER, Strategy.COMPLEMENTARY})

Pair = tuple[Ask, Listed | None, Listed]


def draw_sample(tx: sa.Connection, known: Knowledge, placement: Placement, n: int) -> list[Ask]:
    """Requests of customers drawn at random, each with an item looked at where one is needed.

    The draw has a fixed seed: the same customers give the same sample.
    """
    rng = np.random.default_rng(_SEED)
    query = sa.select(customer_profile.c.customer).order_by(customer_profile.c.customer)
    everyone = np.array(tx.execute(query).scalars().all(), dtype=np.int64)
    drawn = rng.choice(everyone, min(n, len(everyone)), replace=False) if len(everyone) else ()
    ids = customer_ids(tx, [int(customer) for customer in drawn])
    ranked = np.argsort(-known.popularity, kind="stable")[: max(200, _FOUND)]
    asks = []
    for customer in drawn:
        item = candidates = None
        if placement.strategy in _SEEDED and len(ranked):
            item = known.table.facts[int(rng.choice(ranked))].item_id
        if placement.strategy is Strategy.QUERY and len(ranked):
            found = rng.choice(ranked, min(_FOUND, len(ranked)), replace=False)
            candidates = tuple(known.table.facts[int(place)].item_id for place in found)
        asks.append(Ask(customer_id=ids[int(customer)], item_id=item, candidates=candidates or ()))
    return asks


def compare_lists(name: str, known: Knowledge, pairs: Sequence[Pair], show: int) -> PreviewView:
    """The lists before and after a change, counted; the ``show`` that change most, in full."""
    entering: Counter[str] = Counter()
    leaving: Counter[str] = Counter()
    told: list[tuple[int, SampleList]] = []
    kept = of_all = shorter = empty = 0
    for ask, old, new in pairs:
        before, after = list_ids(known, old), list_ids(known, new)
        entering.update(set(after) - set(before))
        leaving.update(set(before) - set(after))
        stays = len(set(before) & set(after))
        kept, of_all = kept + stays, of_all + len(before)
        shorter, empty = shorter + (len(after) < len(before)), empty + (not after)
        if before != after:
            told.append((stays - len(before), _show_pair(known, ask, before, after)))
    told.sort(key=lambda each: each[0])
    return PreviewView(
        placement=name,
        sample=len(pairs),
        changed=len(told),
        shorter=shorter,
        empty=empty,
        kept_share=kept / of_all if of_all else 1.0,
        entering=_list_movements(known, entering),
        leaving=_list_movements(known, leaving),
        lists=tuple(each for _, each in told[:show]),
    )


def list_ids(known: Knowledge, listed: Listed | None) -> tuple[str, ...]:
    """The item ids of a list, in order."""
    if listed is None:
        return ()
    return tuple(known.table.facts[entry.place].item_id for entry in listed.entries)


def _show_pair(
    known: Knowledge, ask: Ask, before: tuple[str, ...], after: tuple[str, ...]
) -> SampleList:
    return SampleList(
        customer_id=ask.customer_id,
        before=before,
        after=after,
        before_names=tuple(name_of(known, item_id) for item_id in before),
        after_names=tuple(name_of(known, item_id) for item_id in after),
    )


def _list_movements(known: Knowledge, counts: Counter[str]) -> tuple[Movement, ...]:
    most = sorted(counts.items(), key=lambda each: (-each[1], each[0]))[:_MOVED]
    return tuple(Movement(item_id, name_of(known, item_id), lists) for item_id, lists in most)
