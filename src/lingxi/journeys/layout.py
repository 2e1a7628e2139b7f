"""Where the steps of a journey stand on the page: layers from the top, columns, and the lines.

The usual way for layered graphs: the longest way from the start gives the layer, lines that pass a
layer get a place of their own in it, and medians of neighbours order each layer. Pure: the same
journey has the same picture.

Source
------
Sugiyama, Tagawa and Toda (1981), IEEE Trans. SMC 11(2), steps 1 to 3.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import median

import msgspec

from lingxi.journeys.graph import Journey
from lingxi.journeys.walk import Links, find_back_links, list_links, sort_steps

_SWEEPS = 6
END = ""
"""The target of a way that ends the run."""


class Place(msgspec.Struct, frozen=True):
    """Where a step stands: layer from 0 at the top, and column, which may lie between two."""

    step: str
    layer: int
    column: float


class Line(msgspec.Struct, frozen=True):
    """A way from a step to another; ``points`` are (layer, column) from the one to the other.

    A way that ends the run has no ``target`` and one further point below its step.
    """

    source: str
    port: str
    target: str
    points: tuple[tuple[float, float], ...]


class Picture(msgspec.Struct, frozen=True):
    """A journey laid out; ``layers`` and ``columns`` are how large it is."""

    places: tuple[Place, ...]
    lines: tuple[Line, ...]
    layers: int
    columns: int


def lay_out(journey: Journey) -> Picture:
    """The picture of a journey; steps that cannot be reached stand below, in a row.

    >>> from lingxi.journeys.reading import read_journey
    >>> steps = {"a": {"kind": "wait", "duration": "1d", "next": "b"}, "b": {"kind": "end"}}
    >>> picture = lay_out(read_journey({"name": "x", "trigger": {"kind": "api"}, "steps": steps}))
    >>> [(place.step, place.layer, place.column) for place in picture.places]
    [('a', 0, 0.0), ('b', 1, 0.0)]
    """
    links = list_links(journey)
    order = sort_steps(links, journey.start)
    back = set(find_back_links(links, journey.start))
    layer_of = _find_layers(links, order, back)
    rows, chains = _fill_rows(links, order, back, layer_of)
    _order_rows(rows, chains)
    column_of = _find_columns(rows)
    left = [step for step in journey.steps if step not in layer_of]
    depth = len(rows)
    for number, step in enumerate(left):
        layer_of[step], column_of[step] = depth, float(number)
    places = tuple(Place(step, layer_of[step], column_of[step]) for step in (*order, *left))
    lines = tuple(_draw_lines(journey, layer_of, column_of, chains))
    widest = max((len(row) for row in (*rows, left)), default=1)
    return Picture(places, lines, depth + bool(left), max(1, widest))


def _find_layers(links: Links, order: Sequence[str], back: set[tuple[str, str]]) -> dict[str, int]:
    layer = dict.fromkeys(order, 0)
    for step in order:
        for target in links[step]:
            if (step, target) not in back:
                layer[target] = max(layer[target], layer[step] + 1)
    return layer


Chains = dict[tuple[str, str], list[str]]
"""The places that a link takes, from its step to the next, those between included."""


def _fill_rows(
    links: Links, order: Sequence[str], back: set[tuple[str, str]], layer_of: Mapping[str, int]
) -> tuple[list[list[str]], Chains]:
    rows: list[list[str]] = [[] for _ in range(max(layer_of.values()) + 1)]
    for step in order:
        rows[layer_of[step]].append(step)
    chains: Chains = {}
    for step in order:
        for target in links[step]:
            if (step, target) in back:
                continue
            chain = [step]
            for layer in range(layer_of[step] + 1, layer_of[target]):
                between = f"{step}>{target}@{layer}"
                rows[layer].append(between)
                chain.append(between)
            chains[step, target] = [*chain, target]
    return rows, chains


def _order_rows(rows: list[list[str]], chains: Chains) -> None:
    above: dict[str, list[str]] = {}
    below: dict[str, list[str]] = {}
    for chain in chains.values():
        for upper, lower in pairwise(chain):
            below.setdefault(upper, []).append(lower)
            above.setdefault(lower, []).append(upper)
    for sweep in range(_SWEEPS):
        if sweep % 2 == 0:
            for layer in range(1, len(rows)):
                _sort_row(rows[layer], rows[layer - 1], above)
        else:
            for layer in range(len(rows) - 2, -1, -1):
                _sort_row(rows[layer], rows[layer + 1], below)


def _sort_row(row: list[str], beside: Sequence[str], neighbours: Mapping[str, list[str]]) -> None:
    """Order a row by the medians of what its places are joined to in the row beside it."""
    at = {name: float(place) for place, name in enumerate(beside)}
    weights = {}
    for place, name in enumerate(row):
        near = [at[each] for each in neighbours.get(name, ()) if each in at]
        weights[name] = (median(near) if near else float(place), place)
    row.sort(key=lambda name: weights[name])


def _find_columns(rows: Sequence[Sequence[str]]) -> dict[str, float]:
    """Each row centred under the widest."""
    widest = max(len(row) for row in rows)
    return {name: place + (widest - len(row)) / 2 for row in rows for place, name in enumerate(row)}


def _draw_lines(
    journey: Journey,
    layer_of: Mapping[str, int],
    column_of: Mapping[str, float],
    chains: Chains,
) -> list[Line]:
    lines = []
    for source in journey.steps:
        edges = journey.edges(source)
        for number, edge in enumerate(edges):
            here = (float(layer_of[source]), column_of[source])
            if not edge.target:
                shift = (number - (len(edges) - 1) / 2) * 0.3
                points = [here, (here[0] + 0.6, here[1] + shift)]
            else:
                chain = chains.get((source, edge.target))
                names = chain or [source, edge.target]
                first = float(layer_of[source])
                points = [
                    (first + step if chain else float(layer_of[name]), column_of[name])
                    for step, name in enumerate(names)
                ]
            lines.append(Line(source, edge.port, edge.target, tuple(points)))
    return lines
