"""What one answer of a model takes: a page of the shop waits for it."""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from copy import copy
from typing import Protocol, cast, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.histories import Histories
from lingxi.recommend.model import Model
from lingxi.recommend.past import Past
from lingxi.recommend.quick import QuickModel
from lingxi.recommend.scorer import Scorer
from lingxi.recommend.standing import USUAL_RULES, Standing

_ASKED, _TURNS = 15, 2
_LISTED, _REASONS = 10, 3
_FASTEST = 2e7
"""Bytes of a table that no processor of today reads in less than a millisecond by one thread."""
_MOST_ITEMS, _MOST_EVENTS = 10_000, 1_000_000
"""Up to which any model, also several together, answers in a few milliseconds."""
_COMPOSING = {"learned": 0.8, "ranker": 5.0}
"""Milliseconds beside the parts of a model that is made of others, about."""


@runtime_checkable
class StoredOtherwise(Protocol):
    """A scorer that answers in another form once it is stored."""

    def as_stored(self, items: NDArray[np.int64]) -> Scorer:
        """This form, for histories of these items alone."""


class Stopwatch:
    """Times single answers of models to some of those asked, evenly taken.

    An answer is a list of ten with its reasons, worked out anew by one thread from a history in
    memory. Reading the history from the store comes on top, whatever the model.
    """

    def __init__(self, asked: Histories) -> None:
        n = min(_ASKED, asked.n_rows)
        some = [asked.take(np.array([at])) for at in np.arange(n) * asked.n_rows // max(n, 1)]
        self._pasts = [(Past.of_history(each), int(each.rows[0])) for each in some]
        self._met = np.unique(np.concatenate([np.empty(0, np.int64), *(e.items for e in some)]))
        self._opened = np.ones(asked.n_items, dtype=np.bool_)
        self._names = [str(at) for at in range(asked.n_items)]

    def time(self, model: Model) -> float:
        """Milliseconds of processor time that one answer takes, the median; 0 if nobody asked."""
        from threadpoolctl import threadpool_limits

        limit: Callable[..., AbstractContextManager[object]] = threadpool_limits
        model = Model(model.recipe, _store(model.scorer, self._met), model.trend)
        quick = QuickModel.of(model)
        with limit(1, "blas"):  # as a server answers
            spent = [
                min(self._answer(model, quick, *past) for _ in range(_TURNS))
                for past in self._pasts
            ]
        return 1000 * float(np.median(spent)) if spent else 0.0

    def _answer(self, model: Model, quick: QuickModel | None, past: Past, row: int) -> float:
        start = time.thread_time()
        standing = Standing(past, model, quick, model.trend, personal=True, row=row)
        listed = standing.choose(self._opened, USUAL_RULES, _LISTED)
        standing.explain(listed, _REASONS, self._names)
        return time.thread_time() - start


def is_quick_anyway(taught: Histories) -> bool:
    """Whether a shop is so small that how long answers take need not bound what is chosen.

    Times differ from run to run: a choice that rests on them is no longer the same each time.
    """
    return taught.n_items <= _MOST_ITEMS and len(taught.items) <= _MOST_EVENTS


def reckon_least(table_bytes: float) -> float:
    """Milliseconds that an answer takes at least which reads a table as long as the catalogue.

    >>> reckon_least(4 * 128 * 100_000)
    2.56
    """
    return table_bytes / _FASTEST


def reckon_together(name: str, parts: Sequence[float]) -> float:
    """Milliseconds of an answer by models together, about, from those of the parts.

    >>> reckon_together("blend", [0.5, 1.0]), reckon_together("learned", [0.5, 1.0])
    (1.5, 2.3)
    """
    return sum(parts) + _COMPOSING.get(name, 0.0)


def _store(scorer: Scorer, items: NDArray[np.int64]) -> Scorer:
    """The scorer, and the parts that it is made of, in the form in which they are stored."""
    if isinstance(scorer, StoredOtherwise):
        return scorer.as_stored(items)
    parts: tuple[Scorer, ...] = getattr(scorer, "parts", ())
    if not any(isinstance(part, StoredOtherwise) for part in parts):
        return scorer
    own = copy(scorer)
    cast("_Composed", own).parts = tuple(_store(part, items) for part in parts)
    return own


class _Composed(Protocol):
    parts: tuple[Scorer, ...]
