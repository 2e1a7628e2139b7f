"""Models: what was trained when on what, and how good it is beside its baselines."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from litestar import Response, get

from lingxi.access import Scope
from lingxi.app.model_views import CandidateView, Measure, ModelVersionView
from lingxi.server.dependencies import AskAnswers
from lingxi.server.pages.figures import Cell, Row, Series, Table
from lingxi.server.pages.frame import AskFrame
from lingxi.server.pages.words import Words

_SHOWN: Mapping[str, tuple[str, ...]] = {
    "recommender": ("ndcg@10", "hit_rate@10", "recall@10", "coverage@10"),
    "churn": ("auc", "auc_in_time", "average_precision", "brier", "calibration_error"),
}
"""Measures shown at first, the one that decides in front; the others stand in the details."""


@dataclass(frozen=True)
class Whisker:
    """A value and its interval, placed on a scale of 0 to 100."""

    at: float
    low: float
    high: float


@dataclass(frozen=True)
class Line:
    """One candidate: its measures in the order of the heads, those shown and the others."""

    candidate: CandidateView
    shown: tuple[Measure | None, ...]
    further: tuple[Measure | None, ...]
    whisker: Whisker | None


@dataclass(frozen=True)
class Comparison:
    """One model in use: its candidates side by side, the measures in a fixed order."""

    version: ModelVersionView
    metrics: tuple[str, ...]
    further: tuple[str, ...]
    rows: tuple[Line, ...]
    answer: str
    history: Table | None = None
    """The measure that decides, version after version; nothing where there is one only."""

    @property
    def timed(self) -> bool:
        """Whether answers of any candidate were timed."""
        return any(line.candidate.answer_ms is not None for line in self.rows)


@get("/models", opt={"scope": Scope.MODELS}, sync_to_thread=True)
def get_models(frame: AskFrame, answers: AskAnswers) -> Response[str]:
    """Every model in use, and every version kept."""
    view = answers.models()
    if not view.versions:
        return frame.page("models_empty.html")
    active = [version for version in view.versions if version.active]
    context = {
        "comparisons": [
            replace(
                compare_candidates(frame.words, version),
                history=chart_history(frame.words, version.kind, view.versions),
            )
            for version in active
        ],
        "versions": view.versions,
        "newest": max(version.created_at for version in view.versions),
        "answer": answer_models(frame.words, active),
    }
    return frame.page("models.html", context)


def answer_models(words: Words, active: Sequence[ModelVersionView]) -> str:
    """All models in one sentence: how many, and when the oldest in use was trained."""
    if not active:
        return words.text("models.answer.none")
    oldest = min(version.created_at for version in active)
    return words.text("models.answer", n=len(active), day=words.date(oldest))


def compare_candidates(words: Words, version: ModelVersionView) -> Comparison:
    """The candidates of a version, best first by the measure that decided (the first one)."""
    known = list(dict.fromkeys(m.metric for c in version.candidates for m in c.measures))
    shown = [metric for metric in _SHOWN.get(version.kind, tuple(known)) if metric in known]
    metrics = shown or known
    main = metrics[0] if metrics else ""
    measured = [(c, {m.metric: m for m in c.measures}) for c in version.candidates]
    measured.sort(key=lambda pair: -pair[1][main].value if main in pair[1] else 0.0)
    scale = _scale([by[main] for _, by in measured if main in by])
    further = tuple(metric for metric in known if metric not in metrics)
    rows = tuple(
        Line(
            candidate,
            tuple(by.get(metric) for metric in metrics),
            tuple(by.get(metric) for metric in further),
            _place(by[main], scale) if main in by else None,
        )
        for candidate, by in measured
    )
    return Comparison(version, tuple(metrics), further, rows, _answer(words, version, main))


def chart_history(words: Words, kind: str, versions: Sequence[ModelVersionView]) -> Table | None:
    """The deciding measure of what was chosen and of the simplest baseline, oldest first.

    A renewal chooses nothing, so it is no point of its own.
    """
    own = [v for v in versions if v.kind == kind and v.candidates and not v.renewals]
    main = next(
        (m for m in _SHOWN.get(kind, ()) for v in own for c in v.candidates
         if any(measure.metric == m for measure in c.measures)),
        "",
    )  # fmt: skip
    if len(own) < 2 or not main:
        return None
    rows = []
    for version in sorted(own, key=lambda each: each.created_at):
        chosen = _best(version.candidates, main, lambda c: c.chosen)
        simple = next((c for c in version.candidates if c.baseline), None)
        other = simple and next((m for m in simple.measures if m.metric == main), None)
        cells = (_to_cell(words, chosen[1] if chosen else None), _to_cell(words, other or None))
        name = f"{words.date(version.created_at)} · {words.word('model', version.chosen)}"
        rows.append(Row(name, cells))
    series = (
        Series(words.text("models.chosen"), "1"),
        Series(words.text("models.baseline"), "baseline"),
    )
    return Table(words.text("models.history.version"), series, tuple(rows))


def _to_cell(words: Words, measure: Measure | None) -> Cell:
    if measure is None:
        return Cell("–", None)
    return Cell(words.num(measure.value, 3), measure.value, measure.low, measure.high)


def _answer(words: Words, version: ModelVersionView, main: str) -> str:
    """The chosen one beside the best baseline, in the measure that decided; why says the rest."""
    if not version.candidates:
        return ""
    chosen = _best(version.candidates, main, lambda c: c.chosen)
    baseline = _best(version.candidates, main, lambda c: c.baseline)
    if chosen is None or baseline is None or chosen[0] is baseline[0]:
        return words.text("models.in_use", model=words.word("model", version.chosen))
    return words.text(
        "models.beside",
        model=words.word("model", chosen[0].name),
        metric=words.metric(main),
        value=words.num(chosen[1].value, 3),
        baseline=words.word("model", baseline[0].name),
        other=words.num(baseline[1].value, 3),
    )


def _best(
    candidates: Sequence[CandidateView], metric: str, wanted: Callable[[CandidateView], bool]
) -> tuple[CandidateView, Measure] | None:
    found = [(c, m) for c in candidates if wanted(c) for m in c.measures if m.metric == metric]
    return max(found, key=lambda pair: pair[1].value, default=None)


def _scale(measures: Sequence[Measure]) -> tuple[float, float]:
    lows = [m.low if m.low is not None else m.value for m in measures]
    highs = [m.high if m.high is not None else m.value for m in measures]
    if not lows or min(lows) == max(highs):
        return (0.0, 1.0)
    margin = (max(highs) - min(lows)) * 0.04
    return (min(lows) - margin, max(highs) + margin)


def _place(measure: Measure, scale: tuple[float, float]) -> Whisker:
    def at(value: float | None) -> float:
        known = measure.value if value is None else value
        return 100 * (known - scale[0]) / (scale[1] - scale[0])

    return Whisker(at(measure.value), at(measure.low), at(measure.high))


ROUTES = [get_models]
