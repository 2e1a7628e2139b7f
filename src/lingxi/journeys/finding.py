"""What lint says: a code, how grave, where, and a sentence in the reader's language."""

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from lingxi.i18n import Sentence
from lingxi.journeys.trigger import RuleForm


class Level(StrEnum):
    """An error keeps a journey from being published; the others do not."""

    ERROR = "error"
    WARNING = "warning"
    HINT = "hint"


class Finding(msgspec.Struct, frozen=True):
    """One thing that is wrong or doubtful. ``place``: the path in the journey's file."""

    code: str
    level: Level
    place: str
    sentence: Sentence


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What there is in the shop that a journey may name; nothing where it is not known.

    ``templates``: the languages that each is written in, by name. ``languages``: those that every
    message should be written in. ``categories``: those that customers may choose from.
    ``rule_problem``: what a segment rule names that there is not, as a sentence in English, or an
    empty text.
    """

    templates: Mapping[str, frozenset[str]] | None = None
    segments: frozenset[str] | None = None
    offers: frozenset[str] | None = None
    channels: frozenset[str] | None = None
    stages: frozenset[str] | None = None
    scores: frozenset[str] | None = None
    languages: tuple[str, ...] = ("en",)
    categories: frozenset[str] | None = None
    rule_problem: Callable[[RuleForm], str] | None = None
    now: datetime | None = None


def find(code: str, level: Level, place: str, **params: str | int | float) -> Finding:
    """A finding with its sentence: ``journeys.lint.<code>`` of the catalogues."""
    return Finding(code, level, place, Sentence(f"journeys.lint.{code}", params))
