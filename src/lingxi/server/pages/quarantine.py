"""Messages in quarantine: why each waits, mended by hand, tried again."""

from dataclasses import dataclass
from typing import Annotated

from litestar import Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromQuery

from lingxi.access import Scope
from lingxi.app.answers import Answers
from lingxi.app.collect_views import Retaken
from lingxi.errors import UserError
from lingxi.server.api.parameters import Cursor, Filter, RowNumber, check_cursor, check_text
from lingxi.server.dependencies import AskAnswers
from lingxi.server.pages.frame import AskFrame, Frame
from lingxi.server.pages.links import Address, link
from lingxi.server.pages.session import see
from lingxi.server.pages.words import Words

_ROWS = 25
_DONE = ("mended", "replayed")
_MEND = {"scope": Scope.QUARANTINE}


@dataclass(frozen=True)
class MendForm:
    """The corrected text of one message."""

    text: str


@dataclass(frozen=True)
class ReplayForm:
    """Which messages to try again: all of a reason, of a source, or all."""

    reason: str = ""
    source: str = ""


MendData = Annotated[MendForm, Body(media_type=RequestEncodingType.URL_ENCODED)]
ReplayData = Annotated[ReplayForm, Body(media_type=RequestEncodingType.URL_ENCODED)]


@get("/quarantine", opt=_MEND, sync_to_thread=True)
def get_quarantine(
    frame: AskFrame,
    answers: AskAnswers,
    reason: Filter = "",
    source: Filter = "",
    cursor: Cursor = None,
    done: FromQuery[str] = "",
    n: FromQuery[int] = 0,
    left: FromQuery[int] = 0,
) -> Response[str]:
    """The list; ``done`` and ``n`` say what was just done to how many, ``left`` how many of those
    that were tried again still wait."""
    filters = {"reason": check_text("reason", reason), "source": check_text("source", source)}
    view = answers.waiting(**filters, cursor=check_cursor("cursor", cursor), n=_ROWS)
    waiting = sum(view.by_reason.values())
    context = {
        "view": view,
        "filters": filters,
        "filtered": any(filters.values()),
        "cursor": cursor,
        "waiting": waiting,
        "matching": view.by_reason.get(reason, 0) if reason else waiting,
        "done": _tell_done(frame.words, done, n, left) if done in _DONE else "",
        "answer": frame.words.text("waiting.answer", n=waiting)
        if waiting
        else frame.words.text("waiting.answer.none"),
    }
    address = Address("/quarantine", {**filters, "cursor": cursor or ""})
    return frame.list_page("quarantine.html", context, address)


@post("/quarantine/replay", opt=_MEND, sync_to_thread=True, status_code=200)
def post_replay(data: ReplayData, answers: AskAnswers) -> Response[str]:
    """Try the messages of a reason again, as they came."""
    done = answers.replay_waiting(reason=data.reason, source=data.source)
    return _see_done("replayed", done)


@get("/quarantine/{number:int}", opt=_MEND, sync_to_thread=True)
def get_message(frame: AskFrame, answers: AskAnswers, number: RowNumber) -> Response[str]:
    """One message, to be mended."""
    return draw_message(frame, answers, number)


@post("/quarantine/{number:int}", opt=_MEND, sync_to_thread=True, status_code=200)
def post_message(
    frame: AskFrame, answers: AskAnswers, number: RowNumber, data: MendData
) -> Response[str]:
    """Take one message with its text corrected."""
    try:
        done = answers.mend_waiting(number, data.text)
    except UserError as error:
        return draw_message(frame, answers, number, text=data.text, problem=str(error), status=400)
    if done.still_waiting:
        why = [frame.words.word("clean.reason", reason) for reason in done.reasons]
        problem = frame.words.join(frame.words.text("waiting.still"), *why)
        return draw_message(frame, answers, number, text=data.text, problem=problem, status=400)
    return _see_done("mended", done)


def draw_message(
    frame: Frame,
    answers: Answers,
    number: int,
    *,
    text: str = "",
    problem: str = "",
    status: int = 200,
) -> Response[str]:
    """The page of one message, with what a form said and why it did not do."""
    row = answers.waiting_message(number)
    context = {"row": row, "text": text or row.text, "problem": problem}
    return frame.page("quarantine_message.html", context, status=status)


def _see_done(what: str, done: Retaken) -> Response[str]:
    passed, left = done.stored + done.duplicates, done.still_waiting
    return see(link("/quarantine", done=what, n=str(passed), left=str(left or "")))


def _tell_done(words: Words, done: str, n: int, left: int) -> str:
    if done == "replayed" and not n and left:
        return words.text("waiting.done.none", n=left)
    still = words.text("waiting.done.left", n=left) if left > 0 else ""
    return words.join(words.text(f"waiting.done.{done}", n=n), still)


ROUTES = [get_quarantine, post_replay, get_message, post_message]
