"""Keeps, with each batch of messages, what of its lines was set aside and how far the file is."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

import msgspec
from sqlalchemy import Connection

from lingxi.ingest.event_names import is_custom
from lingxi.ingest.files.runs import FileRun, Mark, put_marks, put_run_state, read_marks
from lingxi.ingest.files.tally import Tally
from lingxi.ingest.files.units import Unit, name_person
from lingxi.ingest.message import AT_ONCE, Cleaned, Dropped, Message, Outcome
from lingxi.ingest.quarantine import Found, put_quarantine
from lingxi.ingest.reasons import DropReason, PutReason
from lingxi.schema import Name
from lingxi.store import Store
from lingxi.store.log import find_known, log_position

_STEPS = {
    DropReason.LINE_MALFORMED: "drop_malformed",
    DropReason.EXACT_DUPLICATE: "drop_repeated_message",
}
_MOST_TOGETHER = 8
"""Batches of one transaction, half a second, where nobody else writes."""
_SYSTEM = frozenset({Name.IDENTIFIED.value, Name.ALIASED.value})


class Noted:
    """What the lines of a file name: ``given`` counts lines by the fields they have."""

    def __init__(self, kind: str) -> None:
        self.given: Counter[str] = Counter()
        self.persons: set[str] = set()
        self.items: set[str] = set()
        self._kind = kind

    def know(self, unit: Unit) -> None:
        """A unit that an earlier run has taken already, or that is about to be."""
        for _ in unit.rows:
            self.given.update(unit.fields)
        person = name_person(unit.body)
        named = self._kind == "customers" or unit.body.get("userId")
        if person and named and unit.refused is None:
            self.persons.add(person)
        self.items.update(_list_items(unit.body.get("properties")))

    def add(self, other: "Noted") -> None:
        """What further lines name."""
        self.given.update(other.given)
        self.persons |= other.persons
        self.items |= other.items


class LineKeeper:
    """The keeper of one file's lines; see ``lingxi.ingest.intake.Keeper``.

    ``together`` is how many batches the next transaction had best keep: the more, the fewer pages
    are written again and again, but who else writes waits for all of them. So one where another
    process has written events since the last transaction, and else twice as many as in that.
    """

    def __init__(self, store: Store, kind: str, run: FileRun) -> None:
        self.run = run
        self.noted = Noted(kind)
        self.together = 1
        self._end: int | None = None
        self._store = store
        self._kind = kind
        self._units: list[Unit] = []
        self._taken = 0
        self._next = run
        self._marks: dict[int, tuple[str, Mark]] = {}

    def begin(self, units: Sequence[Unit]) -> list[Message]:
        """The messages of the next batch."""
        self._units, self._taken, self._marks = list(units), 0, {}
        for unit in units:
            self.noted.know(unit)
        self._name_customers()
        return [unit.to_message(self._kind, self.run.started_at) for unit in units]

    def follow(self, units: Sequence[Unit]) -> None:
        """The next batch, of events whose messages are cleaned already."""
        self._units, self._taken, self._marks = list(units), 0, {}

    def keep(self, tx: Connection, outcomes: Sequence[Outcome], /) -> None:
        """Quarantine, marks and progress, in the transaction of the messages."""
        start = self._taken
        units = self._units[start : start + len(outcomes)]
        tally = self.run.tally.copy()
        found: list[Found] = []
        marks: dict[str, Mark] = {}
        for place, (unit, outcome) in enumerate(zip(units, outcomes, strict=True), start=start):
            if place % AT_ONCE == 0:
                self._put_aside(tx, found)
                found = []
            count_unit(tally, unit, outcome)
            if isinstance(outcome.cleaned, Dropped):
                found.extend(self._set_aside(unit, outcome.cleaned))
            elif place in self._marks:
                key, mark = self._marks[place]
                marks[key] = mark
        self._put_aside(tx, found)
        if marks:
            put_marks(tx, marks)
        self._next = msgspec.structs.replace(self.run, done=self.run.done + len(units), tally=tally)
        put_run_state(tx, self._next)
        self._look_for_others(tx, outcomes)

    def _look_for_others(self, tx: Connection, outcomes: Sequence[Outcome]) -> None:
        first = next((o.position for o in outcomes if o.position is not None), None)
        alone = first is None or self._end is None or first == self._end + 1
        self.together = min(2 * self.together, _MOST_TOGETHER) if alone else 1
        self._end = log_position(tx)

    def kept(self, outcomes: Sequence[Outcome], /) -> None:
        """That part of the batch is on disk."""
        self.run = self._next
        self._taken += len(outcomes)

    def _put_aside(self, tx: Connection, found: Sequence[Found]) -> None:
        run = self.run
        put_quarantine(self._store, tx, run.import_id, found, run.started_at, in_parts=True)

    def _set_aside(self, unit: Unit, dropped: Dropped) -> Iterator[Found]:
        person = name_person(unit.body)
        seal = {} if person is None else {person: self._store.keyring.blind(person)}
        return unit.list_found(name_drop(dropped), dropped.reason.value, seal)

    def _name_customers(self) -> None:
        """A customer's line without a moment is told again only where it differs from the last.

        The file that was finished before tells nothing new; any other tells what is in it, also
        where a customer is again as they were once.
        """
        keys: dict[int, str] = {}
        for place, unit in enumerate(self._units):
            if unit.content is None or unit.refused is not None:
                continue
            person = name_person(unit.body)
            if person is not None:
                keys[place] = self._store.keyring.blind(person)
        if not keys:
            return
        ids = {place: str(self._units[place].body["messageId"]) for place in keys}
        with self._store.read() as tx:
            known = read_marks(tx, list(dict.fromkeys(keys.values())))
            told = find_known(tx, {f"web:{each}" for each in ids.values()})
        for place, key in keys.items():
            unit, last = self._units[place], known.get(key)
            content = unit.content or ""
            if last is None:
                known[key] = Mark(content, 1)
            elif last.content != content and not self.run.times:
                known[key] = Mark(content, last.version + 1)
                if f"web:{ids[place]}" in told:
                    unit.body["messageId"] = f"{ids[place]}#{last.version + 1}"
            else:
                continue
            self._marks[place] = key, known[key]


def name_drop(dropped: Dropped) -> str:
    """The step that set a message aside, in the words of a file's report."""
    return _STEPS.get(dropped.reason, dropped.step)


def count_unit(tally: Tally, unit: Unit, outcome: Outcome) -> None:
    """Add what became of one unit."""
    lines = len(unit.rows)
    example = f"row {unit.rows[0]}"
    tally.lines += lines
    cleaned = outcome.cleaned
    if isinstance(cleaned, Dropped):
        step = name_drop(cleaned)
        tally.count(step, cleaned.reason.value, kept=False, lines=lines, example=example)
        return
    tally.kept += lines
    for name in _in_order(unit.fields):
        tally.filled[name] = tally.filled.get(name, 0) + lines
    for step, why in dict.fromkeys((each.name, each.reason) for each in cleaned.steps):
        tally.count(step, why, kept=True, lines=lines, example=example)
    if is_custom(cleaned.event.name) and cleaned.event.name not in _SYSTEM:
        reason = PutReason.CUSTOM_EVENT
        tally.count("put_custom_event", reason, kept=True, lines=lines, example=cleaned.event.name)
    _count_events(tally, cleaned, outcome)


@lru_cache(maxsize=1_000)
def _in_order(fields: frozenset[str]) -> tuple[str, ...]:
    return tuple(sorted(fields))


def _count_events(tally: Tally, cleaned: Cleaned, outcome: Outcome) -> None:
    events = 1 + len(cleaned.also)
    if outcome.result == "stored":
        tally.inserted += events
        tally.orders += cleaned.event.name == Name.ORDER_COMPLETED.value
    else:
        tally.duplicates += events


def _list_items(properties: object) -> Iterator[str]:
    if not isinstance(properties, Mapping):
        return
    products = properties.get("products")
    for product in (properties, *(products if isinstance(products, list) else ())):
        item = product.get("product_id") if isinstance(product, Mapping) else None
        if isinstance(item, str):
            yield item
