"""The one face of every recommender: the plug-in point ``Scorer``."""

from typing import Protocol, cast, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.histories import Histories
from lingxi.recommend.history import Weighting
from lingxi.recommend.matrix import Csr
from lingxi.store import Artefact, ArtefactWriter

Vector = NDArray[np.float64]


class Ranker(Protocol):
    """Whatever scores items for histories; all that an evaluation needs."""

    def score(self, histories: Histories) -> NDArray[np.float32]:
        """Scores of all items, shape (n_rows, n_items), float32, higher is better."""


class Scorer(Ranker, Protocol):
    """Learns from who did what, and scores items for a history.

    Rows are customers (or anonymous baskets). ``histories.rows`` says which fitted row a history
    belongs to, -1 for none, so that a customer is never their own neighbour. A score above 0 is a
    recommendation; 0 is "nothing known", and what is below comes no earlier.
    """

    @property
    def name(self) -> str:
        """The model's name, as the manifest and the pages show it."""

    @property
    def personal(self) -> bool:
        """Whether the fitted model holds rows of customers (user-user) or only of items."""

    def fit(self, taught: Histories) -> None:
        """Learn from the histories of all."""

    def explain(self, histories: Histories, lists: NDArray[np.int64]) -> Csr:
        """What each item of each history gives to the score of each listed item.

        ``lists``: shape (n_rows, n), item indices. The answer has the shape (n_rows * n, n_items):
        row ``h * n + p`` belongs to place p of list h, its columns are items of history h, and it
        sums to the score. A model that does not look at the history gives empty rows.
        """

    def save(
        self, writer: ArtefactWriter, prefix: str, customers: NDArray[np.int64]
    ) -> dict[str, str]:
        """Write the fitted arrays, their names beginning with ``prefix``.

        ``customers`` says whose fitted row is whose, -1 for an anonymous basket. The answer goes
        into ``Manifest.personal``: arrays that hold customers, and the array that says whose.
        """

    def load(self, artefact: Artefact, prefix: str) -> NDArray[np.int64]:
        """Read what ``save`` wrote; the customers of the fitted rows, empty if not kept."""


@runtime_checkable
class Hears(Protocol):
    """A scorer that weighs the histories it is asked about, so that their ageing can be changed."""

    heard: Weighting


@runtime_checkable
class Incremental(Protocol):
    """A scorer that can take changed histories in without learning all of them again."""

    def update(self, before: Histories, after: Histories) -> None:
        """Put the histories of some rows in place of what they were when it was fitted.

        Both hold the same rows in the same order, each whole (an empty one for a row not met yet).
        Afterwards the model is the same as one fitted on everything anew.
        """


@runtime_checkable
class Listing(Protocol):
    """A scorer that knows which few items of a single history it scores above 0."""

    def list_scores(self, history: Histories) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """These items, rising, and their scores: those that ``score`` gives."""


@runtime_checkable
class ListingMany(Listing, Protocol):
    """The same of many histories at once, in less time than one by one."""

    def list_many(
        self, histories: Histories
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
        """Where each row begins, shape (n_rows + 1,); its items, rising, and their scores."""


_LISTS: dict[type, tuple[bool, bool]] = {}


def as_listing(scorer: Ranker) -> Listing | None:
    """The scorer as one that lists, if it is; each class is asked once."""
    return cast("Listing", scorer) if _ask(scorer)[0] else None


def as_listing_many(scorer: Ranker) -> ListingMany | None:
    """The same for many histories."""
    return cast("ListingMany", scorer) if _ask(scorer)[1] else None


def _ask(scorer: Ranker) -> tuple[bool, bool]:
    kind = type(scorer)
    found = _LISTS.get(kind)
    if found is None:
        found = _LISTS[kind] = isinstance(scorer, Listing), isinstance(scorer, ListingMany)
    return found
