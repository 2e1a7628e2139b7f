"""The catalogue in memory, as serving needs it: current with the transaction that asks."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from threading import Lock

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from lingxi.catalogue import read_changes, read_items, read_revision
from lingxi.recommend.rules import Candidate, RuleSettings, find_rule
from lingxi.schema import Item
from lingxi.store.engine import is_writing

NOTHING: frozenset[str] = frozenset()
_FEW_CHANGES = 4
"""Changes of the catalogue, each of at most 500 items, that are read in a few milliseconds."""
_ITEM_BYTES = 900
"""About what one item takes, measured over the items of Online Retail and of the demo."""


@dataclass
class Gate:
    """Which places no rule about the item itself keeps out, and in what order they fill lists."""

    open: NDArray[np.bool_]
    order: NDArray[np.int64] | None = None


class Goods:
    """All items that can be recommended: the model's in its order, then those that came since.

    An item's place is its index in the model where that is below ``n_known``; a place once given
    stays. Whoever asks calls ``current`` first: what changed since is read in their transaction.
    """

    def __init__(self, item_ids: Sequence[str], popularity: NDArray[np.float64]) -> None:
        self.n_known = len(item_ids)
        self.ids = list(item_ids)
        self.index = {item_id: at for at, item_id in enumerate(item_ids)}
        self.items: list[Item | None] = [None] * self.n_known
        self.revision = -1
        self._popular = np.argsort(-popularity, kind="stable")
        self._gates: dict[frozenset[str], Gate] = {}
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self.ids)

    def find(self, item_id: str) -> Item | None:
        """What the catalogue says of an item."""
        at = self.index.get(item_id)
        return None if at is None else self.items[at]

    @property
    def memory_bytes(self) -> int:
        """About how much memory it takes."""
        return len(self.ids) * _ITEM_BYTES

    def current(self, tx: sa.Connection) -> "Goods":
        """The goods as this transaction sees the catalogue, or newer.

        What a transaction has written itself and may yet take back stays with it: it gets a copy.
        """
        revision = read_revision(tx)
        if revision <= self.revision:
            return self
        if is_writing(tx):
            own = self._copy()
            own._read(tx, revision)
            return own
        with self._lock:
            if revision > self.revision:
                self._read(tx, revision)
        return self

    def is_far_behind(self, tx: sa.Connection) -> bool:
        """Whether ``current`` would read so many items that others had better not wait for it."""
        return read_revision(tx) - self.revision > _FEW_CHANGES

    def gate(self, off: frozenset[str] = NOTHING) -> Gate:
        """Which places are open, with the rules named in ``off`` left out."""
        found = self._gates.get(off)
        if found is None or len(found.open) != len(self.ids):
            with self._lock:
                found = Gate(np.array([self._is_open(at, off) for at in range(len(self.ids))]))
                self._gates[off] = found
        return found

    def fill_order(self, off: frozenset[str] = NOTHING) -> NDArray[np.int64]:
        """Open places in the order in which they fill lists: the popular, then what is new."""
        gate = self.gate(off)
        order = gate.order
        if order is None:
            new = np.arange(self.n_known, len(gate.open))[::-1]
            order = np.concatenate((self._popular, new))
            order = order[gate.open[order]]
            gate.order = order
        return order

    @property
    def arrivals(self) -> NDArray[np.int64]:
        """Open places of items that the model does not know, the newest first."""
        new = np.arange(len(self.ids) - 1, self.n_known - 1, -1)
        opened: NDArray[np.int64] = new[self.gate().open[new]]
        return opened

    def _is_open(self, at: int, off: frozenset[str]) -> bool:
        candidate = Candidate(self.ids[at], self.items[at])
        return find_rule(candidate, RuleSettings(off=off)) is None

    def _read(self, tx: sa.Connection, revision: int) -> None:
        changed = read_items(tx) if self.revision < 0 else read_changes(tx, self.revision)
        if self.revision < 0:
            self._gates.clear()
        for item_id, item in changed.items():
            at = self.index.get(item_id)
            if at is None:
                at = len(self.ids)
                self.ids.append(item_id)
                self.items.append(item)
                self.index[item_id] = at
            self.items[at] = item
        places = np.array([self.index[item_id] for item_id in changed], dtype=np.int64)
        for off, gate in list(self._gates.items()):
            if len(gate.open) != len(self.ids):
                del self._gates[off]
                continue
            now = np.array([self._is_open(at, off) for at in places.tolist()], dtype=np.bool_)
            if (gate.open[places] != now).any():
                gate.open[places] = now
                gate.order = None
        self.revision = revision

    def _copy(self) -> "Goods":
        with self._lock:
            own = copy(self)
            own.ids, own.items = self.ids.copy(), self.items.copy()
            own.index = self.index.copy()
            own._gates, own._lock = {}, Lock()
        return own
