"""What rules count in the events of all customers: few passes over lake and tail.

Counts and sums of whole events go through one pass for all rules together, added up by surrogate
first and by customer after, so that no row of an event is joined with anything. What asks for
single lines, different values, or first and last events has a pass of its own, over its own rows.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import ibis

from lingxi.features.grains import epoch_us
from lingxi.segments.bulk.conditions import (
    Expr,
    conjoin,
    find_place,
    in_window,
    later_than,
    meets,
    meets_contents,
    passes_number,
    read_number,
    read_text,
    since,
)
from lingxi.segments.fields import asks_lines, is_of_line
from lingxi.segments.predicate import make_bounds
from lingxi.segments.rule import Aggregate, Did, Stream, Window
from lingxi.segments.stream import Goods
from lingxi.store import Analytics

NEVER = 2**62
Counted = Did | Aggregate
Make = Callable[[ibis.Table], Expr]


@dataclass
class Counting:
    """Collects what is to be counted, and gives one table a pass: ``customer`` and columns.

    ``due`` asks also for the earliest moment at which time alone may change a count. With
    ``people`` (``subject`` and ``customer``) only their events are read.
    """

    analytics: Analytics
    goods: Goods
    now_us: int
    due: bool = False
    people: ibis.Table | None = None
    _lowest: int = 2**62
    _plain: dict[str, tuple[Make, str]] = field(default_factory=dict)
    _names: set[str] = field(default_factory=set)
    _tables: list[ibis.Table] = field(default_factory=list)
    _filled: dict[str, int | None] = field(default_factory=dict)
    _number: int = 0

    def __post_init__(self) -> None:
        rows = self.analytics.rows
        if self.people is not None:
            self._rows = rows.semi_join(self.people, "subject")
        else:
            self._rows = rows.filter(rows.subject.notnull())

    def add(self, leaf: Counted) -> "Measured":
        """Take a condition in; what is measured for it."""
        if isinstance(leaf, Did) and leaf.which:
            return self._add_edge(leaf)
        of = leaf.of if isinstance(leaf, Aggregate) else ""
        function = leaf.function if isinstance(leaf, Aggregate) else "count"
        whole = not asks_lines(leaf.stream) and not is_of_line(of) and function != "distinct"
        if whole:
            return self._add_plain(leaf, of, function)
        return self._add_lines(leaf, of, function)

    def tables(self) -> Iterator[ibis.Table]:
        """The tables of all passes, one row a customer who has any."""
        if self._plain:
            yield self._pass_plain()
        yield from self._tables

    @property
    def filled(self) -> dict[str, int | None]:
        """What each column is for who has no row: nothing for averages."""
        return self._filled

    def _name(self, kind: str, empty: int | None = 0) -> str:
        self._number += 1
        name = f"{kind}{self._number}"
        self._filled[name] = empty
        return name

    def _add_plain(self, leaf: Counted, of: str, function: str) -> "Measured":
        stream, window = leaf.stream, leaf.window
        self._names.add(stream.event)
        self._lowest = min(self._lowest, *self._list_lowest(window))

        def mine(rows: ibis.Table) -> Expr:
            named = rows.place == sorted(self._names).index(stream.event) + 1
            return conjoin([named, meets_contents(rows, stream, self.goods)])

        def inside(rows: ibis.Table) -> Expr:
            kept = mine(rows) & in_window(rows, window, self.now_us)
            return kept & read_number(rows, of).notnull() if of else kept

        n = self._put("n", lambda rows: rows.count(where=inside(rows)), "sum")
        total = ""
        if of:
            total = self._put(
                "s", lambda rows: read_number(rows, of).sum(where=inside(rows)), "sum"
            )
        return Measured(leaf, function, n, total, self._put_due(window, mine))

    def _put(self, kind: str, value: Make, how: str, empty: int | None = 0) -> str:
        name = self._name(kind, empty)
        self._plain[name] = (value, how)
        return name

    def _put_due(self, window: Window, mine: Callable[[ibis.Table], Expr]) -> tuple[str, ...]:
        """The first moments at which an event may come into the window, or leave it."""
        if not self.due:
            return ()

        def first(bound: int) -> Make:
            return lambda rows: rows.occurred_at.min(where=mine(rows) & later_than(rows, bound))

        ages = self._ages(window)
        return tuple(self._put(f"d{age}_", first(bound), "min", None) for age, bound in ages)

    def _ages(self, window: Window) -> list[tuple[int, int]]:
        """Ages at which an event begins and ceases to count, each with the moment above which an
        event still has that before it."""
        ages = [window.older_us] + ([window.within_us] if window.within_us is not None else [])
        return [(age, self.now_us - age) for age in ages]

    def _list_lowest(self, window: Window) -> list[int]:
        """Moments, in microseconds, up to which no event is asked for."""
        bounds = [bound for _, bound in self._ages(window)] if self.due else []
        return [make_bounds(window)(self.now_us)[0], *bounds]

    def _pass_plain(self) -> ibis.Table:
        rows = self._rows
        placed = rows.mutate(place=find_place(rows.name, sorted(self._names)))
        wanted = placed.filter(placed.place > 0, placed.line == 0, *since(placed, self._lowest))
        values = {name: value(wanted) for name, (value, _) in self._plain.items()}
        owned = self._own(wanted.group_by("subject").aggregate(**values))
        ways = {name: how for name, (_, how) in self._plain.items()}
        return owned.group_by("customer").aggregate(
            **{n: owned[n].sum() if how == "sum" else owned[n].min() for n, how in ways.items()}
        )

    def _own(self, rows: ibis.Table) -> ibis.Table:
        """Rows with ``customer`` in place of ``subject``."""
        people = self.analytics.people if self.people is None else self.people
        owners = people.select("customer", identity_subject="subject")
        joined = rows.inner_join(owners, rows.subject == owners.identity_subject)
        return joined.drop("subject", "identity_subject")

    def _add_lines(self, leaf: Counted, of: str, function: str) -> "Measured":
        """Lines of their own pass: an event counts once, whatever number of its lines do."""
        stream, rows = leaf.stream, self._rows
        mine = rows.filter(meets(rows, stream, self.goods), _is_line(rows, stream, of))
        inside = in_window(mine, leaf.window, self.now_us)
        due = self._line_due(leaf.window, mine)
        if not of:
            name = self._name("n")
            owned = self._own(mine.filter(inside).select("subject", "position").distinct())
            self._tables.append(owned.group_by("customer").aggregate(**{name: owned.count()}))
            return Measured(leaf, function, name, "", due)
        value = read_text(mine, of) if function == "distinct" else read_number(mine, of)
        keys = ["subject", "position"] + (["line"] if is_of_line(of) else [])
        kept = mine.filter(inside).mutate(value=value).select(*keys, "value")
        kept = kept.filter(kept.value.notnull()).distinct()
        owned = self._own(kept)
        n = self._name("n")
        if function == "distinct":
            values = {n: owned["value"].nunique()}
        else:
            total = self._name("s")
            values = {n: owned.count(), total: owned["value"].sum()}
        self._tables.append(owned.group_by("customer").aggregate(**values))
        return Measured(leaf, function, n, "" if function == "distinct" else total, due)

    def _line_due(self, window: Window, mine: ibis.Table) -> tuple[str, ...]:
        if not self.due:
            return ()
        names = {self._name(f"d{age}_", None): bound for age, bound in self._ages(window)}
        firsts = mine.group_by("subject").aggregate(
            **{
                name: mine.occurred_at.min(where=later_than(mine, bound))
                for name, bound in names.items()
            }
        )
        owned = self._own(firsts)
        self._tables.append(
            owned.group_by("customer").aggregate(**{name: owned[name].min() for name in names})
        )
        return tuple(names)

    def _add_edge(self, leaf: Did) -> "Measured":
        """The customer's first or last event of the name, and whether it fulfils the rest."""
        stream, rows = leaf.stream, self._rows
        named = rows.filter(rows.name == stream.event)
        due = self._line_due(leaf.window, named)
        past = named.filter(in_window(named, Window(), self.now_us), named.line == 0)
        owned = self._own(past.select("subject", "position", "occurred_at"))
        order = [owned.occurred_at, owned.position]
        if leaf.which == "last":
            order = [column.desc() for column in order]
        ranked = owned.mutate(place=ibis.row_number().over(group_by="customer", order_by=order))
        edge = ranked.filter(ranked.place == 0).select("customer", "position")
        good = named.filter(
            meets(named, stream, self.goods), in_window(named, leaf.window, self.now_us)
        )
        if not asks_lines(stream):
            good = good.filter(good.line == 0)
        found = edge.semi_join(good.select("position"), "position")
        name = self._name("e")
        self._tables.append(found.group_by("customer").aggregate(**{name: found.count()}))
        return Measured(leaf, "edge", name, "", due)


@dataclass(frozen=True)
class Measured:
    """The columns that a condition is decided by, in a table that has them all."""

    leaf: Counted
    function: str
    n: str
    total: str
    dues: tuple[str, ...]

    def holds(self, table: ibis.Table) -> Expr:
        """Whether the condition holds of a row's customer."""
        n = table[self.n]
        if isinstance(self.leaf, Did):
            if self.function == "edge":
                return n > 0
            least = n >= self.leaf.at_least
            return least if self.leaf.at_most is None else least & (n <= self.leaf.at_most)
        if self.function in ("count", "distinct"):
            return passes_number(self.leaf.test, n.cast("float64"))
        total = table[self.total].cast("float64")
        if self.function == "average":
            total = total / n.nullif(0)
        return passes_number(self.leaf.test, total)

    def due(self, table: ibis.Table) -> Expr:
        """When time alone may change the answer, microseconds; ``NEVER`` where it cannot."""
        moments: list[Expr] = []
        for name in self.dues:
            at: Expr = epoch_us(table[name])
            moments.append(ibis.coalesce(at + int(name[1:].partition("_")[0]), NEVER))
        return earliest(moments)


def earliest(moments: list[Expr]) -> Expr:
    """The first of some moments; ``NEVER`` of none, for engines do not take the least of one."""
    never = ibis.literal(NEVER)
    return ibis.least(*moments, never) if moments else never


def _is_line(rows: ibis.Table, stream: Stream, of: str) -> Expr:
    """Rows that stand for what is counted: lines, or events where nothing asks for lines."""
    if asks_lines(stream) or is_of_line(of):
        return rows.item_id.notnull()
    return rows.line == 0
