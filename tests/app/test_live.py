"""The live stream counted and filtered, and the way of one message as it is told."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from lingxi.app.queries.live import RESULTS
from lingxi.app.queries.shown import reveal
from lingxi.app.shop import Shop, init_shop
from lingxi.clock import FixedClock
from lingxi.i18n import LANGUAGES, load_catalogue
from lingxi.ingest.cleaning import STEPS
from lingxi.ingest.message import Message
from lingxi.schema.ecommerce import VOCABULARY

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    folder = tmp_path / "shop"
    init_shop(folder, name="S", currency="GBP", timezone="UTC", language="en").close()
    shop = Shop.open(folder, clock=FixedClock(NOW), environ={})
    yield shop
    shop.close()


def take(shop: Shop, *bodies: dict[str, object], source: str = "web", ago: int = 0) -> None:
    messages = [
        Message(
            body=body,
            raw=msgspec.json.encode(body),
            received_at=NOW - timedelta(seconds=ago),
            source=source,
        )
        for body in bodies
    ]
    shop.intake.take(messages)


def view(number: int, user: str = "u1", **more: object) -> dict[str, object]:
    viewed = {"type": "track", "event": "Product Viewed", "userId": user}
    return {**viewed, "messageId": f"m{number}", "properties": {"product_id": "p1"}, **more}


def test_counts_are_of_all_that_fits_and_rows_of_the_newest(shop: Shop) -> None:
    take(shop, *(view(n) for n in range(20)), ago=300)
    take(shop, *(view(n, "u2") for n in range(20, 25)), view(3), {"type": "track", "userId": "u2"})
    take(shop, view(100, "u3"), source="till")
    seen = shop.answers.live(n=5)
    assert (len(seen.rows), seen.found, seen.held, seen.newest) == (5, 28, 28, 28)
    assert seen.by_result == {"stored": 26, "duplicate": 1, "dropped": 1}
    assert seen.last_minute == 8
    web = shop.answers.live(source="web", result="stored", n=5)
    assert (web.found, web.last_minute) == (25, 5)
    assert web.by_result == {"stored": 25, "duplicate": 1, "dropped": 1}
    assert shop.answers.live(source="nowhere").by_result == dict.fromkeys(RESULTS, 0)


def test_search_finds_events_customers_messages_and_the_readers_own_words(shop: Shop) -> None:
    take(shop, view(1), view(2, "ada"), {"type": "page", "userId": "u1", "messageId": "home-7"})

    def found(search: str, *names: str) -> list[int]:
        return [row.id for row in shop.answers.live(search=search, names=names).rows]

    assert found("product") == [2, 1]
    assert found("ADA") == [2]
    assert found("home-7") == [3]
    assert found("浏览商品") == []
    assert found("浏览商品", "Product Viewed") == [2, 1]


def test_every_step_is_told_once_whether_it_changed_something_or_not(shop: Shop) -> None:
    take(shop, view(1, properties={"product_id": "p1", "price": "9.50"}))
    told = shop.answers.trace(1)
    changed = {step.step for step in told.steps}
    assert "put_properties" in changed
    assert changed.isdisjoint(told.passed)
    assert changed | set(told.passed) == {step.__name__ for step in STEPS}
    assert shop.answers.event(told.position or 0) == told


def test_a_message_set_aside_passed_only_the_steps_before(shop: Shop) -> None:
    take(shop, {"type": "track", "userId": "u1", "messageId": "m1"})
    told = shop.answers.trace(1)
    names = [step.__name__ for step in STEPS]
    assert told.step == "put_name"
    ran = [*told.passed, *(step.step for step in told.steps)]
    assert sorted(ran, key=names.index) == names[: names.index("put_name")]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_step_and_every_event_of_the_vocabulary_has_a_sentence(language: str) -> None:
    words = load_catalogue(language)
    codes = [f"trace.step.{step.__name__}" for step in STEPS]
    codes += [f"event.{name.lower().replace(' ', '_')}" for name in VOCABULARY]
    assert [code for code in codes if code not in words] == []


def test_bytes_are_shown_as_they_were_written_and_nothing_turns_the_page_around(
    shop: Shop,
) -> None:
    raw = '{"type":"track","event":"Product Viewed","userId":"u1","n":1.50,"x":"\u202eevil"}'
    body = msgspec.json.decode(raw.encode())
    shop.intake.take([Message(body=body, raw=raw.encode(), received_at=NOW, source="web")])
    told = shop.answers.trace(1).raw or ""
    assert '"n": 1.50' in told
    assert "\\u202eevil" in told
    assert reveal("plain 文字") == "plain 文字"
