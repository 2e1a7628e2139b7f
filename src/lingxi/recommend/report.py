"""The report of an evaluation on files: every metric with its interval, model beside model."""

import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np
from numpy.typing import NDArray

from lingxi.errors import InvalidInput, NotEnoughData
from lingxi.recommend.auto import search
from lingxi.recommend.bench import FILL, most_asked, split_inside
from lingxi.recommend.dataset import Dataset
from lingxi.recommend.evaluation import METRICS, Evaluation, evaluate
from lingxi.recommend.families import find_family, make_recipe
from lingxi.recommend.matrix import Csr, row_lengths, transpose
from lingxi.recommend.measures import Measure as Measure
from lingxi.recommend.memory import peak_memory_mb
from lingxi.recommend.model import fit_model
from lingxi.recommend.order import forget_order, tells_order
from lingxi.recommend.recipe import Param, Recipe
from lingxi.recommend.trials import Found
from lingxi.recommend.unaided import FEWEST_ASKED, make_untried
from lingxi.stats.bootstrap import bootstrap_means
from lingxi.stats.list_quality import (
    GROUPS,
    coverage_interval,
    diversity,
    group_by_popularity,
    popularity_gap,
)

POPULARITY, ITEM_KNN = "popularity", "item_cosine"
AUTO = "auto"
_MOST_FOR_DIVERSITY, _FEWEST_FOR_DIVERSITY = 2000, 200
_MOST_HOLDERS = 5e7
"""Customers of the items of all those lists together: a second of multiplying."""
_SILENT = 10.0
"""Seconds after which a measurement says how far it has come."""


class ModelReport(msgspec.Struct, frozen=True):
    """One fitted model, measured: ``parts`` and ``params`` say which recipe it was."""

    measures: dict[str, Measure]
    params: dict[str, Param]
    parts: tuple[str, ...]
    fit_seconds: float
    customers_per_second: float


@dataclass(frozen=True)
class Wish:
    """What an evaluation is asked for.

    ``model``: a model's name or ``auto``; ``seconds``: for choosing and fitting it; ``memory_gb``:
    a model that would take more is left out.
    """

    at: tuple[int, ...] = (10, 20)
    model: str = AUTO
    include_seen: bool = False
    seconds: float = 300.0
    seed: int = 7
    memory_gb: float = 4.0


def report(
    data: Dataset, wish: Wish, tell: Callable[[str], None] = lambda _text: None
) -> dict[str, object]:
    """Choose, fit and measure; see the recommender's page for every key.

    The choice sees ``data.taught`` alone; what is to be found is looked at when all is fitted.

    Raises
    ------
    InvalidInput
        If there is no such model.
    """
    rng = np.random.default_rng(wish.seed)
    start = time.perf_counter()
    if wish.model != AUTO and find_family(wish.model).composed:
        raise InvalidInput(f"A {wish.model} is made by auto, from the models that do best here.")
    data = _settle_order(data, wish)
    found, why = _choose(data, wish, rng, tell)
    recipes = [found.recipe]
    for name in (ITEM_KNN, POPULARITY):
        best = found.best(name)
        recipes.append(best.recipe if best else make_recipe(name))
    chosen_seconds = time.perf_counter() - start
    measured: dict[str, tuple[ModelReport, Evaluation]] = {}
    for recipe in recipes:
        if recipe.name not in measured:
            measured[recipe.name] = measure_model(data, recipe, wish, rng, tell)
    chosen, evaluation = measured[recipes[0].name]
    answer: dict[str, object] = {
        "model": recipes[0].name,
        "why": why,
        **_flatten(chosen),
        "search_seconds": round(chosen_seconds, 3),
        "peak_memory_mb": round(peak_memory_mb(), 1),
    }
    for key, name in (("popularity", POPULARITY), ("item_knn", ITEM_KNN)):
        answer[f"over_{key}"] = compare_pairs(evaluation, measured[name][1], rng)
    others = {n: _flatten(m) for n, (m, _) in measured.items() if n != recipes[0].name}
    return answer | _describe(data, wish, found) | {"models": others}


def _settle_order(data: Dataset, wish: Wish) -> Dataset:
    """Without times where they do not tell the order, unless a model of times is asked for."""
    timed_model = wish.model != AUTO and find_family(wish.model).timed
    if not data.taught.timed or timed_model or tells_order(data.taught):
        return data
    note = "Nearly all customers have a single timestamp, which tells no order; times are left out."
    return replace(
        data,
        taught=forget_order(data.taught),
        asked=forget_order(data.asked),
        notes=(*data.notes, note),
    )


def _choose(
    data: Dataset, wish: Wish, rng: np.random.Generator, tell: Callable[[str], None]
) -> tuple[Found, str]:
    """The best recipe by an inner split of what is taught, and why in a sentence."""
    names = None if wish.model == AUTO else [POPULARITY, ITEM_KNN, wish.model]
    strangers = float((data.asked.rows < 0).mean()) > 0.5
    start = time.perf_counter()
    tell("holding a part of train back")
    try:
        bench = split_inside(
            data.taught,
            rng=rng,
            most=most_asked(data.taught.n_items, wish.seconds),
            metric=f"ndcg@{max(wish.at)}",
            include_seen=wish.include_seen,
            strangers=strangers,
            late=count_late(data),
        )
        if bench.asked.n_rows < FEWEST_ASKED:
            raise NotEnoughData("too few customers")
    except NotEnoughData:
        if wish.model != AUTO:
            recipe = make_recipe(wish.model)
            return Found(recipe, (), {}, 0.0), "It was asked for; train is too small to tune it."
        return Found(make_untried(data.taught), (), {}, 0.0), (
            "Train is too small to compare models, so one that needs little was taken."
        )
    found = search(
        bench,
        max(wish.seconds - (time.perf_counter() - start), 0.0),
        names=names,
        tell=lambda name: tell(f"trying {name}"),
        memory_gb=wish.memory_gb,
    )
    if wish.model != AUTO:
        best = found.best(wish.model)
        recipe = best.recipe if best else make_recipe(wish.model)
        return (
            Found(recipe, found.trials, found.skipped, found.seconds),
            "It was asked for; its parameters were chosen on a part of train held back.",
        )
    tried = len({trial.recipe.name for trial in found.trials})
    return found, (
        f"Of {tried} models in {len(found.trials)} trials it had the highest {bench.metric} for "
        f"{bench.asked.n_rows} customers on a part of train that was held back."
    )


def count_late(data: Dataset) -> int:
    """Events known of a customer when serving that are not learnt from: the median of those met.

    0 where nobody asked is learnt from.
    """
    met = data.asked.rows >= 0
    if not met.any():
        return 0
    more = data.asked.lengths[met] - data.taught.lengths[data.asked.rows[met]]
    return int(np.median(more))


def measure_model(
    data: Dataset,
    recipe: Recipe,
    wish: Wish,
    rng: np.random.Generator,
    tell: Callable[[str], None] = lambda _text: None,
) -> tuple[ModelReport, Evaluation]:
    """Fit one recipe on what is taught and measure it in every way."""
    tell(f"fitting {recipe.name}")
    start = time.perf_counter()
    model = fit_model(recipe, data.taught)
    seconds = time.perf_counter() - start
    tell(f"measuring {recipe.name}, fitted in {seconds:.1f} s")
    barred = np.full(len(data.asked.items), not wish.include_seen)
    evaluation = evaluate(
        model,
        data.asked,
        data.wanted,
        at=wish.at,
        excluded=data.asked.keep(barred).seen() if data.barred is None else data.barred,
        popularity=data.taught.popularity(FILL),
        tell=_every(_SILENT, lambda done, n: tell(f"{recipe.name}: {done:,} of {n:,} customers")),
    )
    measures = _measure_all(data, evaluation, wish.at, rng)
    speed = len(evaluation.customers) / max(evaluation.seconds, 1e-9)
    parts = tuple(part.name for part in recipe.parts)
    found = ModelReport(measures, recipe.params, parts, round(seconds, 3), round(speed, 1))
    return found, evaluation


def _every(seconds: float, tell: Callable[[int, int], None]) -> Callable[[int, int], None]:
    """The same, called no more often than that."""
    last = time.perf_counter()

    def told(done: int, n: int) -> None:
        nonlocal last
        if time.perf_counter() - last >= seconds:
            last = time.perf_counter()
            tell(done, n)

    return told


def _measure_all(
    data: Dataset, evaluation: Evaluation, at: Sequence[int], rng: np.random.Generator
) -> dict[str, Measure]:
    """Accuracy, and what the lists are like beside it."""
    seen = data.taught.seen()
    counts = np.bincount(seen.indices, minlength=seen.shape[1]).astype(np.float64)
    groups = group_by_popularity(counts)
    own = _count_groups(data.asked.seen()[evaluation.customers], groups)
    gaps = {f"calibration@{n}": popularity_gap(evaluation.lists[:, :n], own, groups) for n in at}
    measures = summarise({**evaluation.values, **gaps}, rng)
    holders, some = transpose(seen), _draw_lists(evaluation.lists, counts, rng)
    measures |= summarise({f"diversity@{n}": diversity(some[:, :n], holders) for n in at}, rng)
    for n in at:
        spread = coverage_interval(evaluation.lists[:, :n], data.taught.n_items, rng=rng)
        measures[f"coverage@{n}"] = Measure(spread.value, spread.low, spread.high)
    sets = (tuple(METRICS), ("coverage", "novelty", "diversity", "calibration"))
    keys = [f"{name}@{n}" for names in sets for n in at for name in names]
    return {key: measures[key] for key in keys}


def _draw_lists(
    lists: NDArray[np.int64], counts: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Lists for the mean distance of their pairs: fewer where their items are in many hands."""
    drawn = rng.permutation(len(lists))[:_MOST_FOR_DIVERSITY]
    work = np.where(lists[drawn] >= 0, counts[lists[drawn]], 0.0).sum(axis=1).cumsum()
    most = max(int(np.searchsorted(work, _MOST_HOLDERS)), _FEWEST_FOR_DIVERSITY)
    return lists[np.sort(drawn[:most])]


def _count_groups(seen: Csr, groups: NDArray[np.int64]) -> NDArray[np.float64]:
    rows = np.repeat(np.arange(seen.shape[0]), row_lengths(seen))
    cells = rows * GROUPS + groups[seen.indices]
    counts = np.bincount(cells, minlength=seen.shape[0] * GROUPS).astype(np.float64)
    return counts.reshape(-1, GROUPS)


def compare_pairs(
    chosen: Evaluation, other: Evaluation, rng: np.random.Generator
) -> dict[str, Measure]:
    """Paired difference of the accuracy metrics, customer by customer."""
    return summarise(
        {
            name: chosen.values[name] - other.values[name]
            for name in chosen.values
            if name.partition("@")[0] in METRICS
        },
        rng,
    )


def summarise(
    values: Mapping[str, NDArray[np.float64]], rng: np.random.Generator
) -> dict[str, Measure]:
    """The mean of each with its interval; what a single customer has is no more than a value."""
    found = bootstrap_means(values, rng=rng)
    answer = {}
    for name, column in values.items():
        if name in found:
            answer[name] = Measure(found[name].value, found[name].low, found[name].high)
        else:
            known = column[np.isfinite(column)]
            answer[name] = Measure(float(known[0]) if len(known) else None, None, None)
    return answer


def _flatten(model: ModelReport) -> dict[str, object]:
    rest: Mapping[str, object] = msgspec.structs.asdict(model)
    return {**model.measures, **{name: v for name, v in rest.items() if name != "measures"}}


def _describe(data: Dataset, wish: Wish, found: Found) -> dict[str, object]:
    """The data, the question and what the choice looked at."""
    return {
        "customers": data.asked.n_rows,
        "items": data.taught.n_items,
        "train_customers": data.taught.n_rows,
        "train_events": len(data.taught.items),
        "test_items": int(data.wanted.nnz),
        "timed": data.taught.timed,
        "include_seen": wish.include_seen,
        "notes": list(data.notes),
        "trials": [
            {
                "model": trial.recipe.name,
                "params": trial.recipe.params,
                "parts": [part.name for part in trial.recipe.parts],
                "value": trial.value,
                "by_chance": trial.by_chance,
                "seconds": round(trial.seconds, 3),
            }
            for trial in found.trials
        ],
        "skipped": dict(found.skipped),
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
    }
