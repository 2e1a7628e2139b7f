"""The sequence transformer as a ``Scorer``: PyTorch to learn, onnxruntime to serve."""

from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lingxi.errors import CorruptArtefact, InvalidInput, MissingExtra
from lingxi.recommend.deep.encoder import Encode, open_encoder
from lingxi.recommend.deep.sequences import Whole, group_rows, newest_windows, pad
from lingxi.recommend.deep.settings import Settings
from lingxi.recommend.deep.shares import share_out
from lingxi.recommend.histories import DAY, Histories
from lingxi.recommend.history import USUAL, Weighting
from lingxi.recommend.matrix import Csr
from lingxi.recommend.operators import NO_CUSTOMERS
from lingxi.store import Artefact, ArtefactWriter

_CELLS = 500_000
"""Cells of the padded squares of one group: what attention needs memory for."""


class Transformer:
    """Chances of what comes next, from the order and the times of what a customer did.

    ``score(u, i)`` is the softmax, over all items that were learnt from, of the cosine between a
    direction found from the customer's newest events and item i's vector, divided by a
    temperature: a number in (0, 1), 0 for items never met while learning and for customers with
    no event that was. Views, carts and orders are told apart, and count as what to foresee by
    their worth and age (``taught``). An event's weight beside its kind is not looked at.

    Parameters
    ----------
    settings
        See ``Settings``.
    taught
        How much an event counts as something to foresee.
    tell
        Called with epochs done and planned while learning.
    checkpoint
        A file to go on from when the training was stopped; see ``training.teach``.

    Source
    ------
    Kang & McAuley (2018), ICDM; softmax over the catalogue in place of one negative: Klenitskiy &
    Vasilev (2023), RecSys.
    """

    personal = False

    def __init__(
        self,
        name: str,
        settings: Settings | None = None,
        taught: Weighting = USUAL,
        tell: Callable[[int, int], None] = lambda _done, _planned: None,
        checkpoint: Path | None = None,
    ) -> None:
        self.name, self.settings = name, settings or Settings()
        self.taught, self.tell, self.checkpoint = taught, tell, checkpoint
        self.unit: NDArray[np.float32] = np.zeros((0, self.settings.embedding_size), np.float32)
        """Each item's vector, of length 1, shape (n_items, embedding_size)."""
        self.norms: NDArray[np.float32] = np.zeros(0, np.float32)
        """The lengths that were taken off; 0 for items never met."""
        self._encode: Encode | None = None
        self._export: Callable[[], bytes] | None = None

    def fit(self, taught: Histories) -> None:
        """Learn what came next.

        Raises
        ------
        MissingExtra
            If PyTorch is not installed.
        InvalidInput
            If the order of the events means nothing.
        NotEnoughData
            If no customer has two events.
        """
        if find_spec("torch") is None:
            raise MissingExtra("Learning this model takes PyTorch: pip install 'lingxi[deep]'.")
        if not taught.timed:
            raise InvalidInput(
                f"{self.name} learns from the order of events, but these have no timestamps."
            )
        from lingxi.recommend.deep.learning import learn

        learnt = learn(taught, self._worth(taught), self.settings, self.tell, self.checkpoint)
        met = np.bincount(taught.items, minlength=taught.n_items) > 0
        norms = np.linalg.norm(learnt.vectors, axis=1)
        self.norms = np.where(met, norms, 0).astype(np.float32)
        self.unit = (learnt.vectors / np.maximum(norms, 1e-12)[:, None]).astype(np.float32)
        self._encode, self._export = learnt.encode, learnt.export

    def score(self, histories: Histories) -> NDArray[np.float32]:
        """The chance of each item to come next, shape (n_rows, n_items)."""
        if histories.n_items != len(self.norms):
            raise InvalidInput(
                f"{self.name} knows {len(self.norms)} items, but the histories have "
                f"{histories.n_items}."
            )
        scores = np.zeros(histories.shape, dtype=np.float32)
        met = self.norms > 0
        known = histories.keep(met[histories.items])
        rows = np.flatnonzero(known.lengths > 0)
        windows = newest_windows(known, self.settings.length)[rows]
        for group in group_rows(np.diff(windows, axis=1)[:, 0], _CELLS):
            logits = self._directions(known, windows[group]) @ self.unit.T
            logits[:, ~met] = -np.inf
            logits -= logits.max(axis=1, keepdims=True)
            chances = np.exp(logits, out=logits)
            scores[rows[group]] = chances / chances.sum(axis=1, keepdims=True, dtype=np.float64)
        return scores

    def explain(self, histories: Histories, lists: NDArray[np.int64]) -> Csr:
        """Shapley shares of the history's items; see ``shares``. They sum to the score."""
        known = histories.keep(self.norms[histories.items] > 0)
        windows = newest_windows(known, self.settings.length)
        places = np.arange(len(known.items))
        heard = places >= np.repeat(windows[:, 0], known.lengths)
        return share_out(self.score, known.keep(heard), lists)

    def save(
        self, writer: ArtefactWriter, prefix: str, customers: NDArray[np.int64]
    ) -> dict[str, str]:
        """Write the network as ONNX, the items' vectors and the settings; nobody's rows."""
        del customers
        if self._export is None:
            raise InvalidInput(f"{self.name} has not been fitted.")
        writer.save_onnx(f"{prefix}_network", self._export())
        writer.save_array(f"{prefix}_unit", self.unit)
        writer.save_array(f"{prefix}_norms", self.norms)
        facts = {"temperature": self.settings.temperature, "length": self.settings.length}
        writer.save_json(f"{prefix}_facts", facts)
        return {}

    def load(self, artefact: Artefact, prefix: str) -> NDArray[np.int64]:
        """Map the vectors into memory and open the network with onnxruntime."""
        facts = artefact.load_json(f"{prefix}_facts", dict[str, float])
        self.settings = replace(
            self.settings, temperature=facts["temperature"], length=int(facts["length"])
        )
        self.unit = artefact.load_array(f"{prefix}_unit", np.float32)
        self.norms = artefact.load_array(f"{prefix}_norms", np.float32)
        if len(self.unit) != len(self.norms):
            raise CorruptArtefact(f"{prefix}_unit and {prefix}_norms are of different lengths.")
        network = artefact.load_onnx(f"{prefix}_network")
        self._encode, self._export = open_encoder(network), lambda: network
        return NO_CUSTOMERS

    def _directions(self, known: Histories, windows: Whole) -> NDArray[np.float32]:
        """Where each history points, as long as the temperature makes it."""
        if self._encode is None:
            raise InvalidInput(f"{self.name} has not been fitted.")
        batch = pad(known, windows)
        vectors = self.unit[batch.items] * self.norms[batch.items][..., None]
        directions: NDArray[np.float32] = self._encode(vectors, batch)
        return directions / np.float32(self.settings.temperature)

    def _worth(self, taught: Histories) -> NDArray[np.float32]:
        worth = np.array([self.taught.view, self.taught.cart, self.taught.order])[taught.kinds]
        if self.taught.half_life_days > 0:
            ages = (taught.newest - taught.moments) / DAY
            worth = worth * 2.0 ** (-ages / self.taught.half_life_days)
        return worth.astype(np.float32)
