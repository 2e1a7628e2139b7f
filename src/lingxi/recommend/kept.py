"""What serving keeps of customers: histories that were read, and what they came to."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from lingxi.profiles import read_revision
from lingxi.profiles.read import CountColumns, read_count_columns
from lingxi.recommend.goods import Goods
from lingxi.recommend.newcomers import StandIns
from lingxi.recommend.past import Past
from lingxi.recommend.remembered import Remembered
from lingxi.recommend.rules import LONGEST_HISTORY
from lingxi.store.engine import is_writing

State = tuple[int, int, int, int]
"""Times that somebody was folded again or erased, events of the customer, places, number of the
stand-ins: as long as they are the same, so is all that a history comes to."""
_TOLD_BYTES, _ENTRY_BYTES = 1_100, 176
"""About what a history takes, and each of its items, whose id is a text of its own."""


@dataclass(frozen=True)
class Told:
    """A customer's own history: as the profile keeps it, and by the places of its items.

    It is kept and shared: nothing in it is written to.
    """

    columns: CountColumns
    past: Past
    personal: bool
    """Whether it says what they did: a moment of 0 is known only as sent back."""
    state: State | None = None
    """What it is true of; nothing where it may yet be taken back, or was made up."""

    @staticmethod
    def read(
        columns: CountColumns, index: Mapping[str, int], n_known: int, state: State | None = None
    ) -> "Told":
        """What the profile tells, by the places that items have in ``index``."""
        past, personal = Past.read(columns, index, n_known), bool(columns.numbers[-1].any())
        return Told(columns, past, personal, state)

    @property
    def memory_bytes(self) -> int:
        """About how much memory it takes."""
        return _TOLD_BYTES + _ENTRY_BYTES * len(self.columns.item_ids)


class Kept:
    """Holds both within their bounds; all of it is of the state of the log that a transaction sees.

    An event of a customer, whichever process writes it, changes their state in its own transaction;
    a merge, its undoing and an erasure change that of everybody.
    """

    def __init__(self, answer_bytes: int, history_bytes: int) -> None:
        self.answers = Remembered[object](answer_bytes)
        self.histories = Remembered[Told](history_bytes)
        self._rebuilt = -1

    def observe(
        self, tx: Connection, goods: Goods, customer: int | None, stand_ins: StandIns | None
    ) -> State | None:
        """The state that this transaction sees; nothing in one that may yet be taken back."""
        if is_writing(tx):
            return None
        rebuilt = events = 0
        if customer is not None:
            rebuilt, events = read_revision(tx, customer)
            if rebuilt != self._rebuilt:
                self.answers.clear()  # somebody was erased, or is now somebody else
                self.histories.clear()
                self._rebuilt = rebuilt
        return rebuilt, events, len(goods), -1 if stand_ins is None else stand_ins.number

    def tell(
        self,
        tx: Connection,
        goods: Goods,
        customer: int,
        stand_ins: StandIns | None,
        state: State | None,
    ) -> Told:
        """A customer's own history in this state, read where it is not kept."""
        known = None if state is None else self.histories.get(customer, state)
        if known is not None:
            return known
        columns = read_count_columns(tx, customer, LONGEST_HISTORY)
        counted = goods.n_known if stand_ins is None else stand_ins.n_all
        told = Told.read(columns, goods.index, counted, state)
        if state is not None:
            self.histories.put(customer, state, told, told.memory_bytes)
        return told
