"""Training: read, choose on the inner window, measure on the outer one, fit on everything, keep."""

from dataclasses import dataclass, replace

import numpy as np

from lingxi.clock import Clock
from lingxi.config import RecommendSettings, Settings
from lingxi.errors import NotEnoughData
from lingxi.i18n import Sentence
from lingxi.recommend.answering import Stopwatch, is_quick_anyway
from lingxi.recommend.auto import search
from lingxi.recommend.bench import FILL, Trial, draw_bench
from lingxi.recommend.content import Descriptions
from lingxi.recommend.evaluation import Evaluation
from lingxi.recommend.families import FAMILIES, make_recipe
from lingxi.recommend.interactions import Interactions
from lingxi.recommend.memory import peak_memory_mb
from lingxi.recommend.promotions import Counts
from lingxi.recommend.recipe import Recipe
from lingxi.recommend.recommender import KIND
from lingxi.recommend.stored import FULL, read_described, read_promotions, write_models
from lingxi.recommend.trials import Found, best_of, choose
from lingxi.recommend.windows import Split, split_by_time
from lingxi.schema import Scalar
from lingxi.store import ArtefactWriter, CandidateRecord, Manifest, MeasureRecord, Progress, Store

STEP = "Recommenders"
FEWEST_CUSTOMERS = 30
"""With fewer customers to find something for, a comparison would be chance."""
MOST_CUSTOMERS = 1000
"""Customers drawn for the inner comparison; the outer one takes all up to ``MOST_OUTER``."""
MOST_OUTER = 5000
_METRIC = "ndcg@10"
_MOST_MEASURED = 6
"""Models that are fitted again for the outer window: the best ones, and popularity."""
_SLACK = 1.25
"""An answer timed once more may take so many times what it may, by chance."""
_STEPS = len(FAMILIES) + _MOST_MEASURED + 3
_FREE = RecommendSettings(answer_ms=0.0, quick_ms=0.0)
_FALL_BACK = make_recipe("popularity", {"taught_half_life": FILL.half_life_days})
_VISITOR_FALL_BACK = make_recipe("item_cosine", {"k": 50})


@dataclass(frozen=True)
class Choice:
    """What to fit on everything, why, and what was measured on the way."""

    recipe: Recipe
    visitor_recipe: Recipe
    why: Sentence
    candidates: tuple[CandidateRecord, ...] = ()
    split: Split | None = None
    extra: dict[str, Scalar] | None = None


def train_recommenders(
    store: Store, settings: Settings, clock: Clock, progress: Progress
) -> Manifest:
    """Fit, compare and choose; the new version is in use afterwards.

    Raises
    ------
    NotEnoughData
        If there are no orders of products at all.
    """
    del clock  # the data, not the day of training, says what "now" is
    steps = _STEPS
    progress(STEP, 0, steps)
    position = store.log.position()
    interactions, descriptions = read_described(store)
    rng = np.random.default_rng(settings.learning.seed)
    seconds = settings.learning.recommender_seconds
    limits = settings.recommend
    choice = choose_recipe(interactions, rng, progress, seconds, limits)
    progress(STEP, steps - 2, steps)
    with store.artefacts.write(KIND) as writer:
        promotions = read_promotions(store, position)
        _write(writer, interactions, choice, position, descriptions, promotions)
    store.artefacts.prune(KIND, settings.learning.keep_versions)
    progress(STEP, steps, steps)
    artefact = store.artefacts.current(KIND)
    return artefact.manifest if artefact else writer.manifest


def choose_recipe(
    interactions: Interactions,
    rng: np.random.Generator,
    progress: Progress,
    seconds: float,
    limits: RecommendSettings = _FREE,
) -> Choice:
    """The recipe for customers and the one for visitors, with what was measured.

    Raises
    ------
    NotEnoughData
        If there are no orders of products at all.
    """
    if not (interactions.orders >= 0).any():
        raise NotEnoughData(
            "There are no orders that name products, so there is nothing to recommend from. "
            "Import a file with an item column to get recommendations."
        )
    try:
        split = split_by_time(interactions)
    except NotEnoughData:
        days = (interactions.last_moment - interactions.first_moment).days
        return _fall_back(Sentence("recommend.why.short_span", {"n": days}))
    n = min(split.inner.customers, split.outer.customers)
    if n < FEWEST_CUSTOMERS:
        return _fall_back(
            Sentence("recommend.why.few_customers", {"n": n, "least": FEWEST_CUSTOMERS})
        )
    bench = draw_bench(split.inner, MOST_CUSTOMERS, rng)
    met: dict[str, int] = {}

    def tell(name: str) -> None:
        progress(STEP, met.setdefault(name, len(met)), _STEPS)

    if is_quick_anyway(bench.taught):
        limits = replace(limits, answer_ms=0.0, quick_ms=0.0)
    found = search(
        bench,
        seconds,
        tell=tell,
        memory_gb=limits.memory_gb,
        answer_ms=limits.answer_ms,
        quick_ms=limits.quick_ms,
    )
    return _compare(split, found, limits, rng, progress)


def _fall_back(why: Sentence) -> Choice:
    return Choice(_FALL_BACK, _VISITOR_FALL_BACK, why)


def _compare(
    split: Split,
    found: Found,
    limits: RecommendSettings,
    rng: np.random.Generator,
    progress: Progress,
) -> Choice:
    """The choice of the inner window beside the best others on the outer one."""
    best = _pick(found)
    bench = draw_bench(split.outer, MOST_OUTER, rng)
    measured: dict[str, Evaluation] = {}
    answers: dict[str, float] = {}
    watch = Stopwatch(bench.asked)
    for step, (name, trial) in enumerate(best.items()):
        progress(STEP, len(FAMILIES) + step, _STEPS)
        model = bench.fit(trial.recipe)
        measured[name], answers[name] = bench.evaluate(model), watch.time(model)
    found = _answer_in_time(found, best, answers, limits)
    baseline, chosen = measured["popularity"], found.recipe.name
    records = tuple(
        CandidateRecord(
            name=name,
            chosen=name == chosen,
            baseline=name == "popularity",
            measures=_measure(measured[name], baseline, trial, rng),
            fit_seconds=round(bench.seconds[name], 3),
            answer_ms=round(answers[name], 3),
        )
        for name, trial in best.items()
    )
    hits = {name: float(e.values["hit_rate@10"].mean()) for name, e in measured.items()}
    why = Sentence(
        "recommend.why.best_in_time" if found.slower else "recommend.why.best",
        {
            "n": bench.asked.n_rows,
            "days": split.days,
            "hit_share": round(hits[chosen], 4),
            "popularity_share": round(hits["popularity"], 4),
        },
    )
    visitor = best_of([t for t in found.trials if FAMILIES[t.recipe.name].visitors])
    visitor_recipe = visitor.recipe if visitor else _VISITOR_FALL_BACK
    extra: dict[str, Scalar] = {
        "inner_customers": split.inner.customers,
        "outer_customers": split.outer.customers,
        "outer_repeats": split.outer.repeats,
        "window_days": split.days,
        "visitor_model": visitor_recipe.name,
        "trials": len(found.trials),
        "peak_memory_mb": round(peak_memory_mb(), 1),
        "parts": " + ".join(part.name for part in found.recipe.parts),
        **_tell_slower(found, answers),
    }
    return Choice(found.recipe, visitor_recipe, why, records, split, extra)


def _answer_in_time(
    found: Found, best: dict[str, Trial], answers: dict[str, float], limits: RecommendSettings
) -> Found:
    """The same, with the next best in place of a choice of which an answer takes too long after
    all: of models together the search only reckons it from the parts."""
    most = _SLACK * limits.answer_ms
    if not most or answers[found.recipe.name] <= most:
        return found
    timed = {
        name: replace(
            trial,
            answer_ms=answers[name],
            slow=trial.slow or (answers[name] > most and name != "popularity"),
        )
        for name, trial in best.items()
    }
    trials = tuple(
        timed[trial.recipe.name] if trial is best.get(trial.recipe.name) else trial
        for trial in found.trials
    )
    able = [trial for trial in timed.values() if not trial.slow]
    chosen = choose(able, _SLACK * limits.quick_ms)
    return replace(found, trials=trials, recipe=chosen.recipe if chosen else _FALL_BACK)


def _tell_slower(found: Found, answers: dict[str, float]) -> dict[str, Scalar]:
    """What was better and not chosen, because one answer takes longer."""
    slower = found.slower
    if slower is None:
        return {}
    name, taken = slower.recipe.name, slower.answer_ms
    return {"slower_model": name, "slower_answer_ms": round(max(taken, answers.get(name, 0)), 2)}


def _pick(found: Found) -> dict[str, Trial]:
    """The best trial of each model that is measured again, the simpler first; of those that answer
    too late only one, and only if it is the best of all."""
    bests = {name: found.best(name) for name in FAMILIES}
    chosen = best_of([trial for trial in found.trials if trial.recipe == found.recipe])
    bests[found.recipe.name] = chosen or bests[found.recipe.name]
    slower = found.slower
    known = {
        name: trial
        for name, trial in bests.items()
        if trial is not None and (not trial.slow or trial is slower)
    }
    leaders = sorted(known, key=lambda name: -known[name].value)[:_MOST_MEASURED]
    kept = {"popularity", found.recipe.name, *leaders}
    return {name: trial for name, trial in known.items() if name in kept}


def _measure(
    evaluation: Evaluation, baseline: Evaluation, trial: Trial, rng: np.random.Generator
) -> tuple[MeasureRecord, ...]:
    found = [
        MeasureRecord(name, value.value, value.low, value.high)
        for name, value in evaluation.summary(rng).items()
    ]
    found += [MeasureRecord(name, value) for name, value in evaluation.coverage.items()]
    over = evaluation.difference(baseline, _METRIC, rng)
    found.append(MeasureRecord(f"{_METRIC}_over_popularity", over.value, over.low, over.high))
    found.append(MeasureRecord(f"{_METRIC}_inner", trial.value))
    return tuple(found)


def _write(
    writer: ArtefactWriter,
    interactions: Interactions,
    choice: Choice,
    position: int,
    descriptions: Descriptions | None = None,
    promotions: Counts | None = None,
) -> None:
    """Fit the chosen recipes on everything and write them."""
    recipes = choice.recipe, choice.visitor_recipe
    personal = write_models(writer, interactions, recipes, descriptions, promotions)
    split = choice.split
    writer.manifest = Manifest(
        chosen=choice.recipe.name,
        why=choice.why,
        data_from=interactions.first_moment,
        data_to=interactions.last_moment,
        cutoffs=(split.inner.cutoff, split.outer.cutoff) if split else (),
        events=position,
        candidates=choice.candidates,
        extra={**(choice.extra or {}), "refit": FULL},
        personal=personal,
    )
