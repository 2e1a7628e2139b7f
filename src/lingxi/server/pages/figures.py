"""Figures of a page as plain data: tables that charts are drawn from, tiles, bars."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lingxi.server.pages.words import Words


@dataclass(frozen=True)
class Cell:
    """One value with the text that says it; ``low`` and ``high`` bound its interval."""

    text: str
    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Series:
    """One column of figures; ``tone`` names its colour, ``baseline`` draws it grey and dashed,
    and a column without one stands in the table only."""

    name: str
    tone: str = "1"


@dataclass(frozen=True)
class Row:
    """One row: a name and a cell for each series; the ``tone`` of a bar in place of its series'."""

    name: str
    cells: tuple[Cell, ...]
    tone: str = ""


@dataclass(frozen=True)
class Table:
    """What a chart shows; the same table stands under it."""

    head: str
    series: tuple[Series, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Change:
    """How a figure compares with the period before."""

    text: str
    tone: str


@dataclass(frozen=True)
class Share:
    """One part of a whole, for a list of bars."""

    name: str
    count: int
    share: float
    tone: str = ""
    link: str = ""


def compare(words: Words, now: int, before: int) -> Change | None:
    """The change against the period before; nothing where there was nothing to compare with."""
    if before <= 0:
        return None
    change = now / before - 1
    tone = "good" if change > 0 else "bad" if change < 0 else ""
    return Change(words.signed(change), tone)


def spark_points(values: Sequence[float], *, width: float = 100, height: float = 32) -> str:
    """A line through the values for an SVG polyline, zero at the bottom.

    >>> spark_points([0, 2, 1])
    '0.0,31.0 50.0,1.0 100.0,16.0'
    """
    if len(values) < 2 or max(values) <= 0:
        return ""
    top = max(values)
    step = width / (len(values) - 1)
    return " ".join(
        f"{index * step:.1f},{height - 1 - max(value, 0) / top * (height - 2):.1f}"
        for index, value in enumerate(values)
    )


def rank_shares(
    counts: Mapping[str, int], order: Sequence[str], names: Mapping[str, str]
) -> tuple[Share, ...]:
    """Parts of a whole in a fixed order; parts that the order does not know come last.

    >>> [s.name for s in rank_shares({"b": 1, "a": 3}, ["a", "b"], {"a": "A", "b": "B"})]
    ['A', 'B']
    """
    total = sum(counts.values())
    known = [name for name in order if name in counts]
    rest = sorted(name for name in counts if name not in order)
    return tuple(
        Share(names.get(name, name), counts[name], counts[name] / total if total else 0.0)
        for name in (*known, *rest)
    )
