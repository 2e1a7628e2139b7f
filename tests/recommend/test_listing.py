"""What a model lists of many histories is what it lists of each, and what it scores above 0."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lingxi.recommend import scratch
from lingxi.recommend.families import build_scorer, make_recipe
from lingxi.recommend.histories import CART, DAY, ORDER, VIEW, Histories
from lingxi.recommend.matrix import densify
from lingxi.recommend.model import Model
from lingxi.recommend.recipe import Recipe
from lingxi.recommend.scorer import as_listing, as_listing_many

ROWS, ITEMS = 60, 150


def _make_taught() -> Histories:
    rng = np.random.default_rng(4)
    lengths = rng.integers(1, 40, ROWS)
    lengths[5] = 0
    rows = np.repeat(np.arange(ROWS), lengths)
    own = rng.integers(0, ITEMS // 2, len(rows)) * 2 + rows % 2
    return Histories.of_events(
        rows,
        np.where(rng.random(len(rows)) < 0.8, own, rng.integers(0, ITEMS, len(rows))),
        (ROWS, ITEMS),
        moments=rng.integers(0, 200, len(rows)) * DAY,
        kinds=rng.choice([VIEW, CART, ORDER], len(rows)),
    )


def _compose(name: str, parts: tuple[str, ...], shares: tuple[float, ...]) -> Recipe:
    return Recipe(name=name, parts=tuple(make_recipe(part) for part in parts), shares=shares)


_FOUR = (1.0, 0.5, 0.2, 0.8, 0.3, 0.2, 0.1, 0.2, -0.1, 0.3)
RECIPES = {
    **{
        name: make_recipe(name, {"k": 9} if name.startswith(("v_", "user", "next_b")) else {})
        for name in ("user_cosine", "v_sknn", "v_stan", "repeat", "next_basket", "popularity")
    },
    "blend": _compose("blend", ("rp3beta", "v_stan", "graph", "als"), (1.0, 0.4, 0.3, 0.2)),
    "repeats": _compose("blend", ("repeat", "next_basket"), (1.0, 0.4)),
    "learned": _compose("learned", ("transitions", "v_stan", "ease", "repeat"), _FOUR),
    "operators": _compose("learned", ("transitions", "rp3beta", "ease", "graph"), _FOUR),
}
TAUGHT = _make_taught()
_models: dict[str, Model] = {}


def _fit(name: str) -> Model:
    if name not in _models:
        scorer = build_scorer(RECIPES[name])
        scorer.fit(TAUGHT)
        trend = np.random.default_rng(2).random(ITEMS) + 0.5
        _models[name] = Model(RECIPES[name], scorer, trend)
    return _models[name]


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("name", RECIPES)
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    rows=st.lists(st.integers(0, ROWS - 1), min_size=2, max_size=9, unique=True),
    fitted=st.booleans(),
)
def test_many_histories_list_and_explain_what_each_does(name, wide, rows, fitted):
    model, asked = _fit(name), TAUGHT.take(np.array(rows))
    asked = asked if fitted else asked.of_nobody()
    with pytest.MonkeyPatch.context() as patch:
        if wide:  # as in a large catalogue, of which a history touches little
            patch.setattr(scratch, "_NARROW", 0)
            patch.setattr(scratch, "_SPARSE", 0)
        single = [asked.take(np.array([at])) for at in range(len(rows))]
        each = [model.list_scores(one) for one in single]
        many = as_listing_many(model.scorer)
        if many is not None:
            for found, (items, scores) in zip(model.list_many(many, asked), each, strict=True):
                own = np.zeros(ITEMS, dtype=np.float32)
                own[items] = scores
                _check_alike(found, own)
        whole = model.score(asked)
        for row, (items, scores) in zip(whole, each, strict=True):
            assert (np.diff(items) > 0).all()
            assert (scores > 0).all()
            _check_alike((items, scores), np.maximum(row, 0.0))
        _check_reasons(model, asked, single, each)


def _check_alike(found, whole) -> None:
    """What is listed is the whole row, but for what single precision leaves of a 0."""
    listed = np.zeros(ITEMS, dtype=np.float32)
    listed[found[0]] = found[1]
    top = max(float(whole.max()), 1e-9)
    np.testing.assert_allclose(listed, whole, rtol=1e-5, atol=2e-6 * top)


def _check_reasons(model: Model, asked: Histories, single, each) -> None:
    lists = np.array([np.argsort(-row, kind="stable")[:5] for row in model.score(asked)])
    among = densify(model.explain(asked, lists)).reshape(len(lists), 5, ITEMS)
    for row, (one, (items, scores)) in enumerate(zip(single, each, strict=True)):
        alone = densify(model.explain(one, lists[row : row + 1]))
        top = max(float(scores.max(initial=0.0)), 1e-9)
        np.testing.assert_allclose(alone, among[row], rtol=1e-5, atol=1e-6 * top)
        if model.scorer.name == "popularity":
            assert not alone.any()
            continue
        known = np.isin(lists[row], items)
        told = dict(zip(items.tolist(), scores.tolist(), strict=True))
        wanted = [told[at] for at in lists[row][known].tolist()]
        np.testing.assert_allclose(alone.sum(axis=1)[known], wanted, rtol=1e-4, atol=1e-5 * top)


def test_which_models_list_without_looking_at_all_items():
    listing = {name for name in RECIPES if as_listing(_fit(name).scorer) is not None}
    assert listing == set(RECIPES)
    assert as_listing(build_scorer(make_recipe("als"))) is None
    assert as_listing_many(build_scorer(make_recipe("popularity"))) is None
