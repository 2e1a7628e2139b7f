"""Lists of the shop that is made by hand."""

from collections.abc import Callable

import numpy as np
import pytest

from hand_shop import SOMEBODY, make_items, make_knowledge
from lingxi.recommend.placements.compiled import compile_variant
from lingxi.recommend.placements.context import Context
from lingxi.recommend.placements.definition import Rule, Variant
from lingxi.recommend.placements.knowledge import Knowledge
from lingxi.recommend.placements.listing import Listed, make_list

List = Callable[..., Listed]


@pytest.fixture(scope="session")
def known() -> Knowledge:
    return make_knowledge(make_items())


@pytest.fixture
def make(known: Knowledge) -> List:
    """Make a list: ``make(variant, context, seed=0, rules=())``."""

    def make_(
        variant: Variant,
        context: Context = SOMEBODY,
        *,
        seed: int = 0,
        rules: tuple[Rule, ...] = (),
        over: Knowledge | None = None,
    ) -> Listed:
        mine = over or known
        compiled = compile_variant(variant, rules, context, mine.table)
        return make_list(mine, variant, compiled, context, np.random.default_rng(seed))

    return make_
