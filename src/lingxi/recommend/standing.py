"""What one customer's history comes to, before any rule; kept while the history stays the same."""

from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.histories import Histories
from lingxi.recommend.largest import Spread, list_largest, sort_best
from lingxi.recommend.model import Model
from lingxi.recommend.newcomers import StandIns
from lingxi.recommend.past import Past
from lingxi.recommend.quick import QuickModel, Voice, mix_table
from lingxi.recommend.rules import RuleSettings

if TYPE_CHECKING:
    from lingxi.recommend.goods import Goods

T = TypeVar("T")
FILL = "popularity"
"""Named as the model of items that fill a list up."""
USUAL_RULES = RuleSettings()
_FIRST, _MORE = 64, 16
"""Items of which the best are kept at first, and how many times as many where they do not do."""
_MOST_DRESSED = 200
_MOST_ANSWERS = 4
_LISTED_BYTES = 12_000
"""About what the listed items with their reasons take."""


class Recommended(msgspec.Struct, frozen=True):
    """One recommendation. ``because``: items of the history, with shares of what speaks for it.

    The shares of all items that speak for it sum to 1; only the largest are listed. What popularity
    fills in has no reasons, and a score that is a share of the most popular item's.
    """

    item_id: str
    score: float
    model: str
    because: tuple[tuple[str, float], ...] = ()


Dress = Callable[[Recommended, "Goods"], T]
"""Makes of a recommendation what the caller shows; it depends on nothing but its arguments."""


class Standing:
    """A history weighed and scored by a model: every item it touches, with the terms of its score.

    Parameters
    ----------
    past
        The history.
    popularity
        What an item scores that the model does not owe to the history.
    personal
        Whether it is a customer's own, and not only what a visitor looks at.
    row
        The fitted row that the customer has.
    stand_ins
        For items that the model has not met.
    """

    def __init__(
        self,
        past: Past,
        model: Model,
        quick: QuickModel | None,
        popularity: NDArray[np.float64],
        *,
        personal: bool,
        row: int,
        stand_ins: StandIns | None = None,
    ) -> None:
        self.past, self.personal = past, personal
        self._model, self._quick, self._popularity = model, quick, popularity
        self._histories: Histories | None = None
        self._stand_ins = stand_ins
        self._voices: list[Voice] = []
        if quick is None:
            self._histories = past.to_histories(row, len(model.trend))
        else:
            hearings = quick.hearings
            self._voices = [Voice.of(*past.weigh(heard), stand_ins) for heard in hearings]
        self._barred = past.find_barred(USUAL_RULES)
        self._keep_best(_FIRST)
        self._dressed: dict[Any, tuple[int, Any, Recommended]] = {}
        self._answers: dict[Any, tuple[int, Any]] = {}

    @property
    def memory_bytes(self) -> int:
        """About how much memory it takes, reasons of listed items included."""
        return _LISTED_BYTES + 40 * len(self._best) + 70 * len(self.past)

    def find_barred(self, rules: RuleSettings) -> frozenset[int]:
        """Places that a rule about the history keeps out."""
        places = self._barred if rules == USUAL_RULES else self.past.find_barred(rules)
        return frozenset(places.tolist())

    def choose(self, opened: NDArray[np.bool_], rules: RuleSettings, n: int) -> list[int]:
        """The ``n`` highest scores above 0 that no rule keeps out, equal ones by their place.

        ``opened``: the places that rules about the items leave open.
        """
        if rules != USUAL_RULES:
            spread = self.find_spread(self.past.find_barred(rules))
            return _take(sort_best(spread, len(spread.items)), opened, n)
        found = _take(self._best, opened, n)
        while len(found) < n and len(self._best) >= self._asked:
            self._keep_best(_MORE * len(self._best))
            found = _take(self._best, opened, n)
        return found

    def find_spread(self, barred: NDArray[np.int64] | None = None) -> Spread:
        """All items that the history touches with their scores, 0 for what is barred; worked out
        again, not kept."""
        if self._quick is not None:
            return self._quick.spread(self._voices, self._stand_ins, barred)
        assert self._histories is not None
        items, scores = self._model.list_scores(self._histories)
        if self._stand_ins is not None:
            items, scores = self._stand_ins.join(items, scores)
        if barred is not None and len(items):
            at = np.minimum(np.searchsorted(items, barred), len(items) - 1)
            scores = scores.copy()
            scores[at[items[at] == barred]] = 0
        return Spread(items, scores)

    def _keep_best(self, n: int) -> None:
        """At least ``n`` of them, where there are as many."""
        if self._quick is None:
            best = self.find_spread(self._barred)
        else:
            best = self._quick.find_best(self._voices, n, self._stand_ins, self._barred)
        self._asked, self._best = n, sort_best(best, n)

    def recall(self, key: Hashable, revision: int) -> Any:
        """The answer kept under a key, if it was made of this state of the catalogue."""
        made, answer = self._answers.get(key, (-1, None))
        return answer if made == revision else None

    def keep(self, key: Hashable, revision: int, answer: Any) -> None:
        """Keep an answer of the usual rules for the next time."""
        if len(self._answers) >= _MOST_ANSWERS:
            self._answers.clear()
        self._answers[key] = (revision, answer)

    def show(self, listed: Sequence[int], reasons: int, goods: "Goods", dress: Dress[T]) -> list[T]:
        """The listed items with their reasons, dressed; what was shown before is kept."""
        revision, dressed = goods.revision, self._dressed
        new = [at for at in listed if (at, reasons, dress) not in dressed] if dressed else listed
        if new:
            if len(dressed) > _MOST_DRESSED:
                dressed.clear()
                new = listed
            for at, plain in zip(new, self.explain(new, reasons, goods.ids), strict=True):
                dressed[at, reasons, dress] = (revision, dress(plain, goods), plain)
        shown: list[T] = []
        for at in listed:
            made, value, plain = dressed[at, reasons, dress]
            if made != revision:
                value = dress(plain, goods)
                dressed[at, reasons, dress] = (revision, value, plain)
            shown.append(value)
        return shown

    def explain(self, listed: Sequence[int], reasons: int, ids: Sequence[str]) -> list[Recommended]:
        """The listed items with the largest shares of each score."""
        places, mixed = np.array(listed, dtype=np.int64), None
        if self._stand_ins is not None:
            places, mixed = self._stand_ins.ask(places)
        if self._histories is None and self._quick is not None:
            items, table = self._quick.find_table(self._voices, places)
        else:
            assert self._histories is not None
            given = self._model.explain(self._histories, places[None, :])
            items = np.unique(given.indices).astype(np.int64)
            table = np.zeros((len(places), len(items)))
            owners = np.repeat(np.arange(len(places)), np.diff(given.indptr))
            table[owners, np.searchsorted(items, given.indices)] = given.data
        causes = items.tolist()
        terms = list_largest(mix_table(table, mixed, len(listed)), reasons)
        found = []
        for at, (total, support, largest) in zip(listed, terms, strict=True):
            if total <= 0:  # nothing of it comes from the history
                score = float(self._popularity[at]) if at < len(self._popularity) else 0.0
                found.append(Recommended(ids[at], score, FILL))
                continue
            because = tuple([(ids[causes[place]], value / support) for place, value in largest])
            found.append(Recommended(ids[at], total, self._model.name, because))
        return found


def _take(best: Sequence[int], opened: NDArray[np.bool_], n: int) -> list[int]:
    found: list[int] = []
    for at in best:
        if opened[at]:
            found.append(at)
            if len(found) == n:
                break
    return found
