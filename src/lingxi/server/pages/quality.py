"""Data quality: lines in = kept + set aside, why, and what waits in quarantine."""

from litestar import Response, get

from lingxi.access import Scope
from lingxi.app.views import ImportReport, QualityView
from lingxi.server.api.parameters import Cursor, Filter, check_cursor, check_text
from lingxi.server.dependencies import AskAnswers
from lingxi.server.pages.frame import AskFrame
from lingxi.server.pages.links import Address
from lingxi.server.pages.words import Words

_ROWS = 25


@get("/quality", opt={"scope": Scope.QUALITY}, sync_to_thread=True)
def get_quality(
    frame: AskFrame,
    answers: AskAnswers,
    import_id: Filter = "",
    reason: Filter = "",
    cursor: Cursor = None,
) -> Response[str]:
    """The report of one import (the newest where none is named), and the quarantine."""
    view = answers.quality()
    if not view.imports:
        return frame.page("quality_empty.html")
    query = {
        "import_id": check_text("import_id", import_id),
        "reason": check_text("reason", reason),
        "cursor": cursor or "",
    }
    may_read_lines = frame.user is not None and frame.user.can(Scope.QUARANTINE)
    lines = None
    if may_read_lines and view.quarantined:
        lines = answers.quarantine(
            reason=query["reason"], cursor=check_cursor("cursor", cursor), n=_ROWS
        )
    report = choose_report(view, import_id)
    context = {
        "view": view,
        "report": report,
        "dropped": [r for r in report.reasons if not r.kept],
        "mended": [r for r in report.reasons if r.kept],
        "lines": lines,
        "reason": reason,
        "cursor": cursor,
        "may_read_lines": may_read_lines,
        "answer": answer_quality(frame.words, report),
    }
    return frame.list_page("quality.html", context, Address("/quality", query))


def choose_report(view: QualityView, import_id: str) -> ImportReport:
    """The import that was asked for, else the newest."""
    named = [report for report in view.imports if report.import_id == import_id]
    return named[0] if named else view.imports[0]


def answer_quality(words: Words, report: ImportReport) -> str:
    """An import in one sentence."""
    share = report.lines_kept / report.lines_in if report.lines_in else 0.0
    return words.text(
        "quality.answer",
        n=report.lines_in,
        kept=report.lines_kept,
        kept_text=words.pct(share, 1),
        aside=report.lines_set_aside,
    )


ROUTES = [get_quality]
