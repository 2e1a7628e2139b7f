"""What is told of templates and messages."""

from datetime import datetime

import msgspec

from lingxi.i18n import Sentence


class TemplateView(msgspec.Struct, frozen=True):
    """One template. ``published`` is the version that is sent (0: none yet); ``differs``: the
    draft says something else."""

    name: str
    title: str
    channel: str
    category: str
    message_class: str
    languages: tuple[str, ...]
    published: int
    differs: bool
    changed_at: datetime
    changed_by: str


class TemplatesView(msgspec.Struct, frozen=True):
    """All templates, by name."""

    templates: tuple[TemplateView, ...]


class TemplateVersionView(msgspec.Struct, frozen=True):
    """One published version."""

    version: int
    published_at: datetime
    published_by: str
    note: str


class TemplateDetail(msgspec.Struct, frozen=True):
    """A template whole: its draft, what is doubtful about it, its versions, newest first."""

    template: TemplateView
    definition: dict[str, object]
    findings: tuple[Sentence, ...]
    versions: tuple[TemplateVersionView, ...]
    values: tuple[str, ...]
    """Names of the values that it may use."""


class LinkView(msgspec.Struct, frozen=True):
    """A link of a message; ``fault``: empty, unsafe, relative, insecure, malformed, or none."""

    url: str
    fault: str


class TemplatePreview(msgspec.Struct, frozen=True):
    """A template as one customer would get it; ``missing`` values would hold it back.

    ``problem`` says why it cannot be rendered at all; then the rest is empty.
    """

    customer_id: str
    language: str
    subject: str = ""
    title: str = ""
    html: str = ""
    text: str = ""
    url: str = ""
    missing: tuple[str, ...] = ()
    links: tuple[LinkView, ...] = ()
    problem: str = ""


class TestSent(msgspec.Struct, frozen=True):
    """What became of a test: accepted, deferred, failed or unclear."""

    outcome: str
    reason: str = ""
    detail: str = ""


class MessageView(msgspec.Struct, frozen=True):
    """One message. ``why`` says what its state means; moments that are yet to come are none."""

    id: str
    customer_id: str
    channel: str
    template: str
    template_version: int
    category: str
    message_class: str
    journey: str
    run: str
    node: str
    state: str
    reason: str
    why: Sentence
    detail: str
    queued_at: datetime
    not_before: datetime | None
    send_before: datetime | None
    due_at: datetime | None
    sent_at: datetime | None
    ended_at: datetime | None
    attempts: int
    reference: str


class MessagesView(msgspec.Struct, frozen=True):
    """A page of messages, the last queued first; ``next_cursor`` opens the next page."""

    messages: tuple[MessageView, ...]
    next_cursor: str | None


class StepView(msgspec.Struct, frozen=True):
    """One thing that happened to a message."""

    at: datetime
    name: str
    reason: str = ""


class MessageWhy(msgspec.Struct, frozen=True):
    """Why a message was sent, or was not: where it comes from, what happened to it, and, while it
    waits, what would be decided now."""

    message: MessageView
    steps: tuple[StepView, ...]
    now: Sentence | None


class CountView(msgspec.Struct, frozen=True):
    """How many messages are in a state for a reason."""

    state: str
    reason: str
    n: int


class ArmView(msgspec.Struct, frozen=True):
    """Customers of one arm, and what they bought."""

    arm: str
    customers: int
    buyers: int
    buyers_share: float | None
    revenue_cents: int | None
    """Mean per customer."""


class DifferenceView(msgspec.Struct, frozen=True):
    """Treated less held out, with its 95 % interval."""

    value: float
    low: float
    high: float


class OutcomeView(msgspec.Struct, frozen=True):
    """A journey against its holdout, over ``days`` from each customer's coming in."""

    journey: str
    days: int
    arms: tuple[ArmView, ...]
    buyers_share: DifferenceView | None
    revenue_cents: DifferenceView | None


class MessageReport(msgspec.Struct, frozen=True):
    """What the messages of a template or journey came to."""

    template: str
    journey: str
    total: int
    counts: tuple[CountView, ...]
    outcomes: tuple[OutcomeView, ...]


class OnSiteMessage(msgspec.Struct, frozen=True):
    """A message for a customer's page; ``html`` is escaped and holds no script."""

    id: str
    slot: str
    title: str
    html: str
    text: str
    url: str
    data: dict[str, str]
    ends_at: datetime | None


class OnSiteMessages(msgspec.Struct, frozen=True):
    """What waits for a customer on the site."""

    messages: tuple[OnSiteMessage, ...]


class PushKeyView(msgspec.Struct, frozen=True):
    """What a browser subscribes to web push with; empty where web push is not set up."""

    key: str
