"""Journeys: those of the shop, and the gallery of ready ones."""

from typing import Annotated, Any

from litestar import Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromQuery

from lingxi.access import Scope
from lingxi.app.journeys.gallery import list_gallery, read_ready, take_from_gallery
from lingxi.app.journeys.views import JourneysView
from lingxi.app.shop import Shop
from lingxi.errors import UserError
from lingxi.journeys.words import tell_trigger
from lingxi.server.dependencies import AskShop, AskUser
from lingxi.server.pages.frame import AskFrame, Frame
from lingxi.server.pages.links import link
from lingxi.server.pages.session import see
from lingxi.server.pages.words import Words

READ = {"scope": Scope.JOURNEYS}
WRITE = {"scope": Scope.JOURNEYS_WRITE}
FormData = Annotated[dict[str, Any], Body(media_type=RequestEncodingType.URL_ENCODED)]


@get("/journeys", opt=READ, sync_to_thread=True)
def get_journeys(frame: AskFrame, shop: AskShop, done: FromQuery[str] = "") -> Response[str]:
    """All journeys, and the gallery."""
    return draw_journeys(frame, shop, done="removed" if done == "removed" else "")


@post("/journeys", opt=WRITE, sync_to_thread=True, status_code=200)
def post_journey(data: FormData, frame: AskFrame, shop: AskShop, user: AskUser) -> Response[str]:
    """Take a ready journey: a draft under a name of the shop's own."""
    name, ready = str(data.get("name", "")).strip(), str(data.get("ready", ""))
    try:
        take_from_gallery(shop, name, ready, actor=user.actor)
    except UserError as error:
        return draw_journeys(frame, shop, problem=str(error), status=400)
    return see(link(f"/journeys/{name}", done="taken"))


def draw_journeys(
    frame: Frame, shop: Shop, *, done: str = "", problem: str = "", status: int = 200
) -> Response[str]:
    """The page of all journeys."""
    view = shop.journeys.list_all()
    taken = {each.name for each in view.journeys}
    ready = [
        (entry, tell_trigger(frame.words.reader, read_ready(entry.name)), entry.name in taken)
        for entry in list_gallery().journeys
    ]
    context = {
        "view": view,
        "ready": ready,
        "answer": answer_journeys(frame.words, view),
        "may_change": may_change(frame),
        "done": done,
        "problem": problem,
    }
    return frame.page("journeys.html", context, status=status)


def answer_journeys(words: Words, view: JourneysView) -> str:
    """All journeys in a sentence."""
    if not view.journeys:
        return words.text("journeys.answer.none")
    live = sum(each.state == "live" for each in view.journeys)
    rest = len(view.journeys) - live
    said = words.text("journeys.answer.live", n=live)
    return words.join(said, words.text("journeys.answer.rest", n=rest) if rest else "")


def may_change(frame: Frame) -> bool:
    """Whether the reader may change journeys."""
    return frame.user is not None and frame.user.can(Scope.JOURNEYS_WRITE)


ROUTES = [get_journeys, post_journey]
