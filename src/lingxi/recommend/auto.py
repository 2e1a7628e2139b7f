"""Choosing a model by itself: tries models on a bench within a time budget, blends the best."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
from msgspec import structs

from lingxi.recommend.ageing import HEARD_BY, listen
from lingxi.recommend.bench import FILL, Bench, Trial
from lingxi.recommend.costs import Costs
from lingxi.recommend.families import FAMILIES, build_scorer, make_recipe, vary
from lingxi.recommend.family import Params
from lingxi.recommend.graph import TERMS
from lingxi.recommend.limits import Limits
from lingxi.recommend.memory import GB, Size
from lingxi.recommend.mix import PLAIN, mix, tune_factor
from lingxi.recommend.pool import Head, Pool
from lingxi.recommend.recipe import Recipe
from lingxi.recommend.scorer import Vector
from lingxi.recommend.shorten import shorten
from lingxi.recommend.starts import LEAST_SECONDS, Start, find_starts
from lingxi.recommend.teach import Lesson, learn
from lingxi.recommend.teach_ranker import FEWEST, grow_ranker
from lingxi.recommend.terms import Termed, tune_terms
from lingxi.recommend.trials import (
    GAINS_LITTLE,
    Found,
    bare_of,
    best_of,
    choose,
    differ,
    gains_little,
    is_cheap,
    move,
    place,
    put_behind,
    weigh_chance,
)

_CLIMBERS = 3
"""Models whose surroundings are searched, the best ones."""
_STEPS = 4
"""Rounds of that, until nothing gets better."""
_MOST_CLIMBED = 40
"""Trials of all rounds together."""
_STARTING = 0.55
"""The part of the time after which no model is tried for the first time, where blends follow."""
_CLIMBING = 0.65
"""The part of the time by which climbing is done, so that there is some left for blends."""
_SEED = 20
_MARGIN = 1.4
"""A fit on everything takes about that much longer than one on the bench, and any than reckoned."""
_GROWING = 3e-4
"""Seconds that trees take for each event of those asked, about."""
_SHORTENED = 6
"""Models of which shorter lists are tried, the best ones."""


def search(
    bench: Bench,
    seconds: float,
    *,
    names: Iterable[str] | None = None,
    tell: Callable[[str], None] = lambda _name: None,
    memory_gb: float = 4.0,
    answer_ms: float = 0.0,
    quick_ms: float = 0.0,
) -> Found:
    """Try every model's first recipes, then the surroundings of the best, then blends.

    Popularity is tried whatever the time, and item-kNN unless its fit is long; then what promises
    most for a second: cheap models of a small catalogue are done when a large one's are begun. Of
    equal trials the simpler model wins.

    Parameters
    ----------
    seconds
        For the search and the final fit together.
    names
        Models to try; by default all that can be used here, and blends of them.
    tell
        Called with the name of each model as it is tried.
    memory_gb
        A model that would take more, with what the process holds, is left out; popularity never.
    answer_ms
        A model of which one answer takes longer is measured and not chosen, and shorter lists of
        the best are tried; 0: any may be.
    quick_ms
        One that takes longer than this must be a tenth better; 0: need not.
    """
    hunt = _Hunt(bench, seconds, tell, memory_gb * GB, answer_ms, quick_ms)
    if names is None:
        hunt.start(FAMILIES, until=_STARTING * seconds)
        hunt.climb(until=_CLIMBING * seconds)
        hunt.shorten()
        hunt.blend()
    else:
        hunt.start(names)
        hunt.climb()
        hunt.shorten()
    winner = choose(hunt.trials, quick_ms)
    recipe = winner.recipe if winner else make_recipe("popularity")
    return Found(recipe, tuple(hunt.trials), hunt.skipped, hunt.used)


@dataclass
class _Hunt:
    """The state of one search: what was tried, how long it took, and the best heads."""

    bench: Bench
    seconds: float
    tell: Callable[[str], None]
    memory_bytes: float = 4.0 * GB
    answer_ms: float = 0.0
    quick_ms: float = 0.0
    trials: list[Trial] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._start = time.monotonic()
        taught = self.bench.taught
        self._size = taught.n_rows, taught.n_items, len(taught.items)
        self._limits = Limits(
            Size(*self._size), self.bench.asked, self.memory_bytes, self.answer_ms, self.quick_ms
        )
        self._until = float("inf")
        self._tried: list[Recipe] = []
        self._heads: dict[str, tuple[Trial, Head]] = {}
        self._values: dict[str, Vector] = {}
        self._popularity: Vector = taught.popularity(FILL)
        self._hearing = self.bench.thin(HEARD_BY)
        self._costs = Costs(self.bench, self._hearing)

    @property
    def used(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._start

    def start(self, names: Iterable[str], until: float = float("inf")) -> None:
        """The first recipes of every model, whichever promises most for a second next.

        ``until``: seconds since the start of the search by which each must be done.
        """
        self._until = until
        waiting, unfit = find_starts(names, self.bench)
        self.skipped |= unfit
        while waiting:
            start = self._call_last(waiting, max(waiting, key=self._promise))
            waiting.remove(start)
            self._attempt(make_recipe(start.family.name, start.params))
        self._until = float("inf")

    def _call_last(self, waiting: list[Start], chosen: Start) -> Start:
        """One that gains more than the one chosen and would find no time after it, else that.

        Nor after those that gain as much as it does: they are all to have their turn. Unless those
        that gain still more would then find too little.
        """
        if chosen.family.name == "popularity":
            return chosen
        able = [(each, self._gain(each), self._cost(each)) for each in waiting if self._fits(each)]
        least, first = self._gain(chosen), _MARGIN * self._cost(chosen)
        better = []
        for start, gain, own in able:
            above = sum(cost for _, more, cost in able if more > gain)
            level = sum(cost for _, same, cost in able if same == gain) - own
            if gain > least and self._fits(start, above) > self._fits(start, first + level):
                better.append(start)
        return max(better, key=self._promise, default=chosen)

    def _fits(self, start: Start, after: float = 0.0) -> bool:
        return self._allows(start.family.name, start.params, after)

    def _cost(self, start: Start) -> float:
        return self._estimate(start.family.name, start.params)

    def _gain(self, start: Start) -> float:
        """Expected gain, 1 for as good as the best so far."""
        best, known = best_of(self.trials), self._heads.get(start.family.name)
        reached = known[0].value / best.value if known and best and best.value > 0 else None
        return start.expect(reached)

    def _promise(self, start: Start) -> float:
        """Expected gain for each second; popularity comes before all."""
        if start.family.name == "popularity":
            return float("inf")
        return self._gain(start) / max(self._cost(start), LEAST_SECONDS)

    def climb(self, until: float = float("inf")) -> None:
        """What lies around the best of each of the best models, as long as that helps.

        Each step is taken from the best recipe so far.

        ``until``: seconds since the start of the search by which each must be done: the time after
        it is for fits of the best together.
        """
        limit = len(self.trials) + _MOST_CLIMBED
        for _ in range(_STEPS):
            before = self._leaders()
            for leader in before:
                name = leader.recipe.name
                for recipe in FAMILIES[name].around(leader.recipe):
                    if self.used >= until or len(self.trials) >= limit:
                        return
                    step = move(recipe, leader.recipe, self._heads[name][0].recipe)
                    in_time = self.used + self._estimate(name, step.params) <= until
                    if in_time and differ(recipe, leader.recipe, timed=self.bench.taught.timed):
                        self._attempt(step)
            if self._leaders() == before:
                return

    def _leaders(self) -> list[Trial]:
        """The best trial of each of the best models that answer in time."""
        quick = [trial for trial, _ in self._heads.values() if not trial.slow]
        return sorted(quick, key=place)[:_CLIMBERS]

    def shorten(self) -> None:
        """Shorter lists of the best models, where answers are timed and such rank as well."""
        best = sorted(self._heads.values(), key=lambda pair: place(pair[0]))[:_SHORTENED]
        for trial, _ in best if self.answer_ms else ():
            name = trial.recipe.name
            if not self._allows(name, trial.recipe.params):
                continue
            if found := shorten(trial, self.bench, self._popularity, self._limits):
                short, head, values = found
                self.trials = [short if t == trial else put_behind(t, short) for t in self.trials]
                self._heads[name], self._values[name] = (short, head), values

    def blend(self) -> None:
        """The best models together: by shares of the scores, and by weights learnt."""
        for name, compose in (("blend", self._share), ("learned", self._learn)):
            n_before = 0  # with more time there are more parts, or the same
            for most_ms in self._limits.steps:
                able = self._choose_parts(name, most_ms)
                if len(able) >= 2 and len(able) > n_before:
                    compose(able)
                n_before = len(able)

    def _choose_parts(self, name: str, most_ms: float) -> list[tuple[Trial, Head]]:
        """The best models that together keep within memory and time, of fits and of answers."""
        able: list[tuple[Trial, Head]] = []
        for trial, head in sorted(self._heads.values(), key=lambda pair: place(pair[0])):
            if trial.recipe.name == "popularity" or trial.slow:
                continue
            together = [*able, (trial, head)]
            in_time = self.used + _MARGIN * sum(t.fit_seconds for t, _ in together) <= self.seconds
            taken = self._limits.add_up(name, (each.answer_ms for each, _ in together))
            holds = self._limits.hold(each.recipe for each, _ in together)
            if in_time and taken <= most_ms and holds:
                able = together
        return able

    def _learn(self, able: list[tuple[Trial, Head]]) -> None:
        """Weights of a conditional logit over what every model says of the candidates."""
        self.tell("learned")
        start = time.monotonic()
        heads = [head for _, head in able]
        until = start + self.seconds - self.used - _MARGIN * sum(t.fit_seconds for t, _ in able)
        rng = np.random.default_rng(_SEED)
        lesson = learn(heads, self.bench, self._popularity, rng, until=until)
        if self._loses("learned", lesson.values, able[0][0]):
            return
        kept = [able[at] for at in lesson.kept]
        recipe = Recipe(
            name="learned",
            parts=tuple(bare_of(trial.recipe) for trial, _ in kept),
            shares=lesson.weights,
        )
        fit_seconds = sum(trial.fit_seconds for trial, _ in kept)
        spent = time.monotonic() - start
        answers = [trial.answer_ms for trial, _ in kept]
        taken = self._limits.add_up("learned", answers)
        value = float(lesson.values.mean())
        self.trials.append(Trial(recipe, value, spent, fit_seconds, answer_ms=taken))
        if delay := self._limits.find_delay("ranker", answers):
            self.skipped["ranker"] = delay
            return
        self._rank(recipe, kept, lesson)

    def _rank(self, base: Recipe, kept: list[tuple[Trial, Head]], lesson: Lesson) -> None:
        """Trees on top of the learnt weights."""
        if not FAMILIES["ranker"].available:
            self.skipped["ranker"] = FAMILIES["ranker"].lacks
            return
        parts_seconds = sum(trial.fit_seconds for trial, _ in kept)
        near = self._estimate("item_cosine")
        cost = _GROWING * len(self.bench.asked.items) + near
        if self.used + cost + _MARGIN * (parts_seconds + near) > self.seconds:
            self.skipped["ranker"] = f"there was no time for trees, about {cost:.3g} s"
            return
        self.tell("ranker")
        start = time.monotonic()
        rng = np.random.default_rng(_SEED)
        grown = grow_ranker([head for _, head in kept], lesson, self.bench, self._popularity, rng)
        if grown is None:
            self.skipped["ranker"] = f"fewer than {FEWEST} customers could teach it"
            return
        if grown.least_gain <= 0:
            self.skipped["ranker"] = "trees gain no more than chance, and an answer takes longer"
            return
        recipe = structs.replace(base, name="ranker", trees=grown.trees)
        spent = time.monotonic() - start
        taken = self._limits.add_up("ranker", (trial.answer_ms for trial, _ in kept))
        self.trials.append(Trial(recipe, grown.value, spent, parts_seconds + near, answer_ms=taken))

    def _share(self, able: list[tuple[Trial, Head]]) -> None:
        """Shares of a sum, if that is better than the best alone."""
        self.tell("blend")
        start = time.monotonic()
        pool = Pool.build([head for _, head in able], self.bench, self._popularity)
        found = mix(pool, self.bench.taught)
        parts = [at for at, share in enumerate(found.shares) if share > 0]
        if len(parts) < 2 or self._loses("blend", found.values, able[0][0]):
            return
        recipe = Recipe(
            name="blend",
            params=found.factor,
            parts=tuple(bare_of(able[at][0].recipe) for at in parts),
            shares=tuple(found.shares[at] / able[at][1].norm for at in parts),
        )
        fit_seconds = sum(able[at][0].fit_seconds for at in parts)
        taken = self._limits.add_up("blend", (able[at][0].answer_ms for at in parts))
        spent = time.monotonic() - start
        self.trials.append(Trial(recipe, found.value, spent, fit_seconds, answer_ms=taken))

    def _loses(self, name: str, values: Vector, best: Trial) -> bool:
        """Whether it gains too little over the best part as that would be served."""
        if loses := gains_little(self.bench, values, self._values[best.recipe.name]):
            self.skipped[name] = GAINS_LITTLE
        return loses

    def _attempt(self, recipe: Recipe) -> None:
        """Try a recipe unless it was tried or there is no time for it."""
        bare = bare_of(recipe)
        if bare in self._tried:
            return
        self._tried.append(bare)
        asks_time = recipe.name in self._heads or not is_cheap(recipe, self._size, self.seconds)
        if asks_time and not self._allows(recipe.name, bare.params):
            cost = self._estimate(recipe.name, bare.params)
            self.skipped.setdefault(
                recipe.name, f"there was no time for fits of about {cost:.3g} s"
            )
            return
        if reason := self._limits.find_burden(bare):
            self.skipped.setdefault(recipe.name, reason)
            return
        self.tell(recipe.name)
        start = time.monotonic()
        scorer = build_scorer(bare)
        scorer.fit(self.bench.taught)
        fit_seconds = time.monotonic() - start
        if isinstance(scorer, Termed):
            tune_terms(scorer, self.bench, self._popularity)
            bare = vary(bare, **dict(zip(TERMS, scorer.weights, strict=True)))
        head, heard = listen(scorer, self.bench, self._hearing, self._popularity)
        bare = vary(bare, **heard)
        pool = Pool.build([head], self.bench, self._popularity)
        found = PLAIN if recipe.name == "popularity" else tune_factor(pool, self.bench.taught)
        values = pool.measure(pool.scores[0], found.vector)
        tuned = vary(bare, **found.params)
        taken = self._limits.time(bare, scorer)
        spent = time.monotonic() - start
        slow = recipe.name != "popularity" and self._limits.is_slow(taken)
        trial = Trial(tuned, float(values.mean()), spent, fit_seconds, answer_ms=taken, slow=slow)
        self._note(trial, head, values)

    def _note(self, trial: Trial, head: Head, values: Vector) -> None:
        name = trial.recipe.name
        if name in self._heads:
            trial = weigh_chance(trial, values, self._heads[name][0], self._values[name])
        self.trials.append(trial)
        self._costs.note(trial)
        if name not in self._heads or place(trial) < place(self._heads[name][0]):
            self._heads[name], self._values[name] = (trial, head), values

    def _estimate(self, name: str, params: Params | None = None) -> float:
        return self._costs.estimate(self.trials, name, params)

    def _allows(self, name: str, params: Params | None = None, after: float = 0.0) -> bool:
        """Whether there is time to try this model, ``after`` so many seconds, and to fit it."""
        cost = self._estimate(name, params)
        best = best_of(self.trials)
        final = max(cost, best.fit_seconds if best else 0.0) * _MARGIN
        done = self.used + after + cost
        return done <= self._until and done + final <= self.seconds
