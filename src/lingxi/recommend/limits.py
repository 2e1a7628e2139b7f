"""What a model may take, of memory when it is fitted and of time when it answers."""

from collections.abc import Iterable
from functools import cached_property

import numpy as np

from lingxi.recommend.answering import Stopwatch, reckon_least, reckon_together
from lingxi.recommend.families import FAMILIES
from lingxi.recommend.histories import Histories
from lingxi.recommend.memory import GB, Size, estimate, held_bytes, together
from lingxi.recommend.model import Model
from lingxi.recommend.recipe import Recipe
from lingxi.recommend.scorer import Scorer


class Limits:
    """The limits of one search.

    Parameters
    ----------
    asked
        Whose answers are timed.
    memory_bytes
        Popularity may be fitted whatever it takes.
    answer_ms
        For one answer; 0: none is timed.
    quick_ms
        What is wished of one; 0: nothing.
    """

    def __init__(
        self,
        size: Size,
        asked: Histories,
        memory_bytes: float,
        answer_ms: float = 0.0,
        quick_ms: float = 0.0,
    ) -> None:
        self.size, self.memory_bytes, self.answer_ms = size, memory_bytes, answer_ms
        self._asked = asked
        wished = 0 < quick_ms < answer_ms
        self.steps = (quick_ms, answer_ms) if wished else (answer_ms,)
        """Milliseconds for which models are put together: what is wished, then what may be."""

    def find_burden(self, recipe: Recipe) -> str:
        """Why a recipe is not even to be fitted; nothing if it is."""
        if recipe.name == "popularity":
            return ""
        if not self.hold([recipe]):
            needed = (self.reckon(recipe) + held_bytes()) / GB
            return (
                f"it would take about {needed:.1f} GB of memory, more than "
                f"{self.memory_bytes / GB:.3g} GB"
            )
        family = FAMILIES[recipe.name]
        least = reckon_least(family.reads(family.read(recipe), self.size))
        if self.is_slow(least):
            return f"an answer would take at least {least:.1f} ms, {self._most}"
        return ""

    def reckon(self, recipe: Recipe) -> float:
        """Bytes that a recipe's fit takes, at most about."""
        family = FAMILIES[recipe.name]
        return estimate(family.memory, family.read(recipe), self.size)

    def hold(self, recipes: Iterable[Recipe]) -> bool:
        """Whether there is memory to fit these models one after the other beside what is held."""
        needed = together([self.reckon(recipe) for recipe in recipes])
        return held_bytes() + needed <= self.memory_bytes

    def time(self, recipe: Recipe, scorer: Scorer) -> float:
        """Milliseconds that one answer of a fitted scorer takes; 0 where there is no limit."""
        if not self.answer_ms:
            return 0.0
        return self._stopwatch.time(Model(recipe, scorer, np.ones(self.size.items)))

    def is_slow(self, answer_ms: float) -> bool:
        """Whether that is more than an answer may take."""
        return 0 < self.answer_ms < answer_ms

    def add_up(self, name: str, parts: Iterable[float]) -> float:
        """Milliseconds of an answer by models together, of those that each takes; 0 where there
        is no limit."""
        return reckon_together(name, list(parts)) if self.answer_ms else 0.0

    def find_delay(self, name: str, parts: Iterable[float]) -> str:
        """Why models that take so long each are not to answer together; nothing if they are."""
        taken = self.add_up(name, parts)
        if not self.is_slow(taken):
            return ""
        return f"an answer would take about {taken:.1f} ms, {self._most}"

    @property
    def _most(self) -> str:
        return f"more than {self.answer_ms:.3g} ms"

    @cached_property
    def _stopwatch(self) -> Stopwatch:
        return Stopwatch(self._asked)
