"""An item among its neighbours: a picture to find one's way, and the table it is drawn from."""

from dataclasses import dataclass
from math import cos, pi, sin

from litestar import Response, get
from litestar.params import FromPath

from lingxi.access import Scope
from lingxi.app.quality_views import Neighbour, NeighbourhoodView
from lingxi.errors import NotTrained
from lingxi.server.api.parameters import check_id
from lingxi.server.dependencies import AskAnswers
from lingxi.server.pages.frame import AskFrame
from lingxi.server.pages.words import Words

_NEIGHBOURS = 10
_CENTRE, _NEAREST, _FARTHEST = 150.0, 62.0, 128.0


@dataclass(frozen=True)
class Spot:
    """A neighbour's place in the picture."""

    x: float
    y: float
    share: float
    """Its score as a share of the nearest one's."""


@dataclass(frozen=True)
class Line:
    """A tie between two neighbours; ``width`` by how near they are."""

    one: Spot
    other: Spot
    width: float


@get("/neighbourhood/{item_id:path}", opt={"scope": Scope.RECOMMENDATIONS}, sync_to_thread=True)
def get_neighbourhood(
    frame: AskFrame, answers: AskAnswers, item_id: FromPath[str]
) -> Response[str]:
    """One item and what is near it."""
    wanted = check_id("item_id", item_id.removeprefix("/"))
    try:
        view = answers.neighbourhood(wanted, n=_NEIGHBOURS)
    except NotTrained:
        return frame.page("neighbourhood_empty.html", {"item_id": wanted})
    spots = place_spots([one.item.score for one in view.neighbours])
    most = max((tie.score for tie in view.ties), default=1.0)
    lines = [Line(spots[t.one], spots[t.other], 0.5 + 3 * t.score / most) for t in view.ties]
    context = {
        "view": view,
        "answer": answer_neighbourhood(frame.words, view),
        "spots": spots,
        "lines": lines,
    }
    return frame.page("neighbourhood.html", context)


def place_spots(scores: list[float]) -> list[Spot]:
    """Around the middle in the order of nearness, the nearer the closer to it.

    >>> [(round(s.x), round(s.y)) for s in place_spots([1.0, 0.0])]
    [(150, 88), (150, 278)]
    """
    most = max(scores, default=1.0) or 1.0
    spots = []
    for place, score in enumerate(scores):
        angle = 2 * pi * place / len(scores) - pi / 2
        away = _FARTHEST - (_FARTHEST - _NEAREST) * score / most
        x, y = _CENTRE + away * cos(angle), _CENTRE + away * sin(angle)
        spots.append(Spot(round(x, 1), round(y, 1), score / most))
    return spots


def answer_neighbourhood(words: Words, view: NeighbourhoodView) -> str:
    """The nearest item, and how often both are in one order."""
    if not view.neighbours:
        return words.text("near.answer.none")
    first = view.neighbours[0]
    near = words.text("near.answer", name=first.item.name or first.item.item_id)
    tied = _find_tied(view.neighbours)
    if tied is None or tied.together is None:
        return near
    return words.join(
        near,
        words.text(
            "near.answer.together", n=tied.together, name=tied.item.name or tied.item.item_id
        ),
    )


def _find_tied(neighbours: tuple[Neighbour, ...]) -> Neighbour | None:
    """The neighbour that is most often in the same orders."""
    known = [one for one in neighbours if one.together is not None]
    return max(known, key=lambda one: one.together or 0, default=None)


ROUTES = [get_neighbourhood]
