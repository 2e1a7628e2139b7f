"""Drafts and versions: what is published stays as it is."""

from datetime import UTC, datetime

import msgspec
import pytest

from lingxi.app.shop import Shop
from lingxi.errors import Conflict, UnknownJourney
from lingxi.journeys import Journey, read_journey
from lingxi.journeys import versions as book

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


def make(name: str = "hello", template: str = "hello", priority: int = 50) -> Journey:
    steps = {
        "mail": {"kind": "message", "template": template, "next": "end"},
        "end": {"kind": "end"},
    }
    form = {"name": name, "trigger": {"kind": "api"}, "steps": steps, "priority": priority}
    return read_journey(form)


def test_a_version_is_never_changed_and_the_same_one_is_not_published_twice(shop: Shop) -> None:
    with shop.store.write(eager=True) as tx:
        assert book.publish(tx, make(), actor="a", note="first", now=NOW) == 1
        assert book.publish(tx, make(), actor="b", note="again", now=NOW) == 1
        assert book.publish(tx, make(template="other"), actor="c", note="", now=NOW) == 2
        assert book.publish(tx, make(), actor="d", note="back", now=NOW) == 3
    with shop.store.read() as tx:
        assert book.get_version(tx, "hello", 1) == make()
        assert book.get_version(tx, "hello", 2) == make(template="other")
        assert [v.published_by for v in book.list_versions(tx, "hello")] == ["d", "c", "a"]


def test_only_what_is_published_and_not_paused_is_live_the_higher_priority_first(
    shop: Shop,
) -> None:
    with shop.store.write(eager=True) as tx:
        book.put_draft(tx, make("draft"), actor="a", now=NOW)
        for name, priority in (("low", 10), ("high", 90), ("paused", 99)):
            book.publish(tx, make(name, priority=priority), actor="a", note="", now=NOW)
        book.set_paused(tx, "paused", True, actor="a", now=NOW)
        changed = make("high", template="draft")
        book.put_draft(tx, changed, actor="a", now=NOW)
    with shop.store.read() as tx:
        live = book.list_live(tx)
    assert [each.name for each in live] == ["high", "low"]
    assert live[0].journey.messages["mail"].template == "hello"


def test_a_removed_journey_keeps_its_versions_and_goes_on_counting(shop: Shop) -> None:
    with shop.store.write(eager=True) as tx:
        book.publish(tx, make(), actor="a", note="", now=NOW)
        book.remove_journey(tx, "hello")
        assert book.get_version(tx, "hello", 1) == make()
        with pytest.raises(UnknownJourney, match="no journey"):
            book.get_journey(tx, "hello")
        other = make(template="other")
        assert book.publish(tx, other, actor="a", note="", now=NOW) == 2


def test_a_draft_changed_by_another_is_not_overwritten(shop: Shop) -> None:
    with shop.store.write(eager=True) as tx:
        mark = book.put_draft(tx, make(), actor="ann", now=NOW, expected="")
        book.put_draft(tx, make(template="b"), actor="bob", now=NOW, expected=mark)
        with pytest.raises(Conflict, match="bob"):
            book.put_draft(tx, make(template="c"), actor="ann", now=NOW, expected=mark)
        assert book.get_journey(tx, "hello").draft == make(template="b")


def test_the_stored_form_is_the_journey() -> None:
    journey = make()
    assert msgspec.json.decode(msgspec.json.encode(journey), type=Journey) == journey
