"""Several models together: the score is the sum of theirs, each with its share."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.alone import find_met, tell_part, to_rows
from lingxi.recommend.among import explain_part, hear_part, join_rows
from lingxi.recommend.earlier import Earlier, remind
from lingxi.recommend.histories import Histories
from lingxi.recommend.matrix import Csr, scale
from lingxi.recommend.scorer import Scorer
from lingxi.recommend.scratch import Scratch
from lingxi.store import Artefact, ArtefactWriter


class Blend:
    """``score(u, i) = sum_m share_m · score_m(u, i)``, so the shares of a history add up as well.

    What a part scores below 0 counts as 0: nothing known.

    Parameters
    ----------
    parts
        Unfitted scorers.
    shares
        One factor above 0 each; they hold the scales of the parts as well.

    Source
    ------
    Weighted hybrid: Burke (2002), UMUAI 12(4).
    """

    def __init__(self, name: str, parts: Sequence[Scorer], shares: Sequence[float]) -> None:
        self.name, self.parts, self.shares = name, tuple(parts), tuple(shares)

    @property
    def personal(self) -> bool:
        """Whether any part holds rows of customers."""
        return any(part.personal for part in self.parts)

    def remember(self, earlier: Earlier, prefix: str) -> None:
        """Show every part what it came to before; see ``Remembering``."""
        for number, part in enumerate(self.parts):
            remind(part, earlier, f"{prefix}_part{number}")

    def fit(self, taught: Histories) -> None:
        """Fit every part."""
        for part in self.parts:
            part.fit(taught)

    def score(self, histories: Histories) -> NDArray[np.float32]:
        """Scores of all items, shape (n_rows, n_items)."""
        total = np.zeros(histories.shape, dtype=np.float32)
        for part, share in zip(self.parts, self.shares, strict=True):
            total += np.float32(share) * np.maximum(part.score(histories), np.float32(0))
        return total

    def list_scores(self, history: Histories) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """See ``Listing``."""
        _, items, scores = self.list_many(history)
        return items, scores

    def list_many(
        self, histories: Histories
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
        """See ``ListingMany``: the numbers of ``score``, added where a part says something."""
        scratch = Scratch(histories.n_items)
        said = [hear_part(part, histories, scratch) for part in self.parts]
        shares, found = [np.float32(share) for share in self.shares], []
        for row in zip(*said, strict=True):
            total = scratch.total
            for (items, scores), share in zip(row, shares, strict=True):
                if items is None:
                    total += share * np.maximum(scores, np.float32(0))
                else:
                    total[items] += share * scores
            met = (total > 0).nonzero()[0]
            found.append((met, total.take(met)))
            total.fill(0.0)
        return join_rows(found)

    def explain(self, histories: Histories, lists: NDArray[np.int64]) -> Csr:
        """What each item of each history gives through all parts; see ``Scorer.explain``."""
        total: Csr | None = None
        scratch = Scratch(histories.n_items)
        if histories.n_rows == 1:
            return self._explain_alone(histories, lists[0], scratch)
        for part, share in zip(self.parts, self.shares, strict=True):
            given = explain_part(part, histories, lists, scratch)
            owners = np.repeat(np.arange(given.shape[0]), np.diff(given.indptr))
            sums = np.bincount(owners, weights=given.data, minlength=given.shape[0])
            counted = scale(given, given.data * share * (sums > 0)[owners])
            total = counted if total is None else (total + counted).tocsr()
        assert total is not None
        return total

    def _explain_alone(
        self, history: Histories, listed: NDArray[np.int64], scratch: Scratch
    ) -> Csr:
        met = find_met(history)
        total = np.zeros((len(listed), len(met)))
        for part, share in zip(self.parts, self.shares, strict=True):
            own = tell_part(part, history, listed, met, scratch)
            total += own * (share * (own.sum(axis=1, keepdims=True) > 0))
        return to_rows(total, met, history.n_items)

    def save(
        self, writer: ArtefactWriter, prefix: str, customers: NDArray[np.int64]
    ) -> dict[str, str]:
        """Write every part."""
        personal: dict[str, str] = {}
        for number, part in enumerate(self.parts):
            personal |= part.save(writer, f"{prefix}_part{number}", customers)
        return personal

    def load(self, artefact: Artefact, prefix: str) -> NDArray[np.int64]:
        """Read every part; the customers of a part that keeps them."""
        customers = np.empty(0, dtype=np.int64)
        for number, part in enumerate(self.parts):
            kept = part.load(artefact, f"{prefix}_part{number}")
            customers = kept if len(kept) else customers
        return customers
