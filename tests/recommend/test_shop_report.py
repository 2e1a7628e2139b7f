"""The report on a shop's own data: what is asked, what it is compared with, and that it is kept."""

from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
import scipy.sparse as sp

from lingxi.app.queries import reports
from lingxi.app.shop import Shop
from lingxi.clock import FixedClock
from lingxi.errors import NotEnoughData
from lingxi.recommend.families import make_recipe
from lingxi.recommend.interactions import Interactions, read_interactions
from lingxi.recommend.shop_report import cut_dataset, list_recipes, report_shop
from lingxi.recommend.windows import split_by_time


@pytest.fixture(scope="module")
def interactions(demo_shop: Shop) -> Interactions:
    with demo_shop.store.analytics() as analytics:
        return read_interactions(analytics)


def test_nobody_is_asked_for_what_was_taught(interactions: Interactions) -> None:
    data = cut_dataset(split_by_time(interactions).outer, np.random.default_rng(0))
    assert data.barred is not None
    assert data.wanted.multiply(data.barred).nnz == 0
    assert (np.diff(data.wanted.indptr) > 0).all()


def test_the_one_in_use_stands_first_beside_both_baselines(interactions: Interactions) -> None:
    assert [r.name for r in list_recipes(None)] == ["rp3beta", "popularity", "item_cosine"]
    assert [r.name for r in list_recipes(make_recipe("popularity"))] == [
        "popularity",
        "item_cosine",
    ]
    now = interactions.last_moment + timedelta(days=1)
    made = report_shop(interactions, make_recipe("rp3beta"), now, seed=1)
    assert (made.chosen, [m.baseline for m in made.models]) == ("rp3beta", [False, True, True])
    assert set(made.over) == {"popularity", "item_cosine"}
    assert made.data_from < made.cutoff < made.data_to
    for model in made.models:
        for name, measure in model.measures.items():
            if measure.value is not None and measure.low is not None:
                assert measure.low <= measure.value <= (measure.high or 0), (model.name, name)
    ours, other = (m.measures["ndcg@10"].value for m in made.models[:2])
    gain = made.over["popularity"]["ndcg@10"].value
    assert ours is not None
    assert other is not None
    assert gain == pytest.approx(ours - other, abs=2e-6)
    again = report_shop(interactions, make_recipe("rp3beta"), now, seed=1)
    assert [m.measures for m in again.models] == [m.measures for m in made.models]


def test_a_handful_of_customers_is_too_few(interactions: Interactions) -> None:
    window = split_by_time(interactions).outer
    few = replace(window, wanted=sp.csr_matrix(window.wanted.shape, dtype=window.wanted.dtype))
    with pytest.raises(NotEnoughData, match="Only 0 customers"):
        cut_dataset(few, np.random.default_rng(0))


def test_reports_are_kept_newest_first(new_demo_folder, monkeypatch) -> None:
    monkeypatch.setattr(reports, "MOST_KEPT", 2)
    with closing(Shop.open(new_demo_folder(), environ={})) as shop:
        assert shop.answers.reports().reports == ()
        end = shop.answers.status().data_to
        assert end is not None
        made = [
            reports.make_report(Shop(shop.settings, shop.store, FixedClock(end + timedelta(n))))
            for n in range(3)
        ]
        (shop.settings.folder / "reports" / "recommender" / "0.json").write_text("{")
        assert shop.answers.reports().reports == (made[2], made[1])
