"""The picture of a journey in pixels: boxes, lines and the places between them, for one SVG."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lingxi.i18n import Translator
from lingxi.journeys.finding import Finding, Level
from lingxi.journeys.graph import Journey
from lingxi.journeys.layout import Line, lay_out
from lingxi.journeys.words import tell_port, tell_step, tell_trigger

_WIDTH, _HEIGHT = 184, 76
_ACROSS, _DOWN = 208, 138
_MARGIN = 12
_TOP = 84
"""Room above the first step, for what begins the journey."""
_PLUS = 28


@dataclass(frozen=True)
class Box:
    """A step: its corner, size, words, counts, and the gravest finding about it."""

    step: str
    kind: str
    x: int
    y: int
    words: str
    level: str
    waiting: int
    passed: int


@dataclass(frozen=True)
class Way:
    """A way from a step to another, as an SVG path, with the corner of its button and its name;
    ``anchor`` is the side on which the name stands, so that two names do not meet."""

    source: str
    port: str
    path: str
    x: int
    y: int
    name: str
    loose: bool
    passed: int
    anchor: str


@dataclass(frozen=True)
class Drawing:
    """A journey in pixels."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    ways: tuple[Way, ...]
    trigger: str
    start_x: int
    box_width: int = _WIDTH
    box_height: int = _HEIGHT
    top: int = _TOP
    plus: int = _PLUS


Passed = Mapping[tuple[str, str], int]


def draw(
    words: Translator,
    journey: Journey,
    findings: tuple[Finding, ...],
    passed: Passed,
    waiting: Mapping[str, int],
) -> Drawing:
    """The drawing of a journey; ``passed`` counts by step and way, ``waiting`` by step."""
    picture = lay_out(journey)
    levels = _list_levels(findings)
    boxes = tuple(
        Box(
            step=place.step,
            kind=str(journey.steps[place.step].__struct_config__.tag),
            x=_x(place.column),
            y=_y(place.layer),
            words=tell_step(words, journey.steps[place.step]),
            level=levels.get(place.step, ""),
            waiting=waiting.get(place.step, 0),
            passed=sum(n for (step, _), n in passed.items() if step == place.step),
        )
        for place in picture.places
    )
    ways: list[Way] = []
    for line in picture.lines:
        same = [each for each in picture.lines if each.source == line.source]
        same.sort(key=lambda each: each.points[1][1])  # so that ways of one step do not cross
        ways.append(_draw_way(words, line, same, passed))
    start = next(box for box in boxes if box.step == journey.start)
    return Drawing(
        width=2 * _MARGIN + picture.columns * _ACROSS,
        height=_find_height(picture.layers, ways),
        boxes=boxes,
        ways=tuple(ways),
        trigger=tell_trigger(words, journey),
        start_x=start.x,
    )


def _find_height(layers: int, ways: Sequence[Way]) -> int:
    """The picture ends with its last box; a way that leads nowhere hangs below its own."""
    room = _DOWN if any(way.loose for way in ways) else _HEIGHT + _MARGIN
    return _TOP + (layers - 1) * _DOWN + room


def _x(column: float) -> int:
    return round(_MARGIN + column * _ACROSS + (_ACROSS - _WIDTH) / 2)


def _y(layer: float) -> int:
    return round(_TOP + layer * _DOWN)


def _draw_way(words: Translator, line: Line, same: list[Line], passed: Passed) -> Way:
    """A line from the foot of a box to the head of the next, curved where it changes column."""
    number, count = same.index(line), len(same)
    spread = (number - (count - 1) / 2) * (_WIDTH / (count + 1))
    top = float(_y(line.points[0][0]))
    begin = (_x(line.points[0][1]) + _WIDTH / 2 + spread, top + _HEIGHT)
    path = f"M{begin[0]:.0f} {begin[1]:.0f}"
    here = begin
    for place, (layer, column) in enumerate(line.points[1:], start=2):
        last = place == len(line.points)
        there = (_x(column) + _WIDTH / 2, float(_y(layer)))
        if last and not line.target:
            there = (begin[0], begin[1] + 44)
        middle = (here[1] + there[1]) / 2
        path += (
            f" C{here[0]:.0f} {middle:.0f} {there[0]:.0f} {middle:.0f} "
            f"{there[0]:.0f} {there[1]:.0f}"
        )
        if not last:
            path += f" V{there[1] + _HEIGHT:.0f}"
            there = (there[0], there[1] + _HEIGHT)
        here = there
    return Way(
        source=line.source,
        port=line.port,
        path=path,
        x=round(begin[0] - _PLUS / 2),
        y=round(begin[1] + 4),
        name=tell_port(words, line.port) if len(same) > 1 else "",
        loose=not line.target,
        passed=passed.get((line.source, line.port), 0),
        anchor="end" if spread < 0 else "start" if spread > 0 else "middle",
    )


def _list_levels(findings: tuple[Finding, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for finding in findings:
        parts = finding.place.split(".")
        if parts[0] == "steps" and len(parts) > 1 and finding.level is not Level.HINT:
            found.setdefault(parts[1], finding.level.value)
    return found
