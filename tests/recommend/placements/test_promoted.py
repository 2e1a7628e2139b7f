"""Promotions by how often they are clicked: the rate, and the strategy that it makes."""

from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import pytest

from hand_shop import VISITOR
from lingxi.recommend.placements.defaults import DEFAULTS
from lingxi.recommend.placements.explain import explain_entry, say_why
from lingxi.recommend.promotions import PRIOR_VIEWS, add_events, find_rates
from lingxi.schema import Event, Line

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OFFERS = DEFAULTS["offers"]


def _tell(name: str, item_id: str) -> Event:
    lines = (Line(item_id),)
    return Event(event_id="e", name=name, occurred_at=NOW, received_at=NOW, lines=lines)


def test_the_rate_is_clicks_among_views_held_to_the_average_by_a_prior() -> None:
    counts = {"loud": (4_000, 1_000), "quiet": (3_998, 199), "odd": (0, 300)}
    average = 1_500 / 8_000
    loud, quiet, odd, new = find_rates(counts, ["loud", "quiet", "odd", "new"]).tolist()
    assert loud == (1_000 + PRIOR_VIEWS * average) / (4_000 + PRIOR_VIEWS)
    assert quiet == (199 + PRIOR_VIEWS * average) / (3_998 + PRIOR_VIEWS)
    assert odd == 1.0, "more clicks than views"
    assert new == average


def test_one_click_more_raises_the_rate_and_one_view_more_lowers_it() -> None:
    before = {"a": (10, 2), "b": (10, 2)}
    clicked = add_events(before, [_tell("Promotion Clicked", "a")])
    viewed = add_events(before, [_tell("Promotion Viewed", "a")])
    assert find_rates(clicked, ["a"])[0] > find_rates(before, ["a"])[0]
    assert find_rates(viewed, ["a"])[0] < find_rates(before, ["a"])[0]
    assert (clicked["a"], viewed["a"], before["a"]) == ((10, 3), (11, 2), (10, 2))


def test_promotions_come_by_their_clicks_and_by_taste_and_say_so(known, make) -> None:
    counts = {"OFFER0": (1_000, 300), "OFFER1": (1_000, 280)}
    stranger = replace(VISITOR, promoted=counts)
    listed = make(OFFERS, stranger)
    shown = [known.table.facts[entry.place].item_id for entry in listed.entries]
    assert shown == ["OFFER0", "OFFER1"]
    first = explain_entry(known, listed, listed.entries[0])
    assert [cause.kind for cause in first.causes] == ["clicks"]
    assert say_why(first, "OFFER0", {}).code == "placement.why.clicked"
    unseen = make(OFFERS, replace(VISITOR, promoted={"OFFER0": (1_000, 10)}))
    told = explain_entry(known, unseen, unseen.entries[0])
    assert say_why(told, "OFFER1", {}).code == "placement.why.unseen"
    rugs = replace(stranger, history=("I01", "I05"))  # OFFER1 is for rugs
    listed = make(OFFERS, rugs)
    assert known.table.facts[listed.entries[0].place].item_id == "OFFER1"
    best = explain_entry(known, listed, listed.entries[0])
    assert sum(cause.value for cause in best.causes) == pytest.approx(best.value, abs=1e-9)
    assert {cause.item_id for cause in best.causes} == {"", "I01", "I05"}
    rates = find_rates(counts, ["OFFER1"])
    assert rates[0] < best.value <= 2 * rates[0]


def test_as_long_as_nobody_has_seen_any_the_next_strategy_fills_the_list(make) -> None:
    listed = make(OFFERS, replace(VISITOR, history=("I01",)))
    assert listed.entries
    assert {str(entry.strategy) for entry in listed.entries} <= set(OFFERS.fallbacks)


def test_places_given_to_exploration_have_their_propensity(make) -> None:
    counts = {"OFFER0": (1_000, 300), "OFFER1": (1_000, 280)}
    half = msgspec.structs.replace(OFFERS.exploration, share=0.5, first_position=1, pool=1)
    given = msgspec.structs.replace(OFFERS, n=1, exploration=half)
    drawn = [make(given, replace(VISITOR, promoted=counts), seed=seed) for seed in range(60)]
    entries = [listed.entries[0] for listed in drawn]
    assert {entry.propensity for entry in entries} == {0.5}, "half of the time the other one"
    assert {entry.explored for entry in entries} == {True, False}
    assert OFFERS.exploration.share > 0
