"""Customers on their way through a journey, and one run with why each step did what it did."""

from litestar import Response, get
from litestar.params import FromPath

from lingxi.app.runs.desk import STATES, RunDesk
from lingxi.app.runs.views import RunRow
from lingxi.app.shop import Shop
from lingxi.journeys.graph import title_of
from lingxi.server.api.parameters import Cursor, Filter, check_cursor, check_text
from lingxi.server.dependencies import AskShop
from lingxi.server.pages.frame import AskFrame, Frame
from lingxi.server.pages.journeys import READ
from lingxi.server.pages.links import Address
from lingxi.server.pages.messages import STATE_TONES

_ROWS = 50
_TONES = {"goal": "good", "completed": "other", "failed": "bad", "stopped": "warning"}


@get("/journeys/{name:str}/runs", opt=READ, sync_to_thread=True)
def get_runs(
    frame: AskFrame,
    shop: AskShop,
    name: FromPath[str],
    customer_id: Filter = "",
    in_state: Filter = "",
    cursor: Cursor = None,
) -> Response[str]:
    """Runs of a journey, newest first."""
    given = {"customer_id": customer_id, "in_state": in_state}
    filters = {key: check_text(key, value) for key, value in given.items()}
    view = RunDesk(shop).list(
        journey=name,
        customer_id=filters["customer_id"] or None,
        state=filters["in_state"] or None,
        cursor=check_cursor("cursor", cursor),
        n=_ROWS,
    )
    context = {
        "view": view,
        "journey": name,
        "called": _call(frame, shop, name),
        "answer": _answer(frame, shop, name),
        "filters": filters,
        "cursor": cursor,
        "states": STATES,
        "word_of": name_end,
        "tone_of": tone,
    }
    address = Address(f"/journeys/{name}/runs", {**filters, "cursor": cursor or ""})
    return frame.list_page("runs.html", context, address)


@get("/runs/{number:int}", opt=READ, sync_to_thread=True)
def get_run(frame: AskFrame, shop: AskShop, number: FromPath[int]) -> Response[str]:
    """One run, step by step."""
    view = RunDesk(shop).get(number)
    context = {
        "view": view,
        "called": _call(frame, shop, view.run.journey),
        "answer": frame.words.text(f"run.answer.{name_end(view.run)}"),
        "tones": STATE_TONES,
    }
    return frame.page("run.html", context)


def name_end(run: RunRow) -> str:
    """How a run ended, or where it is: the end of a code."""
    return run.outcome or run.state


def tone(run: RunRow) -> str:
    """The colour of a run's chip."""
    return _TONES.get(run.outcome, "other" if run.outcome else "6")


def _call(frame: Frame, shop: Shop, name: str) -> str:
    return title_of(shop.journeys.get_draft(name), frame.words.reader.language)


def _answer(frame: Frame, shop: Shop, name: str) -> str:
    if not shop.journeys.describe(name).journey.published:
        return frame.words.text("runs.answer.none")
    counts = RunDesk(shop).count(name)
    return frame.words.text(
        "runs.answer", n=counts.started, held=counts.held_out, version=counts.version
    )


ROUTES = [get_runs, get_run]
