"""The kinds of definition that a shop has, in the order in which they need each other."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import sqlalchemy as sa

from lingxi.access.audit import record_audit
from lingxi.app.definitions.kind import Files, Kind, read_forms, read_text
from lingxi.app.journeys.desk import publish_in
from lingxi.coupons import list_offers
from lingxi.coupons.book import remove_offer
from lingxi.coupons.file import read_offer, render_offer
from lingxi.errors import UserError
from lingxi.forms import parse_form, render_form
from lingxi.journeys import parse_journey, read_journey, render_journey
from lingxi.journeys import versions as journey_book
from lingxi.messaging.templates import book as template_book
from lingxi.messaging.templates.files import read_files, to_files
from lingxi.messaging.templates.template import Template
from lingxi.recommend.placements.file import FILE as PLACEMENTS_FILE
from lingxi.recommend.placements.file import read_definitions
from lingxi.segments import put_segment, read_segment, write_segment
from lingxi.segments.definitions import delete_segment, list_segments

if TYPE_CHECKING:
    from lingxi.app.shop import Shop

_NOTE = "applied from files"


class Segments:
    """``segments/NAME.yaml``."""

    folder = "segments"

    def read(self, folder: Path) -> dict[str, Files]:
        """The segments below a folder."""
        return read_forms(folder, self.folder, _render_segment)

    def list_held(self, _shop: "Shop", tx: sa.Connection, /) -> dict[str, Files]:
        """The shop's segments."""
        held = [each.segment for each in list_segments(tx)]
        return {s.name: {f"segments/{s.name}.yaml": render_form(write_segment(s))} for s in held}

    def put(self, shop: "Shop", tx: sa.Connection, name: str, files: Files, actor: str) -> None:
        """Make the segment so."""
        segment = read_segment(parse_form(_only(files), name))
        shop.judge.check(tx, segment.rule)
        put_segment(tx, segment, shop.clock.now())
        _audit(shop, tx, actor, "segment.put", name)

    def remove(self, shop: "Shop", tx: sa.Connection, name: str, actor: str) -> None:
        """Delete the segment."""
        delete_segment(tx, name)
        _audit(shop, tx, actor, "segment.remove", name)


class Offers:
    """``offers/NAME.yaml``."""

    folder = "offers"

    def read(self, folder: Path) -> dict[str, Files]:
        """The offers below a folder."""
        return read_forms(folder, self.folder, _render_offer)

    def list_held(self, _shop: "Shop", tx: sa.Connection, /) -> dict[str, Files]:
        """The shop's offers as they are in force."""
        held = [kept.offer for kept in list_offers(tx)]
        return {o.name: {f"offers/{o.name}.yaml": render_offer(o)} for o in held}

    def put(self, shop: "Shop", tx: sa.Connection, name: str, files: Files, actor: str) -> None:
        """Make the offer so; codes that are out keep the version they were issued under."""
        offer = read_offer(parse_form(_only(files), name), name)
        shop.coupons.put_offer(tx, offer, shop.clock.now(), actor=actor)
        _audit(shop, tx, actor, "offer.put", name)

    def remove(self, shop: "Shop", tx: sa.Connection, name: str, actor: str) -> None:
        """Take the offer away, if no code of it was ever issued."""
        remove_offer(tx, name)
        _audit(shop, tx, actor, "offer.remove", name)


class Templates:
    """``templates/NAME/template.yaml`` and the bodies beside it: published."""

    folder = "templates"

    def read(self, folder: Path) -> dict[str, Files]:
        """The templates below a folder."""
        return {name: _spell_template(each) for name, each in read_files(folder).items()}

    def list_held(self, _shop: "Shop", tx: sa.Connection, /) -> dict[str, Files]:
        """The shop's templates as they are sent; one that never was, as its draft."""
        found: dict[str, Files] = {}
        for kept in template_book.list_templates(tx):
            name = kept.draft.name
            sent = kept.published and template_book.read_version(tx, name, kept.published)
            found[name] = _spell_template(sent or kept.draft)
        return found

    def put(self, shop: "Shop", tx: sa.Connection, name: str, files: Files, actor: str) -> None:
        """Publish the template."""
        now = shop.clock.now()
        with TemporaryDirectory() as beside:
            for path, text in files.items():
                target = Path(beside) / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text, encoding="utf-8")
            template = read_files(Path(beside))[name]
        template_book.put_template(tx, template, now, actor=actor)
        template_book.publish_template(tx, name, now, actor=actor, note=_NOTE)
        _audit(shop, tx, actor, "template.publish", name)

    def remove(self, shop: "Shop", tx: sa.Connection, name: str, actor: str) -> None:
        """Take the template away, if it never was published."""
        template_book.remove_template(tx, name)
        _audit(shop, tx, actor, "template.remove", name)


class Journeys:
    """``journeys/NAME.yaml``: published."""

    folder = "journeys"

    def read(self, folder: Path) -> dict[str, Files]:
        """The journeys below a folder."""
        return read_forms(folder, self.folder, _render_journey)

    def list_held(self, _shop: "Shop", tx: sa.Connection, /) -> dict[str, Files]:
        """The shop's journeys as they are published."""
        held = [each for each in journey_book.list_journeys(tx) if each.published]
        texts = {
            each.name: render_journey(journey_book.get_version(tx, each.name, each.published))
            for each in held
        }
        return {name: {f"{self.folder}/{name}.yaml": text} for name, text in texts.items()}

    def put(self, shop: "Shop", tx: sa.Connection, name: str, files: Files, actor: str) -> None:
        """Publish the journey."""
        publish_in(shop, tx, parse_journey(_only(files), name), actor=actor, note=_NOTE)

    def remove(self, shop: "Shop", tx: sa.Connection, name: str, actor: str) -> None:
        """Take the journey out of the shop; runs on their way go on."""
        journey_book.remove_journey(tx, name)
        _audit(shop, tx, actor, "journey.remove", name)


class Drafts:
    """``drafts/NAME.yaml``: journeys that were never published."""

    folder = "drafts"

    def read(self, folder: Path) -> dict[str, Files]:
        """The drafts below a folder."""
        return read_forms(folder, self.folder, _render_journey)

    def list_held(self, _shop: "Shop", tx: sa.Connection, /) -> dict[str, Files]:
        """The shop's journeys that were never published."""
        held = [each for each in journey_book.list_journeys(tx) if not each.published]
        return {h.name: {f"{self.folder}/{h.name}.yaml": render_journey(h.draft)} for h in held}

    def put(self, shop: "Shop", tx: sa.Connection, name: str, files: Files, actor: str) -> None:
        """Make the draft so."""
        journey = parse_journey(_only(files), name)
        journey_book.put_draft(tx, journey, actor=actor, now=shop.clock.now())
        _audit(shop, tx, actor, "journey.draft", name)

    def remove(self, shop: "Shop", tx: sa.Connection, name: str, actor: str) -> None:
        """Take the draft away, unless it has been published meanwhile."""
        held = journey_book.seek_journey(tx, name)
        if held is not None and not held.published:
            journey_book.remove_journey(tx, name)
            _audit(shop, tx, actor, "journey.remove", name)


class PlacementsFile:
    """``placements.toml``: the file itself."""

    folder = PLACEMENTS_FILE

    def read(self, folder: Path) -> dict[str, Files]:
        """The file, if it is there."""
        path = folder / PLACEMENTS_FILE
        if not path.is_file():
            return {}
        text = read_text(path)
        read_definitions(text)
        return {"placements": {PLACEMENTS_FILE: text}}

    def list_held(self, shop: "Shop", _tx: sa.Connection, /) -> dict[str, Files]:
        """The shop's file, if it has one."""
        path = shop.settings.folder / PLACEMENTS_FILE
        return {"placements": {PLACEMENTS_FILE: read_text(path)}} if path.is_file() else {}

    def put(self, shop: "Shop", tx: sa.Connection, name: str, files: Files, actor: str) -> None:
        """Write the file; each placement that it changes becomes a version when it is next read."""
        path = shop.settings.folder / PLACEMENTS_FILE
        beside = path.with_name(f".{PLACEMENTS_FILE}.new")
        beside.write_text(_only(files), encoding="utf-8")
        beside.replace(path)
        _audit(shop, tx, actor, "placements.put", name)

    def remove(self, shop: "Shop", tx: sa.Connection, name: str, actor: str) -> None:
        """Back to what is built in."""
        (shop.settings.folder / PLACEMENTS_FILE).unlink(missing_ok=True)
        _audit(shop, tx, actor, "placements.remove", name)


KINDS: tuple[Kind, ...] = (
    Segments(),
    Offers(),
    Templates(),
    Journeys(),
    Drafts(),
    PlacementsFile(),
)
"""What stands later may name what stands before; what no transaction undoes is last."""


def _only(files: Mapping[str, str]) -> str:
    return next(iter(files.values()))


def _audit(shop: "Shop", tx: sa.Connection, actor: str, action: str, name: str) -> None:
    record_audit(tx, shop.clock.now(), actor=actor, action=action, target=name)


def _spell_template(template: Template) -> Files:
    return {f"templates/{template.name}/{name}": text for name, text in to_files(template).items()}


def _render_segment(raw: object, where: str) -> tuple[str, str]:
    segment = read_segment(raw, where)
    return segment.name, render_form(write_segment(segment))


def _render_offer(raw: object, where: str) -> tuple[str, str]:
    offer = read_offer(raw, where)
    return offer.name, render_offer(offer)


def _render_journey(raw: object, where: str) -> tuple[str, str]:
    try:
        journey = read_journey(raw)
    except UserError as error:
        raise type(error)(f"{where}: {error}") from error
    return journey.name, render_journey(journey)
