"""A placement's list as it is shown and noted: made, and remembered for who asks again."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from lingxi.app.placements.request import Ask
from lingxi.app.placements.show import show_items
from lingxi.app.placements.views import PlacedItem
from lingxi.app.served import describe_list
from lingxi.recommend.placements.compiled import Compiled
from lingxi.recommend.placements.context import Context
from lingxi.recommend.placements.knowledge import Knowledge
from lingxi.recommend.placements.listing import Listed
from lingxi.schema import Line, Scalar

if TYPE_CHECKING:
    from lingxi.recommend import Recommender

_LIST_BYTES, _ITEM_BYTES = 1_500, 900
"""About what a list takes, and each of its items."""


class Ready(msgspec.Struct, frozen=True):
    """``told`` is what the log keeps of it; ``loss`` the share of relevance that diversity cost."""

    items: tuple[PlacedItem, ...]
    lines: tuple[Line, ...]
    told: Mapping[str, Scalar]
    loss: float
    explored: bool

    @staticmethod
    def of(known: Knowledge, listed: Listed, *, explain: bool) -> "Ready":
        """A list that was made."""
        facts = known.table.facts
        return Ready(
            items=show_items(known, listed, explain=explain),
            lines=tuple([Line(facts[entry.place].item_id) for entry in listed.entries]),
            told=describe_list(listed),
            loss=listed.loss,
            explored=listed.log_propensity < 0,
        )

    @property
    def memory_bytes(self) -> int:
        """About how much memory it takes."""
        return _LIST_BYTES + _ITEM_BYTES * len(self.items)


class Lists:
    """The lists that are remembered for requests of one kind, with the recommender that made them.

    A list is true of a customer's state and of what was compiled: until an event of the customer,
    a change of the catalogue or of a definition, or the next minute.
    """

    def __init__(
        self, recommender: "Recommender", name: str, ask: Ask, context: Context, compiled: Compiled
    ) -> None:
        told = context.told
        own = ask.history, ask.item_id, ask.cart, ask.candidates, ask.n
        self._answers = recommender.answers
        self._key = ("list", name, context.customer, *own)
        self._state = (None if told is None else told.state, compiled.number)
        self._open = not ask.bought and (told is None or told.state is not None)

    def recall(self) -> Ready | None:
        """The list of such a request, if it is remembered."""
        found = self._answers.get(self._key, self._state) if self._open else None
        return found if isinstance(found, Ready) else None

    def keep(self, ready: Ready) -> None:
        """Remember a list without exploration."""
        if self._open and not ready.explored:
            self._answers.put(self._key, self._state, ready, ready.memory_bytes)
