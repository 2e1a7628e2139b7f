"""Rules, pins, filters and caps: what they keep out, put in and lift, and that it is said."""

from dataclasses import replace
from datetime import timedelta

import msgspec
import numpy as np
import pytest

from hand_shop import (
    NOW,
    PLAIN,
    SOMEBODY,
    change,
    ids,
    make_item,
    with_rules,
)
from lingxi.recommend.placements.bars import Reason
from lingxi.recommend.placements.context import Context
from lingxi.recommend.placements.definition import (
    Diversity,
    Do,
    Exploration,
    Filters,
    Rule,
    Strategy,
)
from lingxi.recommend.placements.explain import StepKind, explain_entry
from lingxi.recommend.placements.verdict import Verdict
from lingxi.recommend.placements.why_not import find_standing
from lingxi.recommend.rerank import Method


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
        ({"attributes": {"min_age": "18"}}, {}, Reason.AGE),  # as a file of items brings it
        ({"attributes": {"min_age": "18+"}}, {}, Reason.AGE),
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
    own = {place: listed.own.find(place) for place in range(len(known.table))}
    assert sorted(place for place, reason in own.items() if reason) == sorted(listed.own.places)
    reasons = {known.table.facts[place].item_id: reason for place, reason in own.items() if reason}
    assert reasons == {
        "I24": Reason.LOOKED_AT,
        "I25": Reason.IN_CART,
        "I00": Reason.BOUGHT,
        "I08": Reason.BOUGHT,
        "I26": Reason.IGNORED,
    }
    assert not set(reasons) & set(ids(known, listed))
    open_ = Filters(hide_bought=False, hide_in_cart=False)
    barred = make(msgspec.structs.replace(variant, filters=open_), context).own
    assert {barred.find(place) for place in barred.places.tolist()} == {Reason.LOOKED_AT}


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
