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
from lingxi.app.shop import Shop, init_shop
from lingxi.config.mail import MailSettings
from lingxi.errors import Conflict, UnknownJourney
from lingxi.i18n import LANGUAGES
from lingxi.journeys.lint import lint
from lingxi.messaging.templates.book import get_template


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
    assert journey.category in MailSettings().categories, "customers can refuse it by itself"
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


def test_a_text_is_of_the_category_of_its_journey() -> None:
    texts = read_folder(GALLERY)["templates"]
    for name in ORDER:
        journey = read_ready(name)
        for template in list_templates(name):
            assert f"category: {journey.category}\n" in "".join(texts[template].values()), template


def test_every_ready_journey_is_taken_once_and_published(shop: Shop) -> None:
    for name in ORDER:
        added = take_from_gallery(shop, f"our-{name}", name, actor="test")
        assert {f"templates/{each}" for each in list_templates(name)} <= set(added)
        assert shop.journeys.publish(f"our-{name}", actor="test").version == 1
    assert take_from_gallery(shop, "second", "welcome", actor="test") == ()
    with pytest.raises(Conflict, match="already"):
        take_from_gallery(shop, "second", "welcome", actor="test")


def test_every_text_renders_for_a_customer_of_whom_nothing_is_known(shop: Shop) -> None:
    """Only what a template requires may be missing; no hole is left, no name, price or picture."""
    apply_folder(shop, GALLERY, actor="t")
    names = [path.name for path in sorted((GALLERY / "templates").iterdir())]
    for name in names:
        with shop.store.read() as tx:
            required = get_template(tx, name).draft.required
        for language in LANGUAGES:
            seen = shop.templates.preview(name, language=language)
            assert (seen.language, seen.problem) == (language, ""), name
            assert set(seen.missing) <= {*required, "links.unsubscribe", "links.preferences"}
            assert seen.subject, name
            assert seen.text, name
            assert not re.search(r"\bNone\b|{{|}}|{%", seen.subject + seen.text), name


def test_an_export_applied_to_an_empty_shop_is_exported_the_same(
    shop: Shop, tmp_path: Path
) -> None:
    apply_folder(shop, GALLERY, actor="t")
    first = export_folder(shop, tmp_path / "first")
    other = init_shop(
        tmp_path / "other", name="O", currency="GBP", timezone="UTC", language="en",
        clock=shop.clock,
    )  # fmt: skip
    apply_folder(other, tmp_path / "first", actor="t")
    assert export_folder(other, tmp_path / "second") == first
    other.close()
    for file in first:
        assert (tmp_path / "second" / file).read_bytes() == (tmp_path / "first" / file).read_bytes()


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
