"""Units: what of a file becomes one message. A line mostly; of an order, all its lines."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec

from lingxi.ingest.files.nested import to_cells
from lingxi.ingest.files.records import Whole
from lingxi.ingest.files.told import Body
from lingxi.ingest.message import Message
from lingxi.ingest.quarantine import Found
from lingxi.ingest.raw import Malformed
from lingxi.ingest.reasons import DropReason
from lingxi.ingest.wire import LARGEST_EVENT

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


def join_units(known: Unit, unit: Unit) -> None:
    """Add a further line of an order to its order."""
    known.rows += unit.rows
    known.records += unit.records
    known.fields |= unit.fields
    said = unit.body["properties"]
    add_products(known.body, said if isinstance(said, dict) else {})


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
