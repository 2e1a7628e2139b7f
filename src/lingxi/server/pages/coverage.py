"""What the recommender shows of the shop, and whether it only shows what is popular anyway."""

from litestar import Response, get

from lingxi.access import Scope
from lingxi.app.quality_views import CoverageView
from lingxi.errors import NotEnoughData, NotTrained
from lingxi.server.dependencies import AskAnswers
from lingxi.server.pages.figures import Cell, Row, Series, Table
from lingxi.server.pages.frame import AskFrame
from lingxi.server.pages.words import Words

FAR = 0.05
"""A group's share of the lists this far from its share of what customers do is worth a word."""


@get("/coverage", opt={"scope": Scope.MODELS}, sync_to_thread=True)
def get_coverage(frame: AskFrame, answers: AskAnswers) -> Response[str]:
    """Coverage and popularity bias."""
    try:
        view = answers.coverage()
    except (NotTrained, NotEnoughData):
        return frame.page("coverage_empty.html")
    context = {
        "view": view,
        "answer": answer_coverage(frame.words, view),
        "chart": chart_groups(frame.words, view),
    }
    return frame.page("coverage.html", context)


def answer_coverage(words: Words, view: CoverageView) -> str:
    """How much of the shop is shown, and which way the lists lean."""
    shown = words.text(
        "coverage.answer",
        n=view.customers,
        shown=words.num(view.shown),
        items=words.num(view.items),
        weight_share=view.shown / max(view.items, 1),
    )
    head = view.groups[0]
    lean = head.shown - head.history
    way = "popular" if lean > FAR else "niche" if lean < -FAR else "even"
    said = words.text(f"coverage.lean.{way}", shown_share=head.shown, history_share=head.history)
    return words.join(shown, said)


def chart_groups(words: Words, view: CoverageView) -> Table:
    """Share of what customers do beside share of the lists, by popularity."""
    series = (
        Series(words.text("coverage.history"), "baseline"),
        Series(words.text("coverage.lists"), "1"),
    )
    rows = tuple(
        Row(
            words.word("coverage.group", group.name),
            (
                Cell(words.pct(group.history), group.history),
                Cell(words.pct(group.shown), group.shown),
            ),
        )
        for group in view.groups
    )
    return Table(words.text("coverage.popularity"), series, rows)


ROUTES = [get_coverage]
