"""What can be told about journeys."""

from datetime import datetime
from typing import Any

import msgspec

from lingxi.i18n import Sentence


class FindingView(msgspec.Struct, frozen=True):
    """One thing that lint found: ``level`` is error, warning or hint; ``place`` a path."""

    code: str
    level: str
    place: str
    sentence: Sentence


class LintView(msgspec.Struct, frozen=True):
    """What lint found in a journey; with an error it is not published."""

    name: str
    publishable: bool
    findings: tuple[FindingView, ...]


class JourneyView(msgspec.Struct, frozen=True):
    """A journey of the shop: ``state`` is draft, live or paused.

    ``published`` is the version that new runs begin on (0: none); ``changed``: the draft is not
    what is published. ``title`` by language.
    """

    name: str
    title: dict[str, str]
    state: str
    published: int
    changed: bool
    trigger: str
    steps: int
    messages: int
    priority: int
    holdout: float
    category: str
    changed_at: datetime
    changed_by: str


class VersionView(msgspec.Struct, frozen=True):
    """One published version of a journey."""

    version: int
    published_at: datetime
    published_by: str
    note: str


class JourneyDetail(msgspec.Struct, frozen=True):
    """One journey whole: ``definition`` its draft in the file's form, ``text`` the same as YAML.

    ``mark`` names the state of the draft: who writes may send it as ``expected``.
    """

    journey: JourneyView
    mark: str
    definition: dict[str, Any]
    text: str
    findings: tuple[FindingView, ...]
    versions: tuple[VersionView, ...]


class JourneysView(msgspec.Struct, frozen=True):
    """All journeys of the shop, by name."""

    journeys: tuple[JourneyView, ...]


class PublishedView(msgspec.Struct, frozen=True):
    """What publishing did: the version that new runs begin on, and what lint still doubts."""

    name: str
    version: int
    findings: tuple[FindingView, ...]


class GalleryEntry(msgspec.Struct, frozen=True):
    """A ready journey: titles and notes by language, and what else it brings along."""

    name: str
    title: dict[str, str]
    note: dict[str, str]
    trigger: str
    messages: int
    templates: tuple[str, ...]
    offers: tuple[str, ...]
    segments: tuple[str, ...]


class GalleryView(msgspec.Struct, frozen=True):
    """The ready journeys, in the order of a customer's life."""

    journeys: tuple[GalleryEntry, ...]
