"""Editing the graph step by step, and laying it out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingxi.app.journeys.gallery import ORDER, read_ready
from lingxi.errors import InvalidInput
from lingxi.i18n import LANGUAGES, Translator
from lingxi.journeys import Journey, read_journey
from lingxi.journeys.edit import START, delete_step, insert_step, lead_step
from lingxi.journeys.layout import lay_out
from lingxi.journeys.reading import STEP_KINDS, form_of
from lingxi.journeys.walk import find_back_links, find_loop, list_links, reach, sort_steps
from lingxi.journeys.words import tell_step, tell_trigger


def make() -> Journey:
    steps = {
        "a": {"kind": "message", "template": "t", "next": "b"},
        "b": {"kind": "coupon", "offer": "o", "next": "c", "otherwise": "end"},
        "c": {"kind": "message", "template": "u", "next": "end"},
        "end": {"kind": "end"},
    }
    return read_journey({"name": "x", "trigger": {"kind": "api"}, "steps": steps})


def test_a_step_is_inserted_on_a_way_and_taken_out_again() -> None:
    journey, made = insert_step(make(), "b", "otherwise", "wait")
    assert made == "wait-1"
    assert dict(journey.edges("b"))["otherwise"] == "wait-1"
    assert dict(journey.edges("wait-1"))["next"] == "end"
    assert delete_step(journey, "wait-1") == make()


def test_a_step_before_the_first_becomes_the_start() -> None:
    journey, made = insert_step(make(), START, "", "wait")
    assert journey.start == made
    assert dict(journey.edges(made))["next"] == "a"
    assert delete_step(journey, made) == make()


@pytest.mark.parametrize("kind", STEP_KINDS)
def test_every_kind_is_inserted_and_reads_back(kind: str) -> None:
    journey, made = insert_step(make(), "c", "next", kind)
    assert read_journey(form_of(journey)) == journey
    for language in LANGUAGES:
        assert tell_step(Translator(language), journey.steps[made])


def test_what_cannot_be_edited_is_named() -> None:
    with pytest.raises(InvalidInput, match="no way 'side'"):
        insert_step(make(), "a", "side", "wait")
    with pytest.raises(InvalidInput, match="no kind of step"):
        insert_step(make(), "a", "next", "dance")
    with pytest.raises(InvalidInput, match="There is no step"):
        lead_step(make(), "a", "next", "nowhere")
    asking, _ = insert_step(make(), "a", "next", "branch")
    with pytest.raises(InvalidInput, match="asks what became of 'a'"):
        delete_step(asking, "a")


@given(st.lists(st.tuples(st.integers(0, 60), st.sampled_from(sorted(STEP_KINDS))), max_size=12))
def test_after_any_insertions_each_step_stands_below_those_that_lead_to_it(
    inserts: list[tuple[int, str]],
) -> None:
    journey = make()
    for number, kind in inserts:
        ways = [(s, e.port) for s in journey.steps for e in journey.edges(s)]
        journey, _ = insert_step(journey, *ways[number % len(ways)], kind)
    picture = lay_out(journey)
    layer = {place.step: place.layer for place in picture.places}
    reached = reach(list_links(journey), journey.start)
    assert set(layer) == set(journey.steps)
    for line in picture.lines:
        if line.target and line.source in reached:
            assert layer[line.target] > layer[line.source]
    spots = [(place.layer, place.column) for place in picture.places]
    assert len(set(spots)) == len(spots)
    assert read_journey(form_of(journey)) == journey


@pytest.mark.parametrize("name", ORDER)
def test_every_ready_journey_is_drawn_and_told(name: str) -> None:
    journey = read_ready(name)
    assert len(lay_out(journey).places) == len(journey.steps)
    for language in LANGUAGES:
        assert tell_trigger(Translator(language), journey)


def test_loops_are_found_and_do_not_stop_the_layout() -> None:
    links = {"a": ("b",), "b": ("c",), "c": ("a", "d"), "d": ()}
    assert find_back_links(links, "a") == [("c", "a")]
    assert find_loop(links, ("c", "a")) == ["a", "b", "c"]
    assert sort_steps(links, "a") == ["a", "b", "c", "d"]
    journey = lead_step(make(), "c", "next", "a")
    assert {place.step for place in lay_out(journey).places} == set(journey.steps)
