"""Training and serving on a small shop with two tastes: garden items and kitchen items."""

from contextlib import contextmanager
from datetime import timedelta

import pytest
from tastes_shop import (
    CUSTOMERS,
    START,
    check_batch,
    make_order,
    make_orders,
    open_store,
)

from lingxi import catalogue, profiles
from lingxi.errors import InvalidInput, NotEnoughData, NotTrained
from lingxi.i18n import Translator
from lingxi.recommend import Recommender, RuleSettings, batch, scratch, train_recommenders
from lingxi.recommend.bench import Trial
from lingxi.recommend.families import FAMILIES, make_recipe
from lingxi.recommend.interactions import read_interactions
from lingxi.recommend.train import Choice, _write
from lingxi.recommend.trials import best_of
from lingxi.schema import Event, Item, Line
from lingxi.store import silent


def _view(number, subject, item, day):
    moment = START + timedelta(days=day)
    return Event(
        event_id=f"view-{number}",
        name="Product Viewed",
        occurred_at=moment,
        received_at=moment,
        subject=subject,
        lines=(Line(item_id=item),),
    )


class _Undo(Exception):
    pass


@contextmanager
def _undone(store):
    """A write transaction that leaves nothing behind."""
    try:
        with store.write() as tx:
            yield tx
            raise _Undo
    except _Undo:
        return


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    store = open_store(tmp_path_factory.mktemp("tastes"))
    store.log.append(make_orders())
    train_recommenders(store, store.settings, store.clock, silent)
    yield store
    store.close()


@pytest.fixture(scope="module")
def recommender(trained):
    return Recommender.load(trained)


def _is_whole(one):
    """All shares sum to 1, whatever speaks against the item as well."""
    return abs(sum(share for _, share in one.because) - 1) < 1e-6


def _taste(found):
    return {one.item_id[0] for one in found if one.because}


def test_training_reports_every_model_beside_popularity_on_a_window_it_did_not_choose_on(trained):
    manifest = trained.artefacts.current("recommender").manifest
    names = [c.name for c in manifest.candidates]
    assert names == [name for name in FAMILIES if name in names]  # the simpler first
    assert len(names) >= 4
    assert [c.name for c in manifest.candidates if c.chosen] == [manifest.chosen]
    assert [c.name for c in manifest.candidates if c.baseline] == ["popularity"]
    assert manifest.chosen != "popularity"  # two tastes: whoever knows the taste wins
    inner, outer = manifest.cutoffs
    assert inner < outer < manifest.data_to
    measures = {m.metric: m for c in manifest.candidates if c.chosen for m in c.measures}
    assert measures["ndcg@10_over_popularity"].low > 0
    assert measures["recall@10"].low <= measures["recall@10"].value <= measures["recall@10"].high
    for language in ("en", "zh"):
        assert "%" in Translator(language).text(manifest.why)


def test_a_customer_gets_new_items_of_their_taste_with_reasons(trained, recommender):
    with trained.read() as tx:
        asked = 0
        for customer in range(1, CUSTOMERS + 1):
            had = {entry.item_id for entry in profiles.read_history(tx, customer, 100)}
            if not 2 <= len(had) <= 6:
                continue
            asked += 1
            found = recommender.recommend(tx, customer, n=3, reasons=100)
            assert len(found) == 3
            assert not had & {one.item_id for one in found}
            assert _taste(found) == {"g" if customer % 2 else "k"}
            for one in found:
                assert _is_whole(one)
                assert {item for item, _ in one.because} <= had
        assert asked > 10


def test_an_event_counts_in_the_same_transaction(trained, recommender):
    with _undone(trained) as tx:
        before = recommender.recommend(tx, 9001, n=4)
        assert {one.model for one in before} == {"popularity"}
        trained.log.append([_view(1, 9001, "k3", 210)], tx=tx)
        after = recommender.recommend(tx, 9001, n=4)
        assert after[0].because == (("k3", 1.0),)
        assert _taste(after) == {"k"}


def test_a_visitor_gets_what_is_popular_then_what_one_click_says(trained, recommender):
    with trained.read() as tx:
        popular = recommender.recommend(tx, None, n=5)
        assert all(one.model == "popularity" and not one.because for one in popular)
        scores = [one.score for one in popular]
        assert scores == sorted(scores, reverse=True)
        assert scores[0] == 1.0
        clicked = recommender.recommend(tx, None, n=5, history=["g2", "no such item"])
        assert "g2" not in {one.item_id for one in clicked}
        assert _taste(clicked) == {"g"}
        assert recommender.recommend(tx, None, n=5, history=["no such item"]) == popular


def test_lists_are_filled_up_without_repeats_as_far_as_the_catalogue_goes(trained, recommender):
    with trained.read() as tx:
        for customer in (None, 1, 2, 77777):
            found = [one.item_id for one in recommender.recommend(tx, customer, n=50)]
            had = profiles.read_history(tx, customer, 100) if customer else []
            assert len(found) == len(set(found)) == 24 - len(had)
        with pytest.raises(InvalidInput, match="at least 1"):
            recommender.recommend(tx, 1, n=0)


def test_rules_keep_items_out_by_name(trained, recommender):
    with _undone(trained) as tx:
        first, second, third, *_ = [one.item_id for one in recommender.recommend(tx, 1, n=5)]
        catalogue.put_items(
            trained,
            tx,
            [
                Item(item_id=first, name="a", price_cents=100, stock=0),
                Item(item_id=second, name="b", price_cents=100, active=False),
                Item(item_id=third, name="c", price_cents=0),
            ],
            START,
        )
        found = {one.item_id for one in recommender.recommend(tx, 1, n=50)}
        assert not found & {first, second, third}
        without = RuleSettings(off=frozenset({"out_of_stock"}))
        assert recommender.recommend(tx, 1, n=1, rules=without)[0].item_id == first
        had = {entry.item_id for entry in profiles.read_history(tx, 1, 100)}
        again = RuleSettings(repurchase_after=timedelta(days=20), now=START + timedelta(days=300))
        assert had <= {one.item_id for one in recommender.recommend(tx, 1, n=50, rules=again)}


def test_the_batch_gives_the_same_lists_as_one_at_a_time(trained, recommender, monkeypatch):
    customers = [*range(1, CUSTOMERS + 1), 55555]
    check_batch(recommender, trained, customers, 4)
    monkeypatch.setattr(batch, "_MOST_ROWS", 7)  # and in whatever blocks
    check_batch(recommender, trained, customers[::3], 30)


def test_bought_together_counts_orders_confidence_and_lift(recommender):
    baskets = [{line.item_id for line in event.lines} for event in make_orders()]
    with_g1 = [basket for basket in baskets if "g1" in basket]
    for pair in recommender.bought_together("g1", 5):
        both = sum(pair.item_id in basket for basket in with_g1)
        share = sum(pair.item_id in basket for basket in baskets) / len(baskets)
        assert pair.orders == both
        assert pair.confidence == pytest.approx(both / len(with_g1))
        assert pair.lift == pytest.approx(both / len(with_g1) / share)
    assert recommender.bought_together("no such item", 5) == ()
    assert {one.item_id[0] for one in recommender.similar("g1", 5)} == {"g"}
    assert recommender.similar("no such item", 5) == ()


_ELSEWHERE = ("item_adjusted_cosine", "transformer")
KNOWN = [
    name
    for name, family in FAMILIES.items()
    if name not in _ELSEWHERE
    and not (family.repeats or family.composed or family.described or family.grouped)
]


@pytest.mark.parametrize("name", KNOWN)
def test_every_model_can_be_kept_loaded_and_served(tmp_path, name, monkeypatch):
    store = open_store(tmp_path)
    store.log.append(make_orders())
    with store.analytics() as analytics:
        interactions = read_interactions(analytics)
    visitor = make_recipe("item_cosine", {"k": 10})
    choice = Choice(
        make_recipe(name, {"k": 10} if "k" in FAMILIES[name].defaults else {}), visitor, None
    )
    with store.artefacts.write("recommender") as writer:
        _write(writer, interactions, choice, 0)
    recommender = Recommender.load(store)
    check_batch(recommender, store, [1, 2, 3, 9, 55555], 9)
    monkeypatch.setattr(scratch, "_NARROW", 3)  # as in a large catalogue, of which a history
    monkeypatch.setattr(scratch, "_SPARSE", 0)  # touches little
    check_batch(recommender, store, [1, 2, 3, 9, 55555], 9)
    with store.read() as tx:
        found = recommender.recommend(tx, 1, n=3, reasons=100)
    same_for_all = name in ("popularity", "trending", "new_arrivals")
    assert {one.model for one in found} == {"popularity" if same_for_all else name}
    if not same_for_all:
        assert _taste(found) == {"g"}
        assert all(_is_whole(one) for one in found)
    if name.startswith(
        "user"
    ):  # their own row teaches others, never themselves; erasure empties it
        row = recommender.rows[1]
        assert row in recommender.rows.values()
        store.forget(frozenset({1}))
        erased = Recommender.load(store)
        assert 1 not in erased.rows
        assert erased.model.scorer._rows[[row]].nnz == 0
    store.close()


def test_too_little_data_falls_back_on_popularity_and_says_why(tmp_path):
    store = open_store(tmp_path)
    with pytest.raises(NotTrained, match="lingxi train"):
        Recommender.load(store)
    with pytest.raises(NotEnoughData, match="no orders"):
        train_recommenders(store, store.settings, store.clock, silent)
    store.log.append([make_order(n, n + 1, ["g1", "g2"], n) for n in range(5)])
    manifest = train_recommenders(store, store.settings, store.clock, silent)
    assert (manifest.chosen, manifest.why.code) == ("popularity", "recommend.why.short_span")
    assert "4 days" in Translator("en").text(manifest.why)
    with store.read() as tx:
        assert Recommender.load(store).recommend(tx, 99, n=1)[0].model == "popularity"
    store.log.append([make_order(100 + n, n + 1, ["g1"], 100 + n) for n in range(50)])
    manifest = train_recommenders(store, store.settings, store.clock, silent)
    assert manifest.why.code == "recommend.why.few_customers"
    store.close()


def test_of_equal_models_the_simpler_is_chosen():
    trials = [Trial(make_recipe(name), 0.2) for name in KNOWN]
    assert best_of(trials).recipe.name == "popularity"
    trials.append(Trial(make_recipe("user_pearson"), 0.3))
    assert best_of(trials).recipe.name == "user_pearson"
    assert best_of([]) is None
