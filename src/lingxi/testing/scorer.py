"""What every ``Scorer`` of the recommender keeps to."""

from abc import ABC, abstractmethod
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from lingxi.clock import FixedClock
from lingxi.recommend.histories import CART, ORDER, VIEW, Histories
from lingxi.recommend.matrix import densify
from lingxi.recommend.scorer import Scorer
from lingxi.store import Artefact, Artefacts

N_ROWS, N_ITEMS, N_TASTES = 60, 24, 3
UNSEEN = N_ITEMS - 1
"""The last item of the test data: nobody ever had it."""


_DAY = 86_400_000_000


def make_taught() -> Histories:
    """A year of 60 customers with three tastes for 24 items; nobody ever met item 23.

    >>> make_taught().shape
    (60, 24)
    """
    rng = np.random.default_rng(20)
    tastes = rng.integers(0, N_TASTES, N_ROWS)
    fits = tastes[:, None] == np.arange(N_ITEMS)[None, :] % N_TASTES
    had = rng.random((N_ROWS, N_ITEMS)) < np.where(fits, 0.6, 0.08)
    had[:, UNSEEN] = False
    had[np.arange(N_ROWS), tastes] = True
    rows, items = np.nonzero(had)
    count = len(rows)
    return Histories.of_events(
        rows,
        items,
        (N_ROWS, N_ITEMS),
        moments=rng.integers(0, 365, count) * _DAY,
        kinds=rng.choice([VIEW, CART, ORDER], count, p=[0.2, 0.2, 0.6]),
        weights=1.0 + rng.random(count),
        baskets=np.arange(count) // 2,
    )


def make_lonely() -> Histories:
    """The same, but customer 0, and nobody else, had the last item, five times the last day."""
    one = Histories.of_events(
        np.zeros(1, dtype=np.int64),
        np.full(1, UNSEEN),
        (N_ROWS, N_ITEMS),
        moments=np.full(1, 365 * _DAY),
        weights=np.full(1, 5.0),
    )
    return make_taught().merge(one)


class ScorerContract(ABC):
    """Checks of one scorer.

    Subclass it in a test module under a name that begins with ``Test`` and say how to make a fresh,
    unfitted scorer::

        class TestMine(ScorerContract):
            def make(self) -> Scorer:
                return MyScorer("mine")
    """

    @abstractmethod
    def make(self) -> Scorer:
        """A fresh scorer, always with the same parameters."""

    def _fit(self, taught: Histories) -> Scorer:
        scorer = self.make()
        scorer.fit(taught)
        return scorer

    def test_it_has_a_name(self) -> None:
        assert self.make().name

    def test_scores_have_the_shape_of_histories_and_items(self) -> None:
        taught = make_taught()
        scores = self._fit(taught).score(taught.take(np.arange(7)))
        assert scores.shape == (7, N_ITEMS)
        assert scores.dtype == np.float32
        assert np.isfinite(scores).all()

    def test_something_is_recommended_and_never_what_nobody_had(self) -> None:
        taught = make_taught()
        scores = self._fit(taught).score(taught)
        assert (scores.max(axis=1) > 0).mean() > 0.9
        assert (scores[:, UNSEEN] <= 1e-6).all()

    def test_the_same_data_give_the_same_scores(self) -> None:
        taught = make_taught()
        first, second = self._fit(taught), self._fit(make_taught())
        assert np.array_equal(first.score(taught), second.score(taught))

    def test_a_history_is_scored_alike_alone_and_among_others(self) -> None:
        taught = make_taught()
        scorer = self._fit(taught)
        together = scorer.score(taught)
        for row in (0, 17, N_ROWS - 1):
            alone = scorer.score(taught.take(np.array([row])))
            assert np.allclose(alone[0], together[row], rtol=1e-4, atol=1e-6)

    def test_scoring_leaves_the_histories_as_they_were(self) -> None:
        taught = make_taught()
        self._fit(taught).score(taught)
        for name in ("indptr", "items", "moments", "kinds", "weights", "baskets", "rows"):
            assert np.array_equal(getattr(taught, name), getattr(make_taught(), name))

    def test_a_visitor_without_history_is_scored_without_an_error(self) -> None:
        nothing = np.empty(0, dtype=np.int64)
        empty = Histories.of_events(nothing, nothing, (1, N_ITEMS), moments=nothing).of_nobody()
        scores = self._fit(make_taught()).score(empty)
        assert np.isfinite(scores).all()

    def test_shares_of_the_history_add_up_to_the_score(self) -> None:
        """Unless the model does not look at the history: then it gives no shares."""
        taught = make_taught()
        scorer = self._fit(taught)
        scores = scorer.score(taught)
        lists = np.argsort(-scores, axis=1, kind="stable")[:, :4]
        given = scorer.explain(taught, lists)
        assert given.shape == (N_ROWS * 4, N_ITEMS)
        told = densify(given).reshape(N_ROWS, 4, N_ITEMS)
        if given.nnz:
            listed = np.take_along_axis(scores, lists, axis=1)
            assert np.allclose(told.sum(axis=2), listed, rtol=1e-3, atol=1e-5)

    def test_only_items_of_the_history_have_a_share(self) -> None:
        taught = make_taught()
        lists = np.tile(np.arange(5), (N_ROWS, 1))
        told = densify(self._fit(taught).explain(taught, lists))
        had = np.repeat(densify(taught.seen()) > 0, 5, axis=0)
        assert not told[~had].any()

    def test_a_score_without_shares_does_not_depend_on_the_history(self) -> None:
        taught = make_taught().of_nobody()
        scorer = self._fit(taught)
        scores = scorer.score(taught)
        lists = np.argsort(-scores, axis=1, kind="stable")[:, :1]
        if not scorer.explain(taught, lists).nnz:
            assert (scores == scores[0]).all()

    def test_a_customer_is_never_their_own_neighbour(self) -> None:
        """An item that only one customer had is not recommended to this customer for having it."""
        lonely = make_lonely()
        scorer = self._fit(lonely)
        if scorer.personal:
            scores = scorer.score(lonely.take(np.array([0])))
            assert abs(scores[0, UNSEEN]) <= 1e-6

    def test_an_erased_customer_speaks_for_nobody(self, tmp_path: Path) -> None:
        """What only the erased customer had is recommended to nobody by the stored model."""
        scorer, customers = self._fit(make_lonely()), np.arange(100, 100 + N_ROWS)
        if not scorer.personal:
            return
        artefacts = Artefacts(tmp_path, FixedClock(datetime(2026, 1, 1, tzinfo=UTC)))
        with artefacts.write("contract") as writer:
            personal = scorer.save(writer, "mine", customers)
            writer.manifest = structs.replace(writer.manifest, personal=personal)
        visitor = make_lonely().take(np.array([0])).of_nobody()
        assert scorer.score(visitor)[0, UNSEEN] > 0
        artefacts.forget(frozenset({100}), 1)
        artefact = artefacts.current("contract")
        assert artefact is not None
        again = self.make()
        assert 100 not in again.load(artefact, "mine")
        assert abs(again.score(visitor)[0, UNSEEN]) <= 1e-6

    def test_what_is_saved_is_loaded_and_scores_alike(self, tmp_path: Path) -> None:
        taught, customers = make_taught(), np.arange(100, 100 + N_ROWS)
        scorer = self._fit(taught)
        artefact, personal = self._store(scorer, customers, tmp_path)
        again = self.make()
        kept = again.load(artefact, "mine")
        before, after = scorer.score(taught), again.score(taught)
        assert np.allclose(after, before, rtol=1e-4, atol=1e-6)  # weights may be kept as float32
        if scorer.personal:
            assert personal, "a model with rows of customers must say which arrays hold them"
            assert kept.tolist() == customers.tolist()
        else:
            assert not personal

    def test_every_file_it_saves_begins_with_the_prefix(self, tmp_path: Path) -> None:
        artefact, personal = self._store(self._fit(make_taught()), np.arange(N_ROWS), tmp_path)
        assert artefact.manifest.files
        assert all(name.startswith("mine") for name in artefact.manifest.files)
        kept = {file.split(".")[0] for file in artefact.manifest.files}
        assert {*personal, *personal.values()} <= kept

    def _store(
        self, scorer: Scorer, customers: NDArray[np.int64], folder: Path
    ) -> tuple[Artefact, dict[str, str]]:
        artefacts = Artefacts(folder, FixedClock(datetime(2026, 1, 1, tzinfo=UTC)))
        with artefacts.write("contract") as writer:
            personal = scorer.save(writer, "mine", customers)
        artefact = artefacts.current("contract")
        assert artefact is not None
        return artefact, personal
