"""Lists: strategies, diversity, exploration; every score is the sum of its causes."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hand_shop import (
    NOW,
    PAST,
    PLAIN,
    SOMEBODY,
    VISITOR,
    ids,
    make_items,
    make_knowledge,
    tell,
    with_rules,
)
from lingxi.recommend.placements.compiled import compile_variant
from lingxi.recommend.placements.context import Met
from lingxi.recommend.placements.defaults import DEFAULTS
from lingxi.recommend.placements.definition import (
    Diversity,
    Do,
    Exploration,
    Filters,
    Rule,
    Strategy,
    Variant,
    Weights,
)
from lingxi.recommend.placements.explain import (
    Explained,
    explain_briefly,
    explain_entry,
    say_step,
    say_why,
)
from lingxi.recommend.placements.file import read_definitions
from lingxi.recommend.placements.listing import Entry, make_list
from lingxi.recommend.placements.scored import Cause
from lingxi.recommend.placements.verdict import Verdict
from lingxi.recommend.placements.why_not import find_standing
from lingxi.recommend.rerank import Method
from lingxi.store.tables import to_micros

ALL = tuple(Strategy)
ON_PAGE = replace(SOMEBODY, item="I04")
SEARCHING = replace(SOMEBODY, candidates=tuple(f"I{at:02d}" for at in range(20, 36)))


@pytest.mark.parametrize("strategy", ALL)
def test_every_strategy_lists_items_whose_causes_sum_to_their_scores(known, make, strategy) -> None:
    context = replace(ON_PAGE, candidates=SEARCHING.candidates, cart=("I01",))
    context = replace(context, promoted={"OFFER0": (90, 7)})
    variant = msgspec.structs.replace(
        PLAIN,
        strategy=strategy,
        filters=Filters(kinds=("product", "offer")),
        fallbacks=(),
        aim=0.8,
        rules=(Rule(name="half", do=Do.BOOST, where="price > 10", by=0.5),),
    )
    listed = make(variant, context)
    assert listed.entries, strategy
    for entry in listed.entries:
        found = explain_entry(known, listed, entry)
        assert sum(cause.value for cause in found.causes) == pytest.approx(found.value, abs=1e-6)
        assert found.value == pytest.approx(entry.value, rel=1e-5)
        assert found.steps[-1].value == pytest.approx(found.value)
        say_why(found, known.table.facts[entry.place].item_id, {})
        for step in found.steps:
            say_step(step)


@pytest.mark.parametrize("model", ["rp3beta", "item_cosine", "user_cosine"])
def test_the_sentence_says_the_same_share_with_and_without_all_causes(make, model) -> None:
    known = make_knowledge(make_items(), model)
    listed = make(
        msgspec.structs.replace(PLAIN, aim=0.8), replace(SOMEBODY, customer=1007), over=known
    )
    many = 0
    for entry, brief in zip(listed.entries, explain_briefly(known, listed, 2), strict=True):
        found = explain_entry(known, listed, entry)
        item_id = known.table.facts[entry.place].item_id
        said, told = say_why(brief, item_id, {}), say_why(found, item_id, {})
        assert said.code == told.code
        for name, value in told.params.items():
            same = pytest.approx(value, rel=1e-5) if isinstance(value, float) else value
            assert said.params[name] == same
        many += told.code == "placement.why.history_two" and len(found.causes) > 2
    assert many


def test_a_cause_of_nought_percent_is_not_named() -> None:
    """ "Because of Mug (98 % of the score) and Shampoo (0 %)"."""
    entry = Entry(0, Strategy.PERSONAL, 1.0, 1.0)
    for value, code in ((0.004, "placement.why.history"), (0.006, "placement.why.history_two")):
        causes = (Cause("history", "A", 1.0 - value), Cause("history", "B", value))
        told = say_why(Explained(entry, 1.0, causes, (), support=1.0), "C", {})
        assert told.code == code


@pytest.mark.parametrize("model", ["rp3beta", "item_cosine", "user_cosine"])
def test_taking_an_item_out_lowers_a_score_by_its_share_through_boosts(make, model) -> None:
    known = make_knowledge(make_items(), model)
    boost = Rule(name="more", do=Do.BOOST, where="brand == 'brand 1'", by=3.0)
    variant = with_rules(boost, base=msgspec.structs.replace(PLAIN, aim=1.0, n=20))
    context = replace(SOMEBODY, customer=1007)
    whole = make(variant, context, over=known)
    without = replace(context, past={k: v for k, v in PAST.items() if k != "I08"})
    rest = make(variant, without, over=known)
    values = {entry.place: entry for entry in rest.entries}
    checked = 0
    for entry in whole.entries:
        found = explain_entry(known, whole, entry)
        lost = sum(cause.value for cause in found.causes if cause.item_id == "I08")
        if entry.strategy is not Strategy.PERSONAL or entry.place not in values:
            continue
        if model.startswith("user") and values[entry.place].strategy is not Strategy.PERSONAL:
            continue
        if not model.startswith("user"):  # a user-kNN's neighbours change with the history
            assert values[entry.place].value == pytest.approx(found.value - lost, rel=1e-5)
        assert lost >= 0
        checked += 1
    assert checked >= 3


def test_a_session_without_a_profile_is_served(known, make) -> None:
    context = replace(VISITOR, history=("I04", "I12"))
    listed = make(PLAIN, context)
    assert listed.entries[0].strategy is Strategy.PERSONAL
    causes = explain_entry(known, listed, listed.entries[0]).causes
    assert {cause.item_id for cause in causes} <= {"I04", "I12"}
    assert make(PLAIN, VISITOR).entries[0].strategy is Strategy.POPULAR


def test_fallbacks_fill_what_the_strategy_leaves_empty(known, make) -> None:
    variant = msgspec.structs.replace(
        PLAIN, strategy=Strategy.AGAIN, fallbacks=(Strategy.RECENT, Strategy.POPULAR)
    )
    listed = make(variant)
    assert [entry.strategy for entry in listed.entries][:3] == [
        Strategy.AGAIN,
        Strategy.AGAIN,
        Strategy.RECENT,
    ]
    assert len(set(ids(known, listed))) == 8


def test_a_category_page_keeps_to_its_category(make) -> None:
    for category in ("Mugs", "Home > Mugs"):
        listed = make(DEFAULTS["category"], replace(SOMEBODY, category=category))
        assert listed.entries
        assert all(entry.place % 4 == 2 for entry in listed.entries)
    assert not make(DEFAULTS["category"], replace(SOMEBODY, category="Hats")).entries


def test_a_search_keeps_to_what_was_found_and_moves_it_by_taste(known, make) -> None:
    plain = msgspec.structs.replace(DEFAULTS["search"], personal_share=0.0)
    assert ids(known, make(plain, SEARCHING)) == list(SEARCHING.candidates)
    moved = ids(known, make(DEFAULTS["search"], SEARCHING))
    assert sorted(moved) == sorted(SEARCHING.candidates)
    assert moved != list(SEARCHING.candidates)
    assert make(DEFAULTS["search"], replace(SEARCHING, candidates=())).entries == ()


def test_offers_have_a_placement_of_their_own(known, make) -> None:
    mugs = replace(VISITOR, history=("I02", "I06"))
    listed = make(DEFAULTS["offers"], mugs)
    assert set(ids(known, listed)) == {"OFFER0", "OFFER1"}
    rugs = replace(VISITOR, history=("I01", "I05"))
    assert ids(known, make(DEFAULTS["offers"], rugs))[0] == "OFFER1"
    assert not any(
        i.startswith("OFFER") for i in ids(known, make(msgspec.structs.replace(PLAIN, n=40)))
    )


def test_complementary_items_are_of_other_categories(make) -> None:
    context = replace(VISITOR, item="I04")
    variant = msgspec.structs.replace(PLAIN, strategy=Strategy.COMPLEMENTARY, fallbacks=(), n=20)
    places = [entry.place for entry in make(variant, context).entries]
    assert places
    assert all(place % 4 != 0 for place in places)
    together = make(msgspec.structs.replace(variant, strategy=Strategy.TOGETHER), context)
    assert any(entry.place % 4 == 0 for entry in together.entries)


def test_an_item_new_to_the_model_has_similar_ones_by_content(make) -> None:
    context = replace(VISITOR, item="I38")
    listed = make(DEFAULTS["product_similar"], context)
    assert listed.entries[0].place % 4 == 38 % 4
    assert listed.entries[0].strategy is Strategy.SIMILAR


def test_diversity_says_what_it_cost(known, make) -> None:
    plain = make(PLAIN)
    varied = make(
        msgspec.structs.replace(PLAIN, diversity=Diversity(method=Method.MMR, strength=0.6))
    )
    assert plain.loss == 0
    kept = sum(e.value for e in varied.entries) / sum(e.value for e in plain.entries)
    assert varied.loss == pytest.approx(1 - kept)
    assert varied.loss > 0
    moved = [entry for entry in varied.entries if entry.moved]
    assert {e.place for e in moved} == {e.place for e in varied.entries} - {
        e.place for e in plain.entries
    }
    dropped = next(
        e.place for e in plain.entries if e.place not in {x.place for x in varied.entries}
    )
    item_id = known.table.facts[dropped].item_id
    assert find_standing(known, varied, item_id).verdict is Verdict.VARIED


def test_exploration_changes_only_its_places_and_states_its_chances(known, make) -> None:
    variant = msgspec.structs.replace(
        PLAIN, exploration=Exploration(share=0.25, first_position=3, pool=10)
    )
    best = ids(known, make(PLAIN))
    epsilon = 0.25 * 8 / 6
    for seed in range(30):
        listed = make(variant, seed=seed)
        for position, (entry, item_id) in enumerate(
            zip(listed.entries, ids(known, listed), strict=True)
        ):
            if entry.explored:
                assert position >= 2
                assert entry.propensity == pytest.approx(epsilon / 10)
                assert item_id not in best
            else:
                assert item_id == best[position]
                assert entry.propensity == pytest.approx(1 if position < 2 else 1 - epsilon)
        assert make(variant, seed=seed).entries == listed.entries


def test_weights_of_events_change_what_counts(known, make) -> None:
    looked = msgspec.structs.replace(PLAIN, weights=Weights(view=5.0, cart=0.0, order=0.0))
    listed = make(looked)
    causes = {
        c.item_id
        for e in listed.entries
        for c in explain_entry(known, listed, e).causes
        if c.item_id
    }
    assert causes == {"I00", "I05"}  # I08 was bought and never looked at


strategies = st.sampled_from(ALL)


@settings(max_examples=40, deadline=None)
@given(
    strategy=strategies,
    fallbacks=st.lists(strategies, max_size=3).map(tuple),
    n=st.integers(1, 20),
    share=st.sampled_from([0.0, 0.3]),
    strength=st.sampled_from([0.0, 0.5]),
    cap=st.integers(0, 2),
    context=st.sampled_from(
        [SOMEBODY, VISITOR, ON_PAGE, SEARCHING, replace(VISITOR, cart=("I01", "x"))]
    ),
    seed=st.integers(0, 5),
)
def test_any_list_is_whole(
    known, strategy, fallbacks, n, share, strength, cap, context, seed
) -> None:
    variant = Variant(
        strategy=strategy,
        fallbacks=fallbacks,
        n=n,
        diversity=Diversity(strength=strength, most_per_brand=cap),
        exploration=Exploration(share=share, pool=12),
    )
    compiled = compile_variant(variant, (), context, known.table)
    listed = make_list(known, variant, compiled, context, np.random.default_rng(seed))
    places = [entry.place for entry in listed.entries]
    assert len(places) == len(set(places)) <= n
    assert all(compiled.open[place] and listed.own.find(place) is None for place in places)
    assert all(0 < entry.propensity <= 1 for entry in listed.entries)
    assert listed.log_propensity <= 1e-12
    for place in range(len(known.table)):
        standing = find_standing(known, listed, known.table.facts[place].item_id)
        assert (standing.verdict is Verdict.SHOWN) == (place in places)
        assert standing.sentences


def test_every_built_in_placement_makes_a_list(make) -> None:
    for name, placement in read_definitions("").placements.items():
        context = replace(
            ON_PAGE, candidates=SEARCHING.candidates, past=PAST | {"I09": Met(1, 0, 0, NOW)}
        )
        listed = make(placement, replace(context, category="Mugs" if name == "category" else None))
        assert listed.entries, name


@pytest.mark.parametrize("weights", [Weights(), Weights(view=3.0, order=0.5)])
@pytest.mark.parametrize("context", [SOMEBODY, ON_PAGE, replace(SOMEBODY, history=("I05", "I07"))])
def test_the_rows_of_the_profile_say_the_same(known, make, context, weights) -> None:
    rows = [
        (item_id, met.views, met.carts, met.orders, to_micros(met.last_at))
        for item_id, met in PAST.items()
    ]
    variant = msgspec.structs.replace(PLAIN, weights=weights)
    slow, fast = make(variant, context), make(variant, replace(context, told=tell(known, *rows)))
    assert [entry.place for entry in fast.entries] == [entry.place for entry in slow.entries]
    for one, other in zip(fast.entries, slow.entries, strict=True):
        assert one.value == pytest.approx(other.value, rel=1e-6)
        causes = [
            explain_entry(known, listed, entry).causes
            for listed, entry in ((fast, one), (slow, other))
        ]
        assert [c.item_id for c in causes[0]] == [c.item_id for c in causes[1]]


@pytest.mark.parametrize("context", [SOMEBODY, ON_PAGE, SEARCHING])
def test_the_quick_way_and_the_plain_way_make_the_same_list(make, context) -> None:
    quick, plain = make_knowledge(make_items()), make_knowledge(make_items(), quick=False)
    for strategy in (Strategy.PERSONAL, Strategy.SIMILAR, Strategy.QUERY):
        variant = msgspec.structs.replace(PLAIN, strategy=strategy)
        fast, slow = make(variant, context, over=quick), make(variant, context, over=plain)
        assert [e.place for e in fast.entries] == [e.place for e in slow.entries]
        for one, other in zip(fast.entries, slow.entries, strict=True):
            assert one.value == pytest.approx(other.value, rel=1e-6)
            causes = [
                explain_entry(mine, lst, e).causes
                for mine, lst, e in ((quick, fast, one), (plain, slow, other))
            ]
            assert [c.item_id for c in causes[0]] == [c.item_id for c in causes[1]]
