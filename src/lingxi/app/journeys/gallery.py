"""The gallery of ready journeys, and what each brings along: templates, offers, segments."""

from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from lingxi.app.definitions.kind import Files, Kind
from lingxi.app.definitions.kinds import KINDS
from lingxi.app.journeys.views import GalleryEntry, GalleryView
from lingxi.errors import Conflict, UnknownJourney, did_you_mean
from lingxi.journeys import Journey, parse_journey, read_journey
from lingxi.journeys import versions as book
from lingxi.journeys.reading import form_of, list_rules
from lingxi.journeys.step import CouponStep, NextBestStep
from lingxi.journeys.trigger import RuleForm, SegmentTrigger

if TYPE_CHECKING:
    from lingxi.app.shop import Shop

ORDER = (
    "welcome",
    "browse-abandonment",
    "cart-abandonment",
    "second-order",
    "cross-sell",
    "replenishment",
    "price-drop",
    "back-in-stock",
    "review-request",
    "loyalty-thanks",
    "birthday",
    "churn-prevention",
    "win-back",
    "sunset",
)
"""The ready journeys, in the order of a customer's life."""
GALLERY = Path(str(resources.files("lingxi.journeys.gallery")))


def list_gallery() -> GalleryView:
    """Every ready journey, in short."""
    return GalleryView(tuple(_describe(read_ready(name)) for name in ORDER))


def read_ready(name: str) -> Journey:
    """A ready journey.

    Raises
    ------
    UnknownJourney
        If the gallery has none of this name.
    """
    if name not in ORDER:
        raise UnknownJourney(
            f"The gallery has no journey {name[:60]!r}{did_you_mean(name, ORDER)}. "
            f"It has: {', '.join(ORDER)}."
        )
    text = (GALLERY / "journeys" / f"{name}.yaml").read_text(encoding="utf-8")
    return parse_journey(text, name)


def take_from_gallery(shop: "Shop", name: str, ready: str, *, actor: str) -> tuple[str, ...]:
    """Make a ready journey the draft of a new one, with what it needs and the shop lacks.

    Templates, offers and segments that the shop has under the same name are left as they are.

    Returns
    -------
    The definitions that were added beside the journey: ``templates/cart-1``.

    Raises
    ------
    UnknownJourney
        If the gallery has no such journey.
    Conflict
        If the shop has a journey of this name.
    """
    journey = read_journey({**form_of(read_ready(ready)), "name": name})
    entry = _describe(journey)
    needed = {
        "templates": entry.templates,
        "offers": entry.offers,
        "segments": entry.segments,
    }
    added: list[str] = []
    with shop.store.write(eager=True) as tx:
        if book.seek_journey(tx, name) is not None:
            raise Conflict(f"There is a journey {name!r} already; choose another name.")
        for kind in KINDS:
            wanted = needed.get(kind.folder, ())
            held = kind.list_held(shop, tx) if wanted else {}
            for each, files in _choose(kind, wanted):
                if each not in held:
                    kind.put(shop, tx, each, files, actor)
                    added.append(f"{kind.folder}/{each}")
        book.put_draft(tx, journey, actor=actor, now=shop.clock.now())
    return tuple(added)


def _choose(kind: Kind, names: tuple[str, ...]) -> Iterator[tuple[str, Files]]:
    found = kind.read(GALLERY) if names else {}
    for name in names:
        if name in found:
            yield name, found[name]


def _describe(journey: Journey) -> GalleryEntry:
    offers = [s.offer for s in journey.steps.values() if isinstance(s, CouponStep)]
    for step in journey.steps.values():
        if isinstance(step, NextBestStep):
            offers += [action.offer for action in step.actions]
    segments = [name for _, rule in list_rules(journey) for name in _list_segments(rule)]
    if isinstance(journey.trigger, SegmentTrigger):
        segments.append(journey.trigger.segment)
    templates = [message.template for message in journey.messages.values()]
    return GalleryEntry(
        name=journey.name,
        title=journey.title,
        note=journey.note,
        trigger=str(journey.trigger.__struct_config__.tag),
        messages=len(journey.messages),
        templates=tuple(dict.fromkeys(templates)),
        offers=tuple(dict.fromkeys(offers)),
        segments=tuple(dict.fromkeys(segments)),
    )


def _list_segments(rule: RuleForm | object) -> Iterator[str]:
    """The segments that a rule in its JSON form names, anywhere in it."""
    if isinstance(rule, dict):
        for key, value in rule.items():
            if key == "segment" and isinstance(value, str):
                yield value
            yield from _list_segments(value)
    elif isinstance(rule, list):
        for each in rule:
            yield from _list_segments(each)
