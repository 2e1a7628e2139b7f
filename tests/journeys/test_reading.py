"""The file form of a journey: what is read, what reads back, and which error names what."""

import msgspec
import pytest

from lingxi.errors import InvalidInput
from lingxi.journeys import Journey, parse_journey, read_journey, render_journey
from lingxi.journeys.reading import form_of
from lingxi.journeys.trigger import ScheduleTrigger

CART = """
name: cart
title: {en: Cart, zh: 购物车}
trigger:
  kind: event
  events: [Product Added]
  key: cart_id
  where: [{property: amount_cents, at_least: 1000}]
steps:
  wait:
    kind: wait
    event: {event: Order Completed, same_key: true}
    timeout: 1h
    on_timeout: mail
    next: end
  mail: {kind: message, template: cart-1, next: ask}
  ask:
    kind: branch
    cases: [{name: clicked, step: mail, was: clicked, next: end}]
    otherwise: end
  end: {kind: end}
goal: {event: Order Completed}
"""


def test_a_journey_reads_back_from_its_file_and_from_its_stored_form() -> None:
    journey = parse_journey(CART)
    assert read_journey(form_of(journey)) == journey
    assert parse_journey(render_journey(journey)) == journey
    assert msgspec.json.decode(msgspec.json.encode(journey), type=Journey) == journey
    assert journey.start == "wait"
    assert journey.key == "cart_id"
    assert [edge.target for edge in journey.edges("wait")] == ["end", "mail"]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("next: end\n  mail", "next: ende\n  mail", "steps.wait.next: there is no step 'ende'"),
        ("kind: event", "kind: evnt", "did you mean 'event'"),
        ("timeout: 1h", "timeout: 1 parsec", "steps.wait: '1 parsec' is no length of time"),
        ("timeout: 1h\n", "\n", "'timeout' belongs to a wait for an event"),
        ("key: cart_id", "keys: cart_id", "unknown name 'keys' (did you mean 'key'?)"),
        ("at_least: 1000", "at_least: ten", ".where[0].at_least"),
        ("was: clicked", "was: eaten", "steps.ask"),
        ("step: mail", "step: male", "steps.ask.cases.clicked.step: there is no step 'male'"),
        ("name: cart\n", "name: Cart\n", ".name"),
        ("goal:", "entry: {segmnt: loyal}\ngoal:", "entry: a condition has exactly one of"),
        ("{property: amount_cents, at_least: 1000}", "{property: x}", "what it must be"),
        ("goal:", "goall:", "did you mean 'goal'"),
        ("end: {kind: end}", "end: [kind, end]", "steps.end must be an object"),
    ],
)
def test_an_error_names_the_path(old: str, new: str, says: str) -> None:
    assert old in CART
    with pytest.raises(InvalidInput) as caught:
        parse_journey(CART.replace(old, new, 1))
    assert says in str(caught.value)


def test_a_campaign_is_a_journey_of_one_message() -> None:
    journey = parse_journey(
        "campaign: sale\ntemplate: sale\nsegment: loyal\nat: 2026-11-27T09:00:00Z\n"
    )
    assert isinstance(journey.trigger, ScheduleTrigger)
    assert journey.trigger.audience == {"segment": "loyal"}
    assert list(journey.messages) == ["message"]
    with pytest.raises(InvalidInput, match="did you mean 'template'"):
        parse_journey("campaign: sale\ntemplat: sale")


def test_a_short_text_cannot_stand_for_a_large_value() -> None:
    with pytest.raises(InvalidInput, match="anchors"):
        parse_journey("a: &a [1, 1]\nb: [*a, *a]")


def test_words_that_old_yaml_reads_as_numbers_or_flags_are_texts() -> None:
    form = CART.replace("timeout: 1h", "timeout: 1h").replace(
        "mail: {kind: message,",
        "later: {kind: wait, time: 18:00, next: mail}\n  mail: {kind: message,",
    )
    assert form_of(parse_journey(form))["steps"]["later"]["time"] == "18:00"
