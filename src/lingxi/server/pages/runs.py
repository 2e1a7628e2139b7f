"""Customers on their way through a journey, and one run with why each step did what it did."""

from collections.abc import Mapping

from litestar import Response, get
from litestar.params import FromPath

from lingxi.app.runs.desk import STATES, RunDesk
from lingxi.app.runs.views import RunRow, RunsView
from lingxi.app.shop import Shop
from lingxi.errors import UnknownCustomer
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
    called, answer = _call(frame, shop, name), _answer(frame, shop, name)
    title = frame.words.text("runs.title", journey=called)
    filters = _read_filters(customer_id, in_state)
    place = {"journey": name, "called": called, "title": title, "answer": answer}
    return _draw(frame, shop, f"/journeys/{name}/runs", place, filters, cursor)


@get("/runs", opt=READ, sync_to_thread=True)
def get_all_runs(
    frame: AskFrame,
    shop: AskShop,
    customer_id: Filter = "",
    in_state: Filter = "",
    cursor: Cursor = None,
) -> Response[str]:
    """Runs of all journeys, newest first; mostly those of one customer."""
    filters = _read_filters(customer_id, in_state)
    words = frame.words
    title = words.text("runs.all")
    answer = words.text("runs.answer.all")
    if filters["customer_id"]:
        answer = words.text("runs.answer.customer", customer=filters["customer_id"])
    place = {"journey": "", "called": "", "title": title, "answer": answer}
    return _draw(frame, shop, "/runs", place, filters, cursor)


def _read_filters(customer_id: str, in_state: str) -> dict[str, str]:
    given = {"customer_id": customer_id.strip(), "in_state": in_state}
    return {key: check_text(key, value) for key, value in given.items()}


def _draw(
    frame: Frame,
    shop: Shop,
    path: str,
    place: Mapping[str, str],
    filters: Mapping[str, str],
    cursor: str | None,
) -> Response[str]:
    try:
        view = RunDesk(shop).list(
            journey=place["journey"] or None,
            customer_id=filters["customer_id"] or None,
            state=filters["in_state"] or None,
            cursor=check_cursor("cursor", cursor),
            n=_ROWS,
        )
    except UnknownCustomer:  # half of an id, while it is typed
        view = RunsView((), None)
    context = {
        **place,
        "view": view,
        "titles": list_titles(frame, shop),
        "filters": filters,
        "cursor": cursor,
        "states": STATES,
        "word_of": name_end,
        "tone_of": tone,
        "path": path,
    }
    address = Address(path, {**filters, "cursor": cursor or ""})
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


def list_titles(frame: Frame, shop: Shop) -> dict[str, str]:
    """What each journey is called, by its name."""
    language = frame.words.reader.language
    return {
        each.name: each.title.get(language) or each.title.get("en") or each.name
        for each in shop.journeys.list_all().journeys
    }


def _call(frame: Frame, shop: Shop, name: str) -> str:
    return title_of(shop.journeys.get_draft(name), frame.words.reader.language)


def _answer(frame: Frame, shop: Shop, name: str) -> str:
    if not shop.journeys.describe(name).journey.published:
        return frame.words.text("runs.answer.none")
    counts = RunDesk(shop).count(name)
    return frame.words.text(
        "runs.answer", n=counts.started, held=counts.held_out, version=counts.version
    )


ROUTES = [get_runs, get_all_runs, get_run]
