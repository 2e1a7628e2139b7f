"""What a line of a file says, as a message of the Segment specification."""

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime, tzinfo
from functools import lru_cache

import msgspec

from lingxi.ingest.cleaning.moments import read_moment
from lingxi.ingest.cleaning.values import read_text
from lingxi.ingest.dates import NO_TIME, moment_reader
from lingxi.ingest.event_names import name_event
from lingxi.ingest.files.nested import to_cell, to_cells
from lingxi.ingest.numbers import parse_numbers
from lingxi.ingest.puts import unmark
from lingxi.ingest.text import word_set
from lingxi.schema.ecommerce import VOCABULARY, WithProducts
from lingxi.store.tables import from_micros

EVENTS, CUSTOMERS = "events", "customers"
Body = dict[str, object]
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.\d{0,14}[1-9])?")
_PRODUCT = ("item", "category", "quantity", "price")
_IN_PRODUCT = {"item": "product_id", "category": "category", "quantity": "quantity",
               "price": "price"}  # fmt: skip
_CONSENTS = {
    "email_consent": "email_marketing_consent",
    "sms_consent": "sms_marketing_consent",
    "push_consent": "push_opt_in",
}
_MOST_SHAPES = 1_000
_OF_PRODUCT = word_set("name brand variant sku coupon position image_url url")


class Teller:
    """How the columns of a file of events or customers become messages.

    Parameters
    ----------
    mapping
        Field → column.
    form
        Of the dates, as ``dates.read_moments`` settled it.
    untimed
        The moment of customers whose line says none: that of the file itself.
    """

    def __init__(
        self,
        kind: str,
        mapping: Mapping[str, str],
        *,
        zone: tzinfo,
        form: str,
        decimal_mark: str,
        currency: str,
        untimed: datetime,
    ) -> None:
        self.kind = kind
        self.mapping = mapping
        self._fields = {column: name for name, column in mapping.items()}
        self._read = moment_reader(form, zone)
        self.decimal_mark = decimal_mark
        self._currency = currency
        self._untimed = untimed.isoformat()
        self._by_columns: dict[tuple[str, ...], frozenset[str]] = {}

    def tell(self, record: Mapping[str, object]) -> Body:
        """A row of a table as a message; it has a ``messageId`` made from its content if it names
        none."""
        cells: dict[str, object] = {}
        rest: dict[str, object] = {}
        for name, value in record.items():
            known = self._fields.get(name)
            if known is None:
                rest[name] = value
            else:
                cells[known] = value
        body = self._event(cells, rest) if self.kind == EVENTS else self._customer(cells, rest)
        if "messageId" not in body:
            body["messageId"] = f"row-{hash_record(record)}"
        return body

    def _event(self, cells: Mapping[str, object], rest: Mapping[str, object]) -> Body:
        name = read_text(cells.get("event"))
        body: Body = {"type": "track", "event": name, "timestamp": self.moment(cells.get("time"))}
        _put_text(body, "messageId", cells.get("message"))
        _put_text(body, "userId", cells.get("user"))
        _put_text(body, "anonymousId", cells.get("anonymous"))
        properties: Body = {column: _plain(value) for column, value in rest.items()}
        product: Body = {}
        for role in _PRODUCT:
            if role in cells:
                number = role in ("quantity", "price")
                value = self.number(cells[role]) if number else to_cell(cells[role])
                product[_IN_PRODUCT[role]] = value
        if name is not None and holds_products(name):
            for column in [column for column in properties if column in _OF_PRODUCT]:
                product[column] = properties.pop(column)
            if product:
                properties["products"] = [product]
        else:
            properties.update(product)
        for role in ("query", "order", "currency"):
            if role in cells:
                properties["order_id" if role == "order" else role] = to_cell(cells[role])
        if self._currency and "currency" not in properties:
            properties["currency"] = self._currency
        body["properties"] = properties
        context: Body = {}
        for role, place in (("agent", "userAgent"), ("session", "sessionId")):
            _put_text(context, place, cells.get(role))
        country = to_cell(cells.get("country"))
        if country:
            context["location"] = {"country": country}
        traits = {r: to_cell(cells[r]) for r in ("email", "phone") if r in cells}
        if traits:
            context["traits"] = traits
        if context:
            body["context"] = context
        return body

    def _customer(self, cells: Mapping[str, object], rest: Mapping[str, object]) -> Body:
        moment = self.moment(cells.get("time"))
        body: Body = {"type": "identify", "timestamp": moment or self._untimed}
        _put_text(body, "userId", cells.get("customer"))
        traits: Body = {name_trait(column): _plain(value) for column, value in rest.items()}
        for role in ("email", "phone", "country"):
            if role in cells:
                cell = to_cell(cells[role])
                traits[role] = unmark(cell) if cell else cell
        for role, name in _CONSENTS.items():
            if role in cells:
                traits[name] = cells[role]
        body["traits"] = traits
        said: Body = {}
        _put_text(said, "text_version", cells.get("consent_text"))
        _put_text(said, "source", cells.get("consent_source"))
        _put_text(said, "consent_at", self.moment(cells.get("consent_time")))
        if said:
            body["properties"] = said
        if traits.get("country"):
            body["context"] = {"location": {"country": traits["country"]}}
        return body

    def list_fields(self, columns: tuple[str, ...]) -> frozenset[str]:
        """The fields that a record with these columns has."""
        found = self._by_columns.get(columns)
        if found is None:
            found = frozenset(n for n, column in self.mapping.items() if column in columns)
            if len(self._by_columns) < _MOST_SHAPES:
                self._by_columns[columns] = found
        return found

    def moment(self, value: object) -> str | None:
        """A date of the file in ISO 8601 and UTC; as it stands where it is none."""
        cell = to_cell(value)
        if cell is None:
            return None
        micros = self._read(cell.strip())
        return cell if micros == NO_TIME else from_micros(micros).isoformat()

    def number(self, value: object) -> object:
        """A number of the file; as it stands where it is none."""
        if not isinstance(value, str):
            return value
        number = read_number(value, self.decimal_mark)
        return value if number is None else number

    def is_untimed(self, record: Mapping[str, object]) -> bool:
        """Whether a customer's line does not say when it was written."""
        return self.kind == CUSTOMERS and record.get(self.mapping.get("time", "")) is None


@lru_cache(65_536)
def read_number(cell: str, mark: str) -> float | None:
    """A number with this decimal mark."""
    values, bad = parse_numbers([cell.strip()], mark)
    return None if bad[0] else float(values[0])


def adopt(record: Mapping[str, object]) -> Body:
    """A record that is a message already, its time as its own clocks have corrected it."""
    body = dict(record)
    if body.get("timestamp") is None and body.get("originalTimestamp") is not None:
        original, sent, received = (
            read_moment(body.get(name)) for name in ("originalTimestamp", "sentAt", "receivedAt")
        )
        moment = original
        if original is not None and sent is not None and received is not None:
            moment = received - (sent - original)
        body["timestamp"] = body["originalTimestamp"] if moment is None else moment.isoformat()
    body.pop("originalTimestamp", None)
    body.pop("sentAt", None)
    if not body.get("messageId"):
        body["messageId"] = f"row-{hash_record(record)}"
    return body


def hash_record(record: Mapping[str, object]) -> str:
    """A name for the content of a line, the same in every form of file."""
    text = repr(sorted(to_cells(record).items()))
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()


@lru_cache(4_096)
def holds_products(name: str) -> bool:
    """Whether events of this name have a list of products and not one of their own.

    >>> holds_products("purchase"), holds_products("Product Viewed")
    (True, False)
    """
    return issubclass(VOCABULARY.get(name_event(name), type), WithProducts)


@lru_cache(4_096)
def name_trait(column: str) -> str:
    """A column as the name of a trait.

    >>> name_trait("First Name"), name_trait("VIP-Level")
    ('first_name', 'vip_level')
    """
    return re.sub(r"[^\w.]+", "_", column.strip()).strip("_").lower() or column


def _put_text(body: Body, name: str, value: object) -> None:
    text = to_cell(value)
    if text is not None:
        body[name] = unmark(text)


def _plain(value: object) -> object:
    """A number or a truth that is written as text, where the text says nothing more.

    >>> _plain("42"), _plain("0042"), _plain("1.10"), _plain("true"), _plain("red")
    (42, '0042', '1.10', True, 'red')
    """
    if not isinstance(value, str):
        return value
    if _NUMBER.fullmatch(value) and value != "-0":
        return msgspec.json.decode(value)
    return {"true": True, "false": False}.get(value.lower(), value)
