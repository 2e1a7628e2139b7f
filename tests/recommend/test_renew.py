"""A renewal stores what a full refit of the same recipe would, whatever came in or went."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tastes_shop import GARDEN, make_order, make_orders, open_store

from lingxi.errors import Conflict, NotTrained
from lingxi.i18n import Sentence
from lingxi.recommend import Recommender
from lingxi.recommend.earlier import Earlier, mark_items
from lingxi.recommend.families import make_recipe
from lingxi.recommend.interactions import from_table
from lingxi.recommend.matrix import densify
from lingxi.recommend.ratings import read_ratings
from lingxi.recommend.recipe import Recipe
from lingxi.recommend.recommender import Held
from lingxi.recommend.renew import is_renewable, renew_recommender
from lingxi.recommend.renewal import update_neighbours
from lingxi.recommend.similarity import find_neighbours
from lingxi.recommend.stored import read_described, write_models
from lingxi.recommend.train import Choice, _write
from lingxi.store import Artefact, ArtefactWriter, Manifest, silent
from lingxi.store.files import hash_file

START = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = ("Product Viewed", "Product Added", "Order Completed")
EVENTS = st.lists(
    st.tuples(
        st.integers(-2, 6),  # below 0: a basket of nobody
        st.sampled_from("abcdefgh"),
        st.integers(0, 2),
        st.integers(0, 40),
    ),
    min_size=1,
    max_size=40,
)
KNN = make_recipe("item_cosine", {"k": 2, "taught_half_life": 5.0})
VISITORS = make_recipe("item_jaccard", {"k": 3, "shrinkage": 1.0, "taught_half_life": 9.0})
BLEND = Recipe(name="blend", parts=(KNN, make_recipe("rp3beta")), shares=(1.0, 0.5))
LEARNED = Recipe(name="learned", parts=(VISITORS, KNN), shares=(1.0, 0.5, 0.1, 0.2, 0.3, -0.1))


def _gather(events):
    rows = []
    for position, (who, item, kind, day) in enumerate(events):
        order = f"o{who}-{day}" if kind == 2 or who < 0 else None
        name = "Order Completed" if who < 0 else NAMES[kind]
        at, customer = START + timedelta(days=day), None if who < 0 else who
        rows.append((position, customer, order if who < 0 else None, item, name, at, order))
    names = ("position", "customer", "basket", "item_id", "name", "occurred_at", "order_id")
    kinds = (pa.int64(), pa.int64(), pa.string(), pa.string(), pa.string())
    kinds = (*kinds, pa.timestamp("us", "UTC"), pa.string())
    columns = zip(*rows, strict=True)
    arrays = [pa.array(list(c), kind) for c, kind in zip(columns, kinds, strict=True)]
    return from_table(pa.table(arrays, names=list(names)))


def _store(folder, interactions, recipes, earlier=None):
    """A version as training writes it, without waiting for the disk."""
    folder.mkdir()
    writer = ArtefactWriter(folder)
    write_models(writer, interactions, recipes, earlier=earlier)
    files = {path.name: hash_file(path) for path in folder.iterdir()}
    return Artefact(folder, Manifest(files=files))


def _read_arrays(artefact):
    names = sorted(name for name in artefact.manifest.files if name.endswith(".npy"))
    return {name: np.array(artefact.load_array(name[:-4])) for name in names}


def _assert_same(renewed, full):
    mine, other = _read_arrays(renewed), _read_arrays(full)
    assert mine.keys() == other.keys()
    for name, values in mine.items():
        np.testing.assert_allclose(values, other[name], rtol=1e-6, atol=1e-11, err_msg=name)


@settings(max_examples=12, deadline=None)
@given(
    old=EVENTS,
    new=EVENTS,
    gone=st.sets(st.integers(0, 39), max_size=3),
    recipes=st.sampled_from([(KNN, VISITORS), (BLEND, VISITORS), (LEARNED, KNN)]),
)
def test_a_renewal_equals_a_full_refit(tmp_path_factory, old, new, gone, recipes):
    """Events come in, and some are taken away again: an erasure, an order put right."""
    folder = tmp_path_factory.mktemp("renew")
    first = _gather(old)
    before = _store(folder / "before", first, recipes)
    now = _gather([event for at, event in enumerate(old) if at not in gone] + new)
    earlier = Earlier.read(before, first.item_ids, now.item_ids, mark_items(now))
    renewed = _store(folder / "renewed", now, recipes, earlier)
    _assert_same(renewed, _store(folder / "full", now, recipes))


@settings(max_examples=30, deadline=None)
@given(
    table=st.lists(st.lists(st.sampled_from([0, 0, 1, 2]), min_size=7, max_size=7), min_size=9),
    changed=st.sets(st.integers(0, 8), min_size=1, max_size=4),
    fresh=st.lists(st.lists(st.integers(0, 2), min_size=7, max_size=7), min_size=4, max_size=4),
    k=st.integers(1, 4),
    similarity=st.sampled_from(["cosine", "jaccard", "pearson"]),
    shrinkage=st.sampled_from([0.0, 2.0]),
)
def test_neighbours_after_a_change_are_those_of_a_comparison_of_all(
    table, changed, fresh, k, similarity, shrinkage
):
    before, after = np.array(table), np.array(table)
    for row, values in zip(sorted(changed), fresh, strict=False):
        after[row] = values
    mask = (before != after).any(axis=1)
    near = find_neighbours(read_ratings(before), k, similarity, shrinkage=shrinkage)
    rows = read_ratings(after)
    found = update_neighbours(rows, near, mask, k, similarity, shrinkage=shrinkage)
    wanted = find_neighbours(rows, k, similarity, shrinkage=shrinkage)
    np.testing.assert_array_equal(densify(found), densify(wanted))


def test_a_mark_tells_any_change_of_an_item_and_nothing_else():
    events = [(1, "a", 2, 3), (2, "a", 0, 4), (2, "b", 0, 4), (-1, "c", 2, 5), (-1, "d", 2, 5)]
    marks = dict(zip("abcd", mark_items(_gather(events)).tolist(), strict=True))

    def find_changed(others):
        found = _gather(others)
        pairs = zip(found.item_ids, mark_items(found).tolist(), strict=True)
        return {item_id for item_id, mark in pairs if marks.get(item_id) != mark}

    assert find_changed(events[::-1]) == set()
    assert find_changed([*events, (3, "e", 0, 1)]) == {"e"}
    assert find_changed([*events, (3, "a", 0, 1)]) == {"a"}
    assert find_changed([(1, "a", 1, 3), *events[1:]]) == {"a"}, "another kind"
    assert find_changed([(1, "a", 2, 2), *events[1:]]) == {"a"}, "another moment"
    assert find_changed([(4, "a", 2, 3), *events[1:]]) == {"a"}, "somebody else"
    assert find_changed([*events[:4], (-1, "e", 2, 5)]) == {"c", "e"}, "another basket"


def test_items_that_did_not_change_are_not_compared_again(tmp_path, monkeypatch):
    """Two separate tastes: an order of the one leaves the other's items alone."""
    old = [(n, item, 2, n) for n in range(4) for item in "ab"]
    old += [(10 + n, item, 2, n) for n in range(4) for item in "efgh"]
    before = _store(tmp_path / "before", _gather(old), (KNN, KNN))
    now = _gather([*old, (6, "a", 2, 30)])
    earlier = Earlier.read(before, _gather(old).item_ids, now.item_ids, mark_items(now))
    assert earlier.changed.tolist() == [True] + [False] * 5
    compared = []
    known = update_neighbours.__globals__["compare_rows"]

    def compare(rows, similarity, shrinkage, only):
        compared.append(only.tolist())
        return known(rows, similarity, shrinkage, only)

    monkeypatch.setattr("lingxi.recommend.renewal.compare_rows", compare)
    renewed = _store(tmp_path / "renewed", now, (KNN, KNN), earlier)
    assert compared == [[0]]
    monkeypatch.undo()
    _assert_same(renewed, _store(tmp_path / "full", now, (KNN, KNN)))


def test_a_version_without_marks_gives_nothing_to_take_over(tmp_path):
    marks = np.zeros(1, dtype=np.uint64)
    assert Earlier.read(Artefact(tmp_path, Manifest()), ["a"], ["a"], marks) is None


@pytest.fixture
def chosen(tmp_path):
    """A shop whose recommender is item-based neighbours, chosen from its first orders."""
    store = open_store(tmp_path)
    store.log.append(make_orders())
    interactions, descriptions = read_described(store)
    choice = Choice(KNN, VISITORS, Sentence("recommend.why.best"))
    with store.artefacts.write("recommender") as writer:
        _write(writer, interactions, choice, store.log.position(), descriptions)
    yield store
    store.close()


def test_renewing_a_shop_counts_who_and_what_is_new_and_keeps_the_choice(chosen):
    before = chosen.artefacts.current("recommender").manifest
    assert before.extra["refit"] == "full"
    chosen.log.append([make_order(9000, 500, ["new", "newer"], 201)])
    chosen.log.append([make_order(9001, 501, ["new", "newer", GARDEN[0]], 201)])
    renewed = renew_recommender(chosen, chosen.settings, silent)
    assert renewed.chosen == before.chosen == "item_cosine"
    assert renewed.why == before.why
    assert renewed.events == chosen.log.position() > before.events
    assert renewed.data_to > before.data_to
    said = {key: renewed.extra[key] for key in ("refit", "renewals", "chosen_version")}
    assert said == {"refit": "renewal", "renewals": 1, "chosen_version": before.version}
    assert renewed.extra["items_changed"] == 3
    recommender = Recommender.load(chosen)
    assert [one.item_id for one in recommender.bought_together("new")] == ["newer"]
    assert recommender.similar("new")[0].item_id == "newer"
    with chosen.artefacts.write("other") as writer:
        interactions, descriptions = read_described(chosen)
        write_models(writer, interactions, (KNN, VISITORS), descriptions)
    full = chosen.artefacts.current("other")
    _assert_same(chosen.artefacts.current("recommender"), full)


def test_renewals_leave_the_choice_and_one_renewal_to_go_back_to(chosen):
    versions = []
    for number in range(3):
        chosen.log.append([make_order(9000 + number, 500 + number, GARDEN[:3], 201)])
        versions.append(renew_recommender(chosen, chosen.settings, silent))
    kept = [each.version for each in chosen.artefacts.list("recommender")]
    assert kept == [versions[2].version, versions[1].version, "000001"]
    assert versions[2].extra["renewals"] == 3
    assert versions[2].extra["chosen_version"] == "000001"


def test_what_cannot_be_renewed_is_said(tmp_path):
    assert not is_renewable(Recipe(name="blend", parts=(KNN, make_recipe("transformer"))))
    store = open_store(tmp_path)
    with pytest.raises(NotTrained, match="lingxi train"):
        renew_recommender(store, store.settings, silent)
    with store.artefacts.write("recommender") as writer:
        writer.save_json("recommender", Held(make_recipe("transformer"), VISITORS, ("a",)))
    with pytest.raises(Conflict, match="learns it anew"):
        renew_recommender(store, store.settings, silent)
    store.close()
