"""Live events: what comes in, and the whole way of one message."""

from litestar import Response, get

from lingxi.access import Scope
from lingxi.app.collect_views import LiveView, TraceView
from lingxi.app.queries.live import RESULTS
from lingxi.server.api.parameters import Filter, RowNumber, Search, check_text
from lingxi.server.connect import command_for
from lingxi.server.dependencies import AnyRequest, AskAnswers
from lingxi.server.pages.frame import AskFrame
from lingxi.server.pages.links import Address
from lingxi.server.pages.words import Words

_ROWS = 50


@get("/live", opt={"scope": Scope.EVENTS}, sync_to_thread=True)
def get_live(
    frame: AskFrame,
    answers: AskAnswers,
    request: AnyRequest,
    search: Search = "",
    source: Filter = "",
    result: Filter = "",
    paused: Filter = "",
) -> Response[str]:
    """The latest messages, drawn anew every two seconds unless paused."""
    filters = {
        "search": check_text("search", search).strip(),
        "source": check_text("source", source),
        "result": check_text("result", result),
    }
    called = frame.words.events_called(filters["search"]) if filters["search"] else ()
    view = answers.live(**filters, n=_ROWS, names=called)
    sources = answers.sources().sources
    context = {
        "view": view,
        "filters": filters,
        "filtered": any(filters.values()),
        "results": RESULTS,
        "paused": paused,
        "sources": [row.name for row in sources],
        "command": command_for(sources, str(request.base_url)),
        "may_open": frame.user is not None and frame.user.can(Scope.QUARANTINE),
        "answer": answer_live(frame.words, view),
    }
    return frame.list_page("live.html", context, Address("/live", {**filters, "paused": paused}))


def answer_live(words: Words, view: LiveView) -> str:
    """What has just come in, in one sentence."""
    if not view.held:
        return words.text("live.answer.none")
    if not view.rows:
        return words.text("live.nothing")
    if view.last_minute:
        return words.text("live.answer.now", n=view.last_minute)
    return words.text("live.answer.last", ago=words.ago(view.rows[0].at))


@get("/live/{number:int}", opt={"scope": Scope.QUARANTINE}, sync_to_thread=True)
def get_trace(frame: AskFrame, answers: AskAnswers, number: RowNumber) -> Response[str]:
    """One message that this server remembers, from its bytes to what it changed."""
    return draw_trace(frame, answers.trace(number))


@get("/events/{position:int}", opt={"scope": Scope.QUARANTINE}, sync_to_thread=True)
def get_event(frame: AskFrame, answers: AskAnswers, position: RowNumber) -> Response[str]:
    """One event of the log, with its way as far as it is still remembered."""
    return draw_trace(frame, answers.event(position))


def draw_trace(frame: AskFrame, view: TraceView) -> Response[str]:
    """The page of one message."""
    words = frame.words
    name = str((view.event or {}).get("name") or "")
    context = {
        "view": view,
        "name": words.event(name) if name else words.text("live.unreadable"),
        "remembered": view.raw is not None,
        "answer": words.text(f"trace.answer.{view.result if view.raw is not None else 'old'}"),
    }
    return frame.page("trace.html", context)


ROUTES = [get_live, get_trace, get_event]
