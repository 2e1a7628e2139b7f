"""New items count once they are described, with exact reasons, alone and in the batch."""

from dataclasses import replace

import numpy as np
import pytest
from tastes_shop import START, check_batch, make_order, make_orders, open_store

from lingxi import catalogue
from lingxi.app.queries.recommendations import Shelf
from lingxi.errors import InvalidInput
from lingxi.recommend import Recommender, scratch
from lingxi.recommend.families import make_recipe
from lingxi.recommend.newcomers import NEAREST, Newcomers
from lingxi.recommend.recipe import Recipe
from lingxi.recommend.stored import read_described
from lingxi.recommend.train import Choice, _write
from lingxi.schema import Item

COSINE = make_recipe("item_cosine", {"k": 10})
BLEND = Recipe(name="blend", parts=(COSINE, make_recipe("als", {"factors": 8})), shares=(1.0, 0.3))


def test_who_stands_in_is_known_before_the_first_answer(shop, monkeypatch):
    store, _, _ = shop
    _put(store, [_describe("new", "garden")])
    recommender = Shelf(store).get()
    monkeypatch.setattr(Newcomers, "_find", lambda *_: pytest.fail("it was not ready"))
    with store.read() as tx:
        assert len(recommender.find_stand_ins(tx, recommender.goods.current(tx))) == 1


class _Undone(Exception):
    pass


def _describe(item_id, taste):
    return Item(item_id=item_id, name=item_id, category=taste, brand=f"{taste} & Co")


def _put(store, items):
    with store.write() as tx:
        catalogue.put_items(store, tx, items, START)


@pytest.fixture(params=[COSINE, BLEND], ids=["operator", "blend"])
def shop(tmp_path, request):
    yield from _open(tmp_path, request.param)


def _open(folder, recipe):
    store = open_store(folder)
    _put(
        store,
        [
            _describe(f"{t}{n}", "garden" if t == "g" else "kitchen")
            for t in "gk"
            for n in range(12)
        ],
    )
    store.log.append(make_orders())
    interactions, descriptions = read_described(store)
    assert interactions.about is descriptions.vectors
    with store.artefacts.write("recommender") as writer:
        _write(writer, interactions, Choice(recipe, COSINE, None), 0)
        descriptions.save(writer)
    yield store, Recommender.load(store), recipe is COSINE
    store.close()


def test_a_new_item_is_recommended_at_once_for_what_is_known_of_its_like(shop):
    store, recommender, _ = shop
    with store.read() as tx:
        before = recommender.recommend(tx, 1, n=24)
    _put(store, [_describe("new-g", "garden"), _describe("new-k", "kitchen")])
    with store.read() as tx:
        found = {one.item_id: one for one in recommender.recommend(tx, 1, n=26, reasons=100)}
        scores = recommender._stand(tx, recommender.goods.current(tx), 1, ()).find_spread()
        stand_ins = recommender.find_stand_ins(tx, recommender.goods)
    assert found["new-g"].model == recommender.name
    assert found["new-g"].score > 0
    assert sum(share for _, share in found["new-g"].because) == pytest.approx(1.0, abs=1e-6)
    assert {cause[0] for cause, _ in found["new-g"].because} == {"g"}
    if "new-k" in found:
        assert found["new-g"].score > found["new-k"].score
    known = dict(zip(scores.items.tolist(), scores.scores.tolist(), strict=True))
    row = stand_ins.shares[[0]]
    assert row.nnz <= NEAREST
    wanted = sum(
        share * max(known.get(at, 0.0), 0.0)
        for at, share in zip(row.indices.tolist(), row.data.tolist(), strict=True)
    )
    assert found["new-g"].score == pytest.approx(wanted, rel=1e-5)
    assert [one.item_id for one in before if one.model == recommender.name] == [
        item_id
        for item_id, one in found.items()
        if one.model == recommender.name and not item_id.startswith("new")
    ]


def test_the_batch_lists_new_items_alike(shop, monkeypatch):
    store, recommender, _ = shop
    _put(store, [_describe("new-g", "garden"), _describe("new-k", "kitchen")])
    store.log.append(
        [make_order(9001, 3, ["new-g", "g1"], 250), make_order(9002, 777, ["new-k"], 251)]
    )
    customers = [1, 2, 3, 9, 777, 55555]
    table = recommender.recommend_all(store, customers, n=20).to_pylist()
    assert {"new-g", "new-k"} <= {row["item_id"] for row in table if row["because"]}
    check_batch(recommender, store, customers, 20)
    monkeypatch.setattr(scratch, "_NARROW", 3)  # as in a large catalogue
    check_batch(recommender, store, customers, 20)


@pytest.mark.parametrize("name", ["popularity", "trending", "new_arrivals"])
def test_a_new_item_has_a_place_where_only_popularity_speaks(tmp_path, name):
    """Asking for such a list failed: what is popular was looked up at a place it does not have."""
    for store, recommender, _ in _open(tmp_path, make_recipe(name)):
        _put(store, [_describe("new-g", "garden")])
        with store.read() as tx:
            found = {one.item_id: one for one in recommender.recommend(tx, 1, n=26)}
        assert (found["new-g"].score, found["new-g"].because) == (0.0, ())  # of itself unknown
        check_batch(recommender, store, [1, 3, 9], 26)


def test_what_is_done_with_a_new_item_counts_and_is_the_reason(shop):
    store, recommender, linear = shop
    _put(store, [_describe("new-g", "garden")])
    store.log.append([make_order(9001, 777, ["new-g"], 250)])
    with store.read() as tx:
        found = recommender.recommend(tx, 777, n=5)
    assert "new-g" not in {one.item_id for one in found}
    if linear:
        assert {one.item_id[0] for one in found if one.because} == {"g"}
        assert {cause for one in found for cause, _ in one.because} == {"new-g"}


def test_a_change_of_the_description_counts_and_one_taken_back_does_not(shop):
    store, recommender, _ = shop
    _put(store, [_describe("new", "garden")])

    def score(tx):
        listed = recommender.recommend(tx, 1, n=25)
        return {one.item_id: one.score for one in listed if one.because}.get("new", 0.0)

    with store.read() as tx:
        first = score(tx)

    def change_for_a_moment():
        with store.write() as tx:
            catalogue.put_items(store, tx, [_describe("new", "kitchen")], START)
            assert score(tx) < first
            raise _Undone

    with pytest.raises(_Undone):
        change_for_a_moment()
    with store.read() as tx:
        assert score(tx) == first
    _put(store, [_describe("new", "kitchen")])
    with store.read() as tx:
        assert score(tx) < first


def test_what_nobody_described_is_nobodys_like(shop):
    store, recommender, _ = shop
    _put(store, [Item(item_id="blank", name="")])
    with store.read() as tx:
        found = recommender.recommend(tx, 1, n=30)
    assert all(one.model == "popularity" for one in found if one.item_id == "blank")


def test_stand_ins_are_the_likest_and_shares_are_as_stated(shop):
    store, recommender, _ = shop
    _put(store, [_describe("new-g", "garden")])
    _, descriptions = read_described(store)
    with store.read() as tx:
        goods = recommender.goods.current(tx)
        found = recommender.find_stand_ins(tx, goods)
    vectors = descriptions.vectors.toarray()
    like = vectors @ descriptions.describe([goods.find("new-g")]).toarray()[0]
    best = np.sort(like)[::-1][:NEAREST]
    np.testing.assert_allclose(
        np.sort(found.shares[[0]].data)[::-1], best**2 / best.sum(), rtol=1e-5
    )
    assert replace(found).n_all == len(goods)


def test_somebody_without_a_history_is_served_from_the_taste_they_told(shop):
    store, recommender, _ = shop
    _put(store, [_describe("new-g", "garden")])

    def plain(found, _goods):
        return found

    with store.read() as tx:
        found = recommender.recommend_to_taste(plain, tx, ["category:Garden"], n=20)
        with pytest.raises(InvalidInput, match="fields are"):
            recommender.recommend_to_taste(plain, tx, ["garden"])
    assert {one.item_id for one in found if one.model == "taste"} == {
        "new-g",
        *[f"g{n}" for n in range(12)],
    }
    assert len(found) == 20
    assert all(one.model == "popularity" for one in found[13:])
