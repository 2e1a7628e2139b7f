"""How good the recommender is on the shop's own data: every metric with its interval, and since
when."""

from collections.abc import Sequence
from dataclasses import dataclass

from litestar import Response, get

from lingxi.access import Scope
from lingxi.app.quality_views import ModelQuality, ShopReport
from lingxi.recommend.measures import Measure
from lingxi.server.dependencies import AskAnswers
from lingxi.server.pages.figures import Cell, Row, Series, Table
from lingxi.server.pages.frame import AskFrame
from lingxi.server.pages.words import Words

MAIN = "ndcg@10"
_ACCURACY = ("ndcg", "recall", "hit_rate", "mrr", "map")
_LISTS = ("coverage", "novelty", "diversity", "calibration")


@dataclass(frozen=True)
class Part:
    """Metrics that belong together, by the length of the list."""

    code: str
    metrics: tuple[str, ...]


@get("/recommender", opt={"scope": Scope.MODELS}, sync_to_thread=True)
def get_recommender(frame: AskFrame, answers: AskAnswers) -> Response[str]:
    """The newest report, and how the figures have moved since the first."""
    reports = answers.reports().reports
    if not reports:
        return frame.page("recommender_empty.html")
    report = reports[0]
    context = {
        "report": report,
        "answer": answer_report(frame.words, report),
        "chart": chart_models(frame.words, report),
        "history": chart_history(frame.words, reports),
        "parts_of": list_parts(report),
        "gains": [name for name in _ACCURACY if f"{name}@10" in report.models[0].measures],
    }
    return frame.page("recommender.html", context)


def answer_report(words: Words, report: ShopReport) -> str:
    """What it found for how many, beside popularity, and whether that could be chance."""
    chosen = find_model(report, report.chosen)
    popular = find_model(report, "popularity")
    found = words.text(
        "report.answer",
        n=report.customers,
        model=words.word("model", report.chosen),
        hit_share=_value(chosen, "hit_rate@10"),
        days=(report.data_to - report.cutoff).days + 1,
    )
    gain = report.over.get("popularity", {}).get(MAIN)
    if popular is None or gain is None or gain.low is None or gain.high is None:
        return found
    sure = "better" if gain.low > 0 else "worse" if gain.high < 0 else "open"
    share = _value(popular, "hit_rate@10")
    return words.join(
        found,
        words.text("report.answer.popular", hit_share=share),
        words.text(f"report.answer.{sure}"),
    )


def find_model(report: ShopReport, name: str) -> ModelQuality | None:
    """One model of a report."""
    return next((model for model in report.models if model.name == name), None)


def _value(model: ModelQuality | None, metric: str) -> float:
    measure = model.measures.get(metric) if model else None
    return measure.value or 0.0 if measure else 0.0


def list_parts(report: ShopReport) -> list[Part]:
    """The metrics of a report in the order they are shown."""
    known = report.models[0].measures
    return [
        Part(code, tuple(f"{name}@{n}" for n in report.lengths for name in names
                         if f"{name}@{n}" in known))
        for code, names in (("accuracy", _ACCURACY), ("lists", _LISTS))
    ]  # fmt: skip


def chart_models(words: Words, report: ShopReport) -> Table:
    """The deciding metric of each model, with its interval."""
    rows = tuple(
        Row(
            words.word("model", model.name),
            (to_cell(words, model.measures[MAIN]),),
            "baseline" if model.baseline else "",
        )
        for model in report.models
    )
    return Table(words.text("column.model"), (Series(words.metric(MAIN), "1"),), rows)


def chart_history(words: Words, reports: Sequence[ShopReport]) -> Table | None:
    """The deciding metric of the model in use, report after report; nothing for a single one."""
    if len(reports) < 2:
        return None
    rows = []
    for report in reversed(reports):
        pair = [find_model(report, report.chosen), find_model(report, "popularity")]
        cells = [to_cell(words, m.measures.get(MAIN) if m else None) for m in pair]
        rows.append(Row(words.date(report.made_at), tuple(cells)))
    series = (
        Series(words.text("report.in_use"), "1"),
        Series(words.word("model", "popularity"), "baseline"),
    )
    return Table(words.text("report.made"), series, tuple(rows))


def to_cell(words: Words, measure: Measure | None) -> Cell:
    """A measure with its interval as a cell."""
    if measure is None or measure.value is None:
        return Cell("–", None)
    text = words.num(measure.value, 3)
    if measure.low is not None:
        low, high = words.num(measure.low, 3), words.num(measure.high, 3)
        text = f"{text} {words.text('report.interval', low=low, high=high)}"
    return Cell(text, measure.value, measure.low, measure.high)


ROUTES = [get_recommender]
