"""Units: what of a file becomes one message. A line mostly; of an order, all its lines."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from lingxi.ingest.event_names import name_event
from lingxi.ingest.files.nested import to_cells
from lingxi.ingest.files.records import Part, Whole
from lingxi.ingest.files.told import EVENTS, Body, Teller, adopt, hash_record
from lingxi.ingest.message import Message
from lingxi.ingest.quarantine import Found
from lingxi.ingest.raw import Malformed
from lingxi.ingest.reasons import DropReason
from lingxi.ingest.wire import LARGEST_EVENT
from lingxi.schema.ecommerce import ORDER_NAMES

WHOLE = "message"
"""The column under which quarantine keeps a line that was a message already."""
LINE = "line"
"""The column under which it keeps a line that could not be read at all."""


@dataclass
class Unit:
    """One message in the making: its lines as they stand in the file, and what they say.

    ``content`` is the hash of a customer's line that does not say when it was written.
    """

    rows: list[int]
    records: list[Mapping[str, object]]
    body: Body
    refused: DropReason | None = None
    fields: frozenset[str] = frozenset()
    content: str | None = None

    def to_message(self, source: str, received_at: datetime) -> Message:
        """The message, as the collector's door takes it."""
        raw = msgspec.json.encode(self.body)
        refused = self.refused
        if refused is None and len(raw) > LARGEST_EVENT:
            refused = DropReason.EVENT_TOO_LARGE
        return Message(
            body=self.body,
            raw=raw,
            received_at=received_at,
            source=source,
            trusted=True,
            recorded=True,
            refused=refused,
        )

    def list_found(self, step: str, reason: str, seal: Mapping[str, str]) -> Iterator[Found]:
        """Its lines for quarantine; ``seal`` has the keyed hashes of those whom it names."""
        person = seal.get(name_person(self.body) or "")
        for row, record in zip(self.rows, self.records, strict=True):
            yield Found(row, step, reason, to_line(record), person)


def to_line(record: Mapping[str, object]) -> dict[str, str]:
    """A record as quarantine keeps it, and ``read_line`` reads it again."""
    if isinstance(record, Whole):
        return {WHOLE: msgspec.json.encode(record).decode()}
    return to_cells(record)


def name_person(body: Mapping[str, object]) -> str | None:
    """Whom a message names: the user id, else e-mail address, phone or browser."""
    traits = body.get("traits")
    context = body.get("context")
    said = traits if isinstance(traits, dict) else {}
    also = context.get("traits") if isinstance(context, dict) else None
    more = also if isinstance(also, dict) else {}
    for value in (
        body.get("userId"),
        said.get("email") or more.get("email"),
        said.get("phone") or more.get("phone"),
        body.get("anonymousId"),
    ):
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
            text = str(value).strip()
            return text.lower() if "@" in text else text
    return None


@dataclass
class Cutter:
    """Cuts a file into units, always the same ones in the same order.

    Lines of one order are one unit, which comes at the end of the file: an order number says which
    belong together, else that one person bought at one moment.
    """

    kind: str
    teller: Teller | None = None
    seen: set[int] = field(default_factory=set)
    orders: dict[tuple[object, ...], Unit] = field(default_factory=dict)

    def cut(self, part: Part) -> Iterator[Unit]:
        """The units of one part, but for orders."""
        for broken in part.malformed:
            yield refuse_line(broken)
        for row, record in part.records:
            unit = self.make(row, record)
            if self._is_repeated(unit):
                unit.refused = DropReason.EXACT_DUPLICATE
                yield unit
            elif not self._collect(unit):
                yield unit

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

    def _is_repeated(self, unit: Unit) -> bool:
        mark = hash(str(unit.body["messageId"]))
        if mark in self.seen:
            return True
        self.seen.add(mark)
        return False

    def _collect(self, unit: Unit) -> bool:
        """Add a line of an order to its order; false where it is none."""
        key = self.find_order(unit)
        if key is None:
            return False
        known = self.orders.setdefault(key, unit)
        if known is not unit:
            known.rows += unit.rows
            known.records += unit.records
            known.fields |= unit.fields
            said = unit.body["properties"]
            add_products(known.body, said if isinstance(said, dict) else {})
        return True

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


def add_products(body: Body, said: Mapping[str, object]) -> None:
    """Give an order one line's products more."""
    own = body["properties"]
    if isinstance(own, dict):
        products = [*own.get("products", []), *list(_as_list(said.get("products")))]
        own.update({name: value for name, value in said.items() if name not in own})
        if products:
            own["products"] = products


def _as_list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def refuse_line(broken: Malformed) -> Unit:
    """A line that could not be read."""
    body: Body = {"messageId": f"row-{broken.row}"}
    return Unit([broken.row], [{LINE: broken.text}], body, DropReason.LINE_MALFORMED)
