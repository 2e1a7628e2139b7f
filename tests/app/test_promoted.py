"""Counts of promotions: what the version in use was stored with, and the log since, each once."""

from dataclasses import dataclass
from typing import cast

import pytest

from lingxi.app.placements.promoted import Promoted
from lingxi.app.shop import Shop
from lingxi.ingest.consent import consent_event
from lingxi.recommend import Recommender
from lingxi.recommend.stored import read_promotions
from lingxi.schema import Event, Line
from lingxi.store import Manifest

VIEWED, CLICKED = "Promotion Viewed", "Promotion Clicked"


@dataclass(frozen=True)
class Held:
    """All that is asked of a recommender here."""

    version: str


def _tell(shop: Shop, number: int, name: str, item_id: str, subject: int | None) -> None:
    now = shop.clock.now()
    event = Event(
        event_id=f"p{number}",
        name=name,
        occurred_at=now,
        received_at=now,
        subject=subject,
        lines=(Line(item_id),),
    )
    shop.store.log.append([event])


def _keep(shop: Shop) -> Recommender:
    """A version that was stored with the counts there are now."""
    position = shop.store.log.position()
    with shop.store.artefacts.write("recommender") as writer:
        writer.save_json("promotions", read_promotions(shop.store, position))
        writer.manifest = Manifest(events=position)
    version = shop.store.artefacts.current_version("recommender")
    return cast(Recommender, Held(version or ""))


def _get(shop: Shop, promoted: Promoted, recommender: Recommender) -> dict[str, tuple[int, int]]:
    with shop.store.read() as tx:
        return dict(promoted.get(tx, recommender))


@pytest.mark.parametrize("others", [0, 30])
def test_each_event_counts_once_and_at_once(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, others: int
) -> None:
    monkeypatch.setattr("lingxi.app.placements.promoted._CHUNK", 3)
    for number in range(5):
        _tell(shop, number, VIEWED, "SPRING", 1)
    first, promoted = _keep(shop), Promoted(shop)
    assert _get(shop, promoted, first) == {"SPRING": (5, 0)}
    for number in range(others):
        _tell(shop, 100 + number, "Product Viewed", "x", 1)
    for number in range(7):
        _tell(shop, 200 + number, VIEWED, "SUMMER", 2)
    _tell(shop, 300, CLICKED, "SUMMER", None)
    wanted = {"SPRING": (5, 0), "SUMMER": (7, 1)}
    assert _get(shop, promoted, first) == wanted
    assert _get(shop, promoted, first) == wanted
    assert _get(shop, Promoted(shop), first) == wanted, "another process"
    second = _keep(shop)
    _tell(shop, 301, CLICKED, "SPRING", 1)
    assert _get(shop, promoted, second) == {"SPRING": (5, 1), "SUMMER": (7, 1)}


def test_who_refuses_teaches_nothing(shop: Shop) -> None:
    now = shop.clock.now()
    word = consent_event(1, "personalisation", "*", granted=False, now=now, source="test")
    shop.store.log.append([word])
    _tell(shop, 1, CLICKED, "SPRING", 1)
    _tell(shop, 2, CLICKED, "SPRING", 2)
    first, promoted = _keep(shop), Promoted(shop)
    assert _get(shop, promoted, first) == {"SPRING": (0, 1)}
    _tell(shop, 3, CLICKED, "SPRING", 1)
    _tell(shop, 4, CLICKED, "SPRING", 2)
    assert _get(shop, promoted, first) == {"SPRING": (0, 2)}


def test_a_version_that_kept_no_counts_is_counted_from_the_log(shop: Shop) -> None:
    _tell(shop, 1, VIEWED, "SPRING", 1)
    with shop.store.artefacts.write("recommender") as writer:
        writer.manifest = Manifest(events=shop.store.log.position())
    held = cast(Recommender, Held(shop.store.artefacts.current_version("recommender") or ""))
    assert _get(shop, Promoted(shop), held) == {"SPRING": (1, 0)}
