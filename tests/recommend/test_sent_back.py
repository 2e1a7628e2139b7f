"""What a customer sent back is not recommended again, even if its order is older than the log."""

from datetime import timedelta

import pytest
from tastes_shop import GARDEN, START, check_batch, make_order, make_orders, open_store

from lingxi.i18n import Sentence
from lingxi.profiles.read import CountColumns
from lingxi.recommend import Recommender, RuleSettings
from lingxi.recommend.families import make_recipe
from lingxi.recommend.interactions import read_interactions
from lingxi.recommend.item_table import build_table
from lingxi.recommend.kept import Told
from lingxi.recommend.placements.bars import Reason, bar_own
from lingxi.recommend.placements.context import Context, LazyPast
from lingxi.recommend.placements.definition import Filters, Variant
from lingxi.recommend.recommender import KIND
from lingxi.recommend.train import Choice, _write
from lingxi.schema import Event, Item, Line

USUAL = RuleSettings()
BUYER, STRANGER, BACK = 901, 902, "g5"


def _send_back(subject):
    moment = START + timedelta(days=210)
    return Event(
        event_id=f"refund-{subject}",
        name="Order Refunded",
        occurred_at=moment,
        received_at=moment,
        subject=subject,
        amount_cents=100,
        lines=(Line(item_id=BACK, price_cents=100, amount_cents=100),),
    )


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = open_store(tmp_path_factory.mktemp("sent_back"))
    store.log.append([*make_orders(), make_order(9000, BUYER, ["g1", "g2"], 205)])
    with store.analytics() as analytics:
        interactions = read_interactions(analytics)
    recipe = make_recipe("item_cosine", {"k": 50})
    with store.artefacts.write(KIND) as writer:
        _write(writer, interactions, Choice(recipe, recipe, Sentence("recommend.why.best")), 0)
    yield store
    store.close()


def _list(store, customer, rules=USUAL):
    with store.read() as tx:
        recommender = Recommender.load(store)
        return [one.item_id for one in recommender.recommend(tx, customer, n=24, rules=rules)]


def test_it_leaves_every_list_and_counts_for_nothing(store):
    before = _list(store, BUYER)
    assert BACK in before
    popular = _list(store, STRANGER)
    store.log.append([_send_back(BUYER), _send_back(STRANGER)])
    assert _list(store, BUYER) == [item for item in before if item != BACK]
    assert _list(store, STRANGER) == [item for item in popular if item != BACK]
    later = RuleSettings(repurchase_after=timedelta(days=1), now=START + timedelta(days=299))
    assert BACK not in _list(store, BUYER, later)
    assert BACK in _list(store, BUYER, RuleSettings(off=frozenset({"already_bought"})))


@pytest.mark.parametrize("quick", [True, False])
def test_batch_lists_are_those_of_one_at_a_time(store, quick):
    store.log.append([_send_back(BUYER), _send_back(STRANGER)])  # once: the log knows them
    recommender = Recommender.load(store)
    if not quick:
        recommender._quick = recommender._quick_visitor = None
    check_batch(recommender, store, [BUYER, STRANGER], 24)
    rows = recommender.recommend_all(store, [BUYER, STRANGER], n=24).to_pylist()
    assert BACK not in {row["item_id"] for row in rows}
    assert {row["model"] for row in rows if row["customer"] == STRANGER} == {"popularity"}


def test_a_placement_hides_it_with_what_was_bought():
    table = build_table(GARDEN, [Item(item_id=item) for item in GARDEN], n_known=len(GARDEN))
    rows = [("g1", 0, 0, 1, 10**15), (BACK, 0, 0, 0, 0)]
    told = Told.read(CountColumns.of(rows), table.index, table.n_known)
    past = LazyPast(told.columns)
    assert set(past) == {"g1"}
    assert len(past) == 1
    context = Context(START, past=past, told=told)
    hidden = bar_own(Variant(filters=Filters()), context, table)
    places = sorted((table.index["g1"], table.index[BACK]))
    assert hidden.places.tolist() == places
    assert [hidden.find(place) for place in places] == [Reason.BOUGHT] * 2
    shown = bar_own(Variant(filters=Filters(hide_bought=False)), context, table)
    assert not len(shown.places)
    assert shown.find(places[0]) is None
