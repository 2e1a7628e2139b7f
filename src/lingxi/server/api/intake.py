"""What comes in: live messages, events of the log, sources, quarantine, consent."""

from typing import Annotated

import msgspec
from litestar import post
from litestar.params import JSONBody, QueryParameter

from lingxi.access.roles import Scope
from lingxi.app.collect_views import (
    ConsentsView,
    FilesView,
    LiveView,
    Retaken,
    SourcesView,
    TraceView,
    WaitingRow,
    WaitingView,
)
from lingxi.server.api.parameters import (
    Cursor,
    Filter,
    RowNumber,
    Rows,
    Search,
    check_cursor,
    check_text,
)
from lingxi.server.api.route import KEY_SCHEME, read
from lingxi.server.dependencies import AskAnswers

LONGEST_MESSAGE = 200_000

Result = Annotated[
    str,
    QueryParameter(max_length=20, description="stored, duplicate or dropped; empty for all."),
]


class Mended(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A message as it should have come: ``text`` is its corrected JSON."""

    text: Annotated[str, msgspec.Meta(min_length=2, max_length=LONGEST_MESSAGE)]


class Replay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which messages of quarantine to try again: of a reason, of a source, or all."""

    reason: Annotated[str, msgspec.Meta(max_length=200)] = ""
    source: Annotated[str, msgspec.Meta(max_length=200)] = ""


@read("/v1/live", Scope.EVENTS, "Live messages")
def list_live(
    answers: AskAnswers, search: Search = "", source: Filter = "", result: Result = "", n: Rows = 50
) -> LiveView:
    """The latest messages that this server took in, newest first, with what became of each."""
    return answers.live(
        search=check_text("search", search),
        source=check_text("source", source),
        result=check_text("result", result),
        n=n,
    )


@read("/v1/live/{number:int}", Scope.QUARANTINE, "The way of a live message")
def get_trace(answers: AskAnswers, number: RowNumber) -> TraceView:
    """One message from its bytes over each cleaning step to what it changed."""
    return answers.trace(number)


@read("/v1/events/{position:int}", Scope.QUARANTINE, "One event of the log")
def get_event(answers: AskAnswers, position: RowNumber) -> TraceView:
    """An event as the log keeps it, whose it is, and its way as far as it is remembered."""
    return answers.event(position)


@read("/v1/files", Scope.EVENTS, "Files and pulls")
def get_files(answers: AskAnswers, n: Rows = 20) -> FilesView:
    """Watched folders and sources that are pulled from, with what went wrong; the files that came
    in last."""
    return answers.files(n=n)


@read("/v1/source-rates", Scope.EVENTS, "Sources with their rates")
def get_source_rates(answers: AskAnswers) -> SourcesView:
    """What each source sent in the last 24 hours, by the hour, and why messages were set aside."""
    return answers.sources()


@read("/v1/waiting", Scope.QUARANTINE, "Messages in quarantine")
def list_waiting(
    answers: AskAnswers,
    reason: Filter = "",
    source: Filter = "",
    cursor: Cursor = None,
    n: Rows = 50,
) -> WaitingView:
    """Messages of the collector that were set aside, oldest first, with their original text."""
    return answers.waiting(
        reason=check_text("reason", reason),
        source=check_text("source", source),
        cursor=check_cursor("cursor", cursor),
        n=n,
    )


@read("/v1/waiting/{number:int}", Scope.QUARANTINE, "One message in quarantine")
def get_waiting(answers: AskAnswers, number: RowNumber) -> WaitingRow:
    """One message in quarantine, with the step that set it aside and why."""
    return answers.waiting_message(number)


@post(
    "/v1/waiting/{number:int}",
    opt={"scope": Scope.QUARANTINE},
    security=[{KEY_SCHEME: [Scope.QUARANTINE.value]}],
    tags=["waiting"],
    summary="Mend one message",
    status_code=200,
    sync_to_thread=True,
)
def mend_waiting(answers: AskAnswers, number: RowNumber, data: JSONBody[Mended]) -> Retaken:
    """Take a message with its text corrected; it leaves quarantine when it passes."""
    return answers.mend_waiting(number, data.text)


@post(
    "/v1/waiting/replay",
    opt={"scope": Scope.QUARANTINE},
    security=[{KEY_SCHEME: [Scope.QUARANTINE.value]}],
    tags=["waiting"],
    summary="Try messages again",
    status_code=200,
    sync_to_thread=True,
)
def replay_waiting(answers: AskAnswers, data: JSONBody[Replay]) -> Retaken:
    """Take messages of quarantine again, as they came, under the rules and rates of today."""
    return answers.replay_waiting(reason=data.reason, source=data.source)


@read("/v1/consents", Scope.OVERVIEW, "Consent over all customers")
def get_consents(answers: AskAnswers) -> ConsentsView:
    """How many said yes, no and nothing, by purpose and channel."""
    return answers.consents()


ROUTES = [
    list_live,
    get_trace,
    get_event,
    get_files,
    get_source_rates,
    list_waiting,
    get_waiting,
    mend_waiting,
    replay_waiting,
    get_consents,
]
