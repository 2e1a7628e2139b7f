"""What is known of one customer, in the form in which rules ask."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from lingxi.schema import Event
from lingxi.segments.rule import Stream, Value
from lingxi.segments.stream import Goods, belongs, list_values
from lingxi.store.codec import from_row

Row = tuple[int, int, bytes]
"""An event: microseconds since 1970, position, payload (empty where no rule reads it)."""
Traits = Callable[[], Mapping[str, str]]


def _no_traits() -> Mapping[str, str]:
    return {}


@dataclass
class Facts:
    """One customer; ``rows`` holds their events by name, in order of moment and position.

    Scores that are moments come in microseconds since 1970. Traits are read when first asked for.
    ``counted`` holds what ``times`` has answered, by the streams' numbers.
    """

    customer: int
    known: bool = True
    rows: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    scores: Mapping[str, Value | None] = field(default_factory=dict)
    consents: Mapping[tuple[str, str], bool] = field(default_factory=dict)
    lists: frozenset[str] = frozenset()
    goods: Goods = field(default_factory=dict)
    read_traits: Traits = _no_traits
    _events: dict[str, list[Event]] = field(default_factory=dict)
    counted: dict[int, list[int]] = field(default_factory=dict)
    _values: dict[tuple[int, str], list[tuple[int, Value]]] = field(default_factory=dict)
    _traits: Mapping[str, str] | None = None

    def trait(self, name: str) -> str | None:
        """The value of a trait."""
        if self._traits is None:
            self._traits = self.read_traits()
        return self._traits.get(name)

    def events(self, name: str) -> list[Event]:
        """The events of a name, the oldest first."""
        found = self._events.get(name)
        if found is None:
            found = [
                from_row(position, payload) for _, position, payload in self.rows.get(name, ())
            ]
            self._events[name] = found
        return found

    def times(self, slot: int, stream: Stream) -> list[int]:
        """The moments of a stream's events, sorted; ``slot`` is the stream's number."""
        times = self.counted.get(slot)
        if times is None:
            rows = self.rows.get(stream.event, ())
            if rows and (stream.where or stream.items or stream.categories):
                pairs = zip(rows, self.events(stream.event), strict=True)
                times = [row[0] for row, event in pairs if belongs(stream, event, self.goods)]
            else:
                times = [row[0] for row in rows]
            self.counted[slot] = times
        return times

    def values(self, slot: int, stream: Stream, of: str) -> list[tuple[int, Value]]:
        """The values of a field in a stream's events, each with its moment, sorted by it."""
        found = self._values.get((slot, of))
        if found is None:
            rows = self.rows.get(stream.event, ())
            found = [
                (row[0], value)
                for row, event in zip(rows, self.events(stream.event), strict=True)
                for value in list_values(stream, of, event, self.goods)
            ]
            self._values[slot, of] = found
        return found
