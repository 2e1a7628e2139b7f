"""Cuts a file into units: what it has met is kept as hashes, and what has to wait is packed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from lingxi.ingest.event_names import name_event
from lingxi.ingest.files.held import HeldOrders
from lingxi.ingest.files.met import MetIds
from lingxi.ingest.files.records import Part, Whole
from lingxi.ingest.files.told import EVENTS, Teller, adopt, hash_record
from lingxi.ingest.files.units import Unit, refuse_line
from lingxi.ingest.reasons import DropReason
from lingxi.schema.ecommerce import ORDER_NAMES

_FEW = 1_000
"""Lines that are told before it is asked which of them are repeated."""


@dataclass
class Cutter:
    """Cuts a file into units, always the same ones in the same order.

    Lines of one order are one unit, which comes at the end of the file: an order number says which
    belong together, else that one person bought at one moment.
    """

    kind: str
    teller: Teller | None = None
    met: MetIds = field(default_factory=MetIds)
    orders: HeldOrders = field(default_factory=HeldOrders)

    def cut(self, part: Part) -> Iterator[Unit]:
        """The units of one part, but for orders."""
        for broken in part.malformed:
            yield refuse_line(broken)
        records = iter(part.records)
        while few := [self.make(row, record) for row, record in islice(records, _FEW)]:
            repeated = self.met.note([str(unit.body["messageId"]) for unit in few])
            for unit, is_repeated in zip(few, repeated, strict=True):
                if is_repeated:
                    unit.refused = DropReason.EXACT_DUPLICATE
                    yield unit
                elif (key := self.find_order(unit)) is None:
                    yield unit
                else:
                    self.orders.add(key, unit)

    def make(self, row: int, record: Mapping[str, object]) -> Unit:
        """One line as a unit of its own."""
        if isinstance(record, Whole):
            return Unit([row], [record], adopt(record))
        if self.teller is None:
            raise AssertionError("a table is read only once its columns are known")
        body = self.teller.tell(record)
        known = self.teller.list_fields(tuple(record))
        content = hash_record(record) if self.teller.is_untimed(record) else None
        return Unit([row], [record], body, fields=known, content=content)

    def find_order(self, unit: Unit) -> tuple[object, ...] | None:
        """What tells the order that a line is of; nothing where it is of none."""
        body, name = unit.body, unit.body.get("event")
        if self.kind != EVENTS or isinstance(unit.records[0], Whole) or not isinstance(name, str):
            return None
        kind = name_event(name)
        if kind not in ORDER_NAMES:
            return None
        properties = body["properties"]
        number = properties.get("order_id") if isinstance(properties, dict) else None
        if number:
            return kind, number
        return kind, body.get("userId") or body.get("anonymousId"), body.get("timestamp")
