"""A message on its way through the steps: what is known of it so far."""

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType

import msgspec

from lingxi.ingest.cleaning.rules import Rules
from lingxi.ingest.message import Identifier, Link, Message, Step
from lingxi.ingest.reasons import DropReason, PutReason
from lingxi.schema import Event, Line
from lingxi.schema.ecommerce import Product, Properties
from lingxi.schema.event import Scalar

_SHOWN = 200
NOTHING: Mapping[str, object] = MappingProxyType({})
"""The mapping where there is none, told from an empty one by its identity."""
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class Halt(Exception):
    """A step sets the message aside."""

    def __init__(self, reason: DropReason, detail: str = "") -> None:
        self.reason = reason
        self.detail = detail


class Draft(msgspec.Struct):
    """One message in the making; the steps read and change it in their order."""

    message: Message
    rules: Rules
    body: Mapping[str, object]
    kind: str = ""
    name: str = ""
    event_id: str = ""
    occurred_at: datetime = NEVER
    context: Mapping[str, object] = NOTHING
    given: dict[str, object] = {}
    typed: Properties | None = None
    products: tuple[Product, ...] = ()
    identifiers: list[Identifier] = []
    previous: list[Identifier] = []
    link: Link = Link.NONE
    traits: dict[str, str | None] = {}
    private: dict[str, object] = {}
    kept: dict[str, Scalar] = {}
    also: list[Event] = []
    steps: list[Step] = []
    lines: tuple[Line, ...] = ()
    order_id: str | None = None
    session_id: str | None = None
    currency: str | None = None
    country: str | None = None
    category: str | None = None
    query: str | None = None
    amount_cents: int | None = None
    cost_cents: int | None = None

    def note(
        self,
        step: str,
        reason: PutReason | DropReason,
        field: str = "",
        before: object = None,
        after: object = None,
    ) -> None:
        """Record what a step changed."""
        self.steps.append(Step(step, reason, field, show(before), show(after)))


def show(value: object) -> str | None:
    """A value as a trace shows it."""
    return None if value is None else str(value)[:_SHOWN]


def as_mapping(value: object) -> Mapping[str, object]:
    """An object of JSON, or an empty one where something else stands."""
    return value if isinstance(value, dict) else NOTHING
