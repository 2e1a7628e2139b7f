"""Lists: strategies, rules, pins, caps, exploration; every score is the sum of its causes."""

from dataclasses import replace
from datetime import timedelta

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hand_shop import (
    NOW,
    PAST,
    SOMEBODY,
    VISITOR,
    change,
    ids,
    make_item,
    make_items,
    make_knowledge,
)
from lingxi.recommend.placements.bars import Reason
from lingxi.recommend.placements.compiled import compile_variant
from lingxi.recommend.placements.context import Context, Met
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
from lingxi.recommend.placements.explain import StepKind, explain_entry, say_step, say_why
from lingxi.recommend.placements.file import read_definitions
from lingxi.recommend.placements.listing import make_list
from lingxi.recommend.placements.why_not import Verdict, find_standing
from lingxi.recommend.rerank import Method
from lingxi.store.tables import to_micros

ALL = tuple(Strategy)
PLAIN = Variant(strategy=Strategy.PERSONAL, fallbacks=(Strategy.POPULAR,), n=8)
ON_PAGE = replace(SOMEBODY, item="I04")
SEARCHING = replace(SOMEBODY, candidates=tuple(f"I{at:02d}" for at in range(20, 36)))


def with_rules(*rules: Rule, base: Variant = PLAIN) -> Variant:
    return msgspec.structs.replace(base, rules=rules)


@pytest.mark.parametrize("strategy", ALL)
def test_every_strategy_lists_items_whose_causes_sum_to_their_scores(known, make, strategy) -> None:
    context = replace(ON_PAGE, candidates=SEARCHING.candidates, cart=("I01",))
    variant = msgspec.structs.replace(
        PLAIN,
        strategy=strategy,
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


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        (Rule(name="r", do=Do.INCLUDE, where="category == 'Mugs'"), lambda at: at % 4 == 2),
        (Rule(name="r", do=Do.EXCLUDE, where="brand == 'Brand 0'"), lambda at: at % 3 != 0),
        (Rule(name="r", do=Do.EXCLUDE, items=("I00", "I01")), lambda at: at not in (0, 1)),
    ],
)
def test_rules_keep_out_and_in(make, rule, wanted) -> None:
    variant = msgspec.structs.replace(with_rules(rule), n=30)
    places = [entry.place for entry in make(variant).entries]
    assert places
    assert all(wanted(place) for place in places)
    shop_wide = make(msgspec.structs.replace(PLAIN, n=30), rules=(rule,))
    assert [entry.place for entry in shop_wide.entries] == places


def test_a_boost_lifts_by_its_factor_and_says_so(known, make) -> None:
    plain = {
        entry.place: entry.value for entry in make(msgspec.structs.replace(PLAIN, n=40)).entries
    }
    rule = Rule(name="mugs", do=Do.BOOST, where="category == 'mugs'", by=2.5)
    listed = make(msgspec.structs.replace(with_rules(rule), n=40))
    for entry in listed.entries:
        mug = entry.place % 4 == 2
        assert entry.value == pytest.approx(plain[entry.place] * (2.5 if mug else 1.0))
        steps = explain_entry(known, listed, entry).steps
        assert any(s.kind is StepKind.BOOST and s.name == "mugs" for s in steps) is mug


def test_pins_take_their_positions_and_overrule_all_but_firm_bars(known, make) -> None:
    variant = with_rules(
        Rule(name="no-clocks", do=Do.EXCLUDE, where="category == 'Clocks'"),
        Rule(name="first", do=Do.PIN, items=("I03",), position=1),
        Rule(name="best-rug", do=Do.PIN, where="category == 'Rugs'", position=3),
        Rule(name="also-third", do=Do.PIN, items=("I08",), position=3),
    )
    listed = make(variant)
    shown = ids(known, listed)
    assert shown[0] == "I03"
    assert listed.entries[2].pin == "best-rug"
    assert shown[3] == "I08"
    assert len(shown) == len(set(shown)) == 8
    gone = change(known, I03=msgspec.structs.replace(make_item(3), stock=0))
    assert "I03" not in ids(gone, make(variant, over=gone))


def test_a_pin_past_the_end_of_a_short_list_stands_at_its_end(known, make) -> None:
    variant = msgspec.structs.replace(
        with_rules(Rule(name="late", do=Do.PIN, items=("I03",), position=8)),
        strategy=Strategy.AGAIN,
        fallbacks=(),
    )
    assert ids(known, make(variant))[-1] == "I03"
    assert len(make(variant).entries) < 8


@pytest.mark.parametrize(
    ("changes", "filters", "reason"),
    [
        ({"active": False}, {}, Reason.OFF_SALE),
        ({"removed": True}, {}, Reason.OFF_SALE),
        ({"available_from": NOW + timedelta(hours=2)}, {}, Reason.NOT_YET),
        ({"available_until": NOW - timedelta(hours=2)}, {}, Reason.NO_LONGER),
        ({"attributes": {"kind": "offer"}}, {}, Reason.KIND),
        ({"stock": 0}, {}, Reason.OUT_OF_STOCK),
        ({"price_cents": 0}, {}, Reason.WITHOUT_PRICE),
        ({"price_cents": 100}, {"price_min": 1.5}, Reason.PRICE),
        ({"price_cents": 90000}, {"price_max": 800.0}, Reason.PRICE),
        ({"price_cents": None}, {"price_max": 800.0}, Reason.PRICE),
        ({"margin_cents": 10}, {"margin_min": 0.2}, Reason.MARGIN),
        ({"attributes": {"min_age": 18}}, {}, Reason.AGE),
        ({"attributes": {"not_countries": "GB, IE"}}, {}, Reason.COUNTRY),
        ({"attributes": {"countries": "DE"}}, {}, Reason.COUNTRY),
        ({}, {"blocklist": ("I24",)}, Reason.BLOCKED),
    ],
)
def test_filters_bar_an_item_that_was_shown_and_the_reason_is_named(
    known, make, changes, filters, reason
) -> None:
    variant = msgspec.structs.replace(PLAIN, n=35, filters=Filters(**filters))
    context = replace(SOMEBODY, country="GB", age=17)
    before = change(known)
    assert "I24" in ids(before, make(msgspec.structs.replace(PLAIN, n=35), context, over=before))
    after = change(known, I24=msgspec.structs.replace(make_item(24), **changes))
    listed = make(variant, context, over=after)
    assert "I24" not in ids(after, listed)
    standing = find_standing(after, listed, "I24")
    assert standing.verdict is Verdict.BARRED
    assert standing.bars[0].reason is reason
    assert standing.sentences[0].code == f"placement.not.{reason}"


def test_the_right_age_and_country_see_what_others_do_not(known, make) -> None:
    attributes = {"min_age": 18, "countries": "GB, IE"}
    mine = change(known, I24=msgspec.structs.replace(make_item(24), attributes=attributes))
    variant = msgspec.structs.replace(PLAIN, n=35)
    seen = {
        (age, country): "I24"
        in ids(mine, make(variant, replace(SOMEBODY, age=age, country=country), over=mine))
        for age in (None, 17, 18)
        for country in (None, "IE", "DE")
    }
    assert {key for key, shown in seen.items() if shown} == {(18, None), (18, "IE")}


def test_what_was_done_bars_by_its_own_rules(known, make) -> None:
    context = replace(
        SOMEBODY, item="I24", cart=("I25",), ignored={"I26": 3, "I27": 2}, history=("I28",)
    )
    variant = msgspec.structs.replace(PLAIN, n=35, filters=Filters(ignored_after=3))
    listed = make(variant, context)
    reasons = {known.table.facts[place].item_id: reason for place, reason in listed.own.items()}
    assert reasons == {
        "I24": Reason.LOOKED_AT,
        "I25": Reason.IN_CART,
        "I00": Reason.BOUGHT,
        "I08": Reason.BOUGHT,
        "I26": Reason.IGNORED,
    }
    assert not set(reasons) & set(ids(known, listed))
    open_ = Filters(hide_bought=False, hide_in_cart=False)
    assert set(make(msgspec.structs.replace(variant, filters=open_), context).own.values()) == {
        Reason.LOOKED_AT
    }


def test_what_was_bought_may_be_bought_again_after_its_interval(known, make) -> None:
    variant = msgspec.structs.replace(PLAIN, n=35, filters=Filters(repurchase_days=30))
    shown = ids(known, make(variant))
    assert "I08" in shown  # bought 40 days ago
    assert "I00" not in shown  # 3 days ago
    own = change(
        known,
        I00=msgspec.structs.replace(make_item(0), attributes={"repurchase_days": 2}),
        I08=msgspec.structs.replace(make_item(8), attributes={"repurchase_days": 90}),
    )
    shown = ids(own, make(variant, over=own))
    assert "I00" in shown
    assert "I08" not in shown


def test_a_sold_out_item_still_teaches(known, make) -> None:
    gone = change(known, I00=msgspec.structs.replace(make_item(0), stock=0))
    listed = make(PLAIN, over=gone)
    assert ids(gone, listed) == ids(known, make(PLAIN))
    causes = [c.item_id for e in listed.entries for c in explain_entry(gone, listed, e).causes]
    assert "I00" in causes


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


def test_caps_hold_over_all_strategies_and_pins(make) -> None:
    variant = with_rules(
        Rule(name="pin", do=Do.PIN, items=("I04",), position=2),
        base=msgspec.structs.replace(
            PLAIN,
            n=12,
            fallbacks=(Strategy.POPULAR, Strategy.NEW),
            diversity=Diversity(
                method=Method.DPP, strength=0.4, most_per_category=3, most_per_brand=5
            ),
            exploration=Exploration(share=0.5, pool=20),
        ),
    )
    for seed in range(20):
        places = [entry.place for entry in make(variant, seed=seed).entries]
        assert np.bincount([p % 4 for p in places]).max() <= 3
        assert np.bincount([p % 3 for p in places]).max() <= 5
        assert len(places) == 12
        assert places[1] == 4


def test_a_full_category_is_said(known, make) -> None:
    variant = msgspec.structs.replace(PLAIN, n=8, diversity=Diversity(most_per_category=1))
    listed = make(variant)
    best = ids(known, make(msgspec.structs.replace(PLAIN, n=8)))
    left = [i for i in best if i not in ids(known, listed)]
    standing = find_standing(known, listed, left[0])
    assert (standing.verdict, standing.cap) == (Verdict.CAPPED, "category")


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


def test_rules_that_ask_about_the_request_do(make) -> None:
    rule = Rule(name="dearer", do=Do.INCLUDE, where="price > current.price")
    variant = msgspec.structs.replace(with_rules(rule), n=30)
    shown = [entry.place for entry in make(variant, replace(SOMEBODY, item="I20")).entries]
    assert shown
    assert min(shown) > 20
    assert (
        make(variant, SOMEBODY).entries == ()
    )  # nothing is looked at: nothing is known to be dearer


def test_a_rule_holds_in_its_time_and_country(make) -> None:
    rule = Rule(
        name="r",
        do=Do.EXCLUDE,
        where="category == 'Mugs'",
        since=NOW,
        until=NOW + timedelta(days=1),
        countries=("GB",),
    )
    variant = msgspec.structs.replace(with_rules(rule), n=30)

    def has_mugs(context: Context) -> bool:
        return any(entry.place % 4 == 2 for entry in make(variant, context).entries)

    assert not has_mugs(replace(SOMEBODY, country="GB"))
    assert has_mugs(replace(SOMEBODY, country="DE"))
    assert has_mugs(replace(SOMEBODY, country="GB", now=NOW + timedelta(days=1)))
    assert has_mugs(replace(SOMEBODY, country="GB", now=NOW - timedelta(seconds=1)))


def test_why_not_ranks_what_is_outranked_and_names_what_nothing_speaks_for(known, make) -> None:
    listed = make(msgspec.structs.replace(PLAIN, n=3, fallbacks=()))
    tier = listed.tiers[0]
    fifth = known.table.facts[int(tier.places[4])].item_id
    standing = find_standing(known, listed, fifth)
    assert (standing.verdict, standing.rank) == (Verdict.OUTRANKED, 5)
    assert standing.needed == pytest.approx(listed.entries[-1].value)
    assert standing.value == pytest.approx(float(tier.values[4]))
    assert find_standing(known, listed, "I39").verdict is Verdict.UNSCORED
    assert find_standing(known, listed, "nothing").verdict is Verdict.UNKNOWN
    assert find_standing(known, listed, ids(known, listed)[1]).position == 2


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
    assert all(compiled.open[place] and place not in listed.own for place in places)
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
    slow, fast = make(variant, context), make(variant, replace(context, rows=rows))
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
