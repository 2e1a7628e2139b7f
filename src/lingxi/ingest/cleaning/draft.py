"""A message on its way through the steps: what is known of it so far."""

from collections.abc import Mapping
from datetime import UTC, datetime

from lingxi.ingest.cleaning.rules import Rules
from lingxi.ingest.message import Identifier, Link, Message, Step
from lingxi.ingest.reasons import DropReason, PutReason
from lingxi.schema import Event, Line
from lingxi.schema.ecommerce import Properties
from lingxi.schema.event import Scalar

_SHOWN = 200
NOTHING: Mapping[str, object] = {}
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class Halt(Exception):
    """A step sets the message aside."""

    def __init__(self, reason: DropReason, detail: str = "") -> None:
        self.reason = reason
        self.detail = detail


class Draft:
    """One message in the making; the steps read and change it in their order."""

    __slots__ = (
        "also",
        "amount_cents",
        "body",
        "category",
        "context",
        "cost_cents",
        "country",
        "currency",
        "event_id",
        "given",
        "identifiers",
        "kept",
        "kind",
        "lines",
        "link",
        "message",
        "name",
        "occurred_at",
        "order_id",
        "previous",
        "private",
        "query",
        "rules",
        "session_id",
        "steps",
        "traits",
        "typed",
    )

    def __init__(self, message: Message, rules: Rules) -> None:
        self.message = message
        self.rules = rules
        self.body: Mapping[str, object] = message.body
        self.kind = ""
        self.name = ""
        self.event_id = ""
        self.occurred_at = NEVER
        self.context = NOTHING
        self.given: dict[str, object] = {}
        self.typed: Properties | None = None
        self.identifiers: list[Identifier] = []
        self.previous: list[Identifier] = []
        self.link = Link.NONE
        self.traits: dict[str, str | None] = {}
        self.private: dict[str, object] = {}
        self.kept: dict[str, Scalar] = {}
        self.also: list[Event] = []
        self.steps: list[Step] = []
        self.lines: tuple[Line, ...] = ()
        self.order_id: str | None = None
        self.session_id: str | None = None
        self.currency: str | None = None
        self.country: str | None = None
        self.category: str | None = None
        self.query: str | None = None
        self.amount_cents: int | None = None
        self.cost_cents: int | None = None

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
