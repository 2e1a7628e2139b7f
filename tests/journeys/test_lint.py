"""Lint: each mistake is found by its code and place, and a sound journey has no finding."""

from datetime import UTC, datetime
from typing import Any

import pytest

from lingxi.i18n import LANGUAGES, Translator
from lingxi.journeys import parse_journey, read_journey
from lingxi.journeys.finding import Known, Level
from lingxi.journeys.lint import is_publishable, lint

SOUND = """
name: cart
trigger: {kind: event, events: [Product Added], key: cart_id}
reentry: {mode: always}
purpose: marketing
caps: {day: 1, week: 2}
goal: {event: Order Completed}
steps:
  wait: {kind: wait, duration: 1h, next: coupon}
  coupon: {kind: coupon, offer: ten, next: mail, otherwise: mail}
  mail: {kind: message, template: cart-1, next: day}
  day: {kind: wait, duration: 1d, next: ask}
  ask:
    kind: branch
    cases: [{name: clicked, step: mail, was: clicked, next: end}]
    otherwise: again
  again: {kind: message, template: cart-2, next: end}
  end: {kind: end}
"""
KNOWN = Known(
    templates={"cart-1": frozenset({"en", "zh"}), "cart-2": frozenset({"en", "zh"})},
    segments=frozenset({"loyal"}),
    offers=frozenset({"ten"}),
    channels=frozenset({"email"}),
    categories=frozenset({"news"}),
    stages=frozenset({"new"}),
    scores=frozenset({"churn"}),
    languages=("en", "zh"),
    rule_problem=lambda rule: "" if rule == {"segment": "loyal"} else "there is no such thing",
    now=datetime(2026, 3, 1, tzinfo=UTC),
)


def test_a_sound_journey_has_no_finding() -> None:
    assert lint(parse_journey(SOUND), KNOWN) == ()


@pytest.mark.parametrize(
    ("old", "new", "code", "place"),
    [
        ("again: {kind: message, template: cart-2, next: end}",
         "again: {kind: message, template: cart-2}", "dead_end", "steps.again.next"),
        ("cart-2, next: end}", "cart-2, next: day}", "loop", "steps.again"),
        ("otherwise: again", "otherwise: end", "unreachable", "steps.again"),
        ("purpose: marketing\n", "", "no_purpose", "purpose"),
        ("purpose: marketing", "purpose: marketing\ncategory: carts", "no_category", "category"),
        ("purpose: marketing", "purpose: profit", "unknown_purpose", "purpose"),
        ("caps: {day: 1, week: 2}\n", "", "uncapped", "caps"),
        ("goal: {event: Order Completed}", "", "no_goal", "goal"),
        ("goal:", "holdout: 0\ngoal:", "no_holdout", "holdout"),
        ("duration: 1h", "until: 2026-02-01T00:00:00Z", "past", "steps.wait.until"),
        ("template: cart-2", "template: cart-3", "no_template", "steps.again.template"),
        ("offer: ten", "offer: twenty", "no_offer", "steps.coupon.offer"),
        ("template: cart-2", "channel: fax, template: cart-2", "no_channel", "steps.again.channel"),
        ("step: mail", "step: day", "asks_no_message", "steps.ask.cases.clicked"),
        ("step: mail", "step: again", "asks_too_early", "steps.ask.cases.clicked"),
        ("next: day}", "next: again}", "no_pause", "steps.again"),
        ("purpose:", "entry: {segment: none}\npurpose:", "rule", "entry"),
        ("kind: event, events: [Product Added], key: cart_id",
         "kind: segment, segment: lost", "no_segment", "trigger.segment"),
        ("kind: event, events: [Product Added], key: cart_id",
         "kind: stage, to: [old]", "no_stage", "trigger.to"),
        ("kind: event, events: [Product Added], key: cart_id",
         "kind: score, score: luck, level: 1", "no_score", "trigger.score"),
        ("kind: event, events: [Product Added], key: cart_id",
         "kind: schedule, at: 2026-02-01T00:00:00Z", "past_schedule", "trigger.at"),
        ("purpose:", "message_class: transactional\npurpose:", "coupon_transactional",
         "steps.coupon"),
    ],
)  # fmt: skip
def test_a_mistake_is_found_where_it_is(old: str, new: str, code: str, place: str) -> None:
    assert old in SOUND
    findings = lint(parse_journey(SOUND.replace(old, new, 1)), KNOWN)
    assert (code, place) in [(finding.code, finding.place) for finding in findings]
    assert is_publishable(findings) == all(each.level is not Level.ERROR for each in findings)
    for language in LANGUAGES:
        words = Translator(language)
        assert all(words.text(finding.sentence) for finding in findings)


def make(steps: dict[str, Any], **rest: Any) -> tuple[str, ...]:
    form = {"name": "x", "trigger": {"kind": "api"}, "steps": steps, **rest}
    return tuple(finding.code for finding in lint(read_journey(form)))


def test_a_circle_without_a_wait_is_an_error_of_its_own() -> None:
    steps = {
        "a": {"kind": "set_trait", "trait": "t", "value": 1, "next": "b"},
        "b": {"kind": "add_to_list", "list": "l", "next": "a"},
    }
    assert make(steps) == ("loop_without_wait",)


def test_a_journey_that_only_waits_does_nothing() -> None:
    assert make({"a": {"kind": "wait", "duration": "1d", "next": "b"}, "b": {"kind": "end"}}) == (
        "does_nothing",
    )


def test_re_entry_with_every_event_and_a_cap_by_run_only_is_doubted() -> None:
    mail = {"mail": {"kind": "message", "template": "t", "next": "end"}, "end": {"kind": "end"}}
    codes = make(
        mail,
        trigger={"kind": "event", "events": ["Product Viewed"]},
        reentry={"mode": "always"},
        caps={"run": 1},
        purpose="marketing",
        goal={"event": "Order Completed"},
    )
    assert codes == ("endless_reentry",)


def test_a_template_without_a_language_is_doubted() -> None:
    known = Known(templates={"cart-1": frozenset({"en"}), "cart-2": frozenset({"en", "zh"})},
                  languages=("en", "zh"))  # fmt: skip
    findings = lint(parse_journey(SOUND), known)
    assert [(each.code, each.place) for each in findings] == [
        ("no_language", "steps.mail.template")
    ]
