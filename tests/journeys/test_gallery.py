"""The gallery: every ready journey is whole, sound, in both languages, and goes live."""

import re
from pathlib import Path

import pytest

from lingxi.app.definitions.apply import apply_folder, export_folder, plan_folder, read_folder
from lingxi.app.journeys.gallery import (
    GALLERY,
    ORDER,
    list_gallery,
    read_ready,
    take_from_gallery,
)
from lingxi.app.shop import Shop
from lingxi.errors import Conflict, UnknownJourney
from lingxi.i18n import LANGUAGES
from lingxi.journeys.lint import lint


def test_the_gallery_is_the_folder() -> None:
    assert set(ORDER) == {path.stem for path in (GALLERY / "journeys").glob("*.yaml")}
    entries = list_gallery().journeys
    held = read_folder(GALLERY)
    for kind in ("templates", "offers", "segments"):
        named = {name for entry in entries for name in getattr(entry, kind)}
        assert named == set(held[kind])


@pytest.mark.parametrize("name", ORDER)
def test_a_ready_journey_is_sound_capped_and_held_out(name: str) -> None:
    journey = read_ready(name)
    assert lint(journey) == ()
    assert journey.caps.week is not None
    assert journey.holdout > 0
    assert set(journey.title) == set(journey.note) == set(LANGUAGES)


@pytest.mark.parametrize("path", sorted((GALLERY / "templates").glob("*/*.mjml")), ids=str)
def test_a_text_says_how_to_leave_and_has_no_bare_value(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "links.unsubscribe" in text
    allowed = {"shop.name", "shop.url", "item.name", "item.url", "links.unsubscribe",
               "links.preferences", "customer.name"}  # fmt: skip
    for printed in re.findall(r"{{\s*(.+?)\s*}}", text):
        bare = printed.split("|")[0].strip()
        assert "default" in printed or bare in allowed, printed
    if path.stem == "zh":
        assert not re.search(r"[一-鿿][,;!?]", text), "half-width punctuation"


def test_every_ready_journey_is_taken_once_and_published(shop: Shop) -> None:
    for name in ORDER:
        added = take_from_gallery(shop, f"our-{name}", name, actor="test")
        assert {f"templates/{each}" for each in list_templates(name)} <= set(added)
        assert shop.journeys.publish(f"our-{name}", actor="test").version == 1
    assert take_from_gallery(shop, "second", "welcome", actor="test") == ()
    with pytest.raises(Conflict, match="already"):
        take_from_gallery(shop, "second", "welcome", actor="test")


def test_what_the_gallery_does_not_have_is_named(shop: Shop) -> None:
    with pytest.raises(UnknownJourney, match="did you mean 'welcome'"):
        take_from_gallery(shop, "x", "welcom", actor="test")


def test_the_whole_gallery_is_applied_and_comes_back_to_the_letter(
    shop: Shop, tmp_path: Path
) -> None:
    plan = apply_folder(shop, GALLERY, actor="test")
    assert {change.deed.value for change in plan.changes} == {"create"}
    assert not plan_folder(shop, GALLERY).changes
    export_folder(shop, tmp_path / "out")
    assert read_folder(tmp_path / "out") == read_folder(GALLERY)
    assert not plan_folder(shop, tmp_path / "out", delete=True).changes


def list_templates(name: str) -> set[str]:
    return {message.template for message in read_ready(name).messages.values()}
