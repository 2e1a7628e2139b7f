"""Definitions of placements in the form in which they are told."""

from lingxi.app.placements.book import Book, Version
from lingxi.app.placements.views import DefinitionsView, DefinitionView, VersionView
from lingxi.recommend.placements.defaults import DEFAULTS


def list_definitions(book: Book) -> DefinitionsView:
    """All placements, without their versions."""
    found = book.get()
    return DefinitionsView(
        placements=tuple(describe(book, name, versions=False) for name in found.placements),
        shop_rules=len(found.rules),
        problem=book.problem,
    )


def describe(book: Book, name: str, *, versions: bool = True) -> DefinitionView:
    """One placement with its versions, newest first.

    Raises
    ------
    UnknownPlacement
        If there is none of this name.
    """
    placement = book.get().get(name)
    known = book.versions(name, n=50 if versions else 1)
    return DefinitionView(
        name=name,
        built_in=name in DEFAULTS,
        changed=placement != DEFAULTS.get(name),
        version=known[0].version if known else 0,
        mark=book.mark(name),
        definition=placement,
        text=book.section(name),
        versions=tuple(show_version(each) for each in known) if versions else (),
    )


def show_version(version: Version) -> VersionView:
    """A version, told."""
    return VersionView(
        version=version.version,
        at=version.at,
        actor=version.actor,
        note=version.note,
        text=version.text,
        restored=version.base,
    )
