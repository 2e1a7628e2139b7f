"""What the product can tell: the answers that the API, the pages and the CLI all share.

Amounts are integers in minor units of ``currency``; moments are aware and in UTC; a share or a
probability lies in [0, 1]; ``None`` means that it cannot be known yet, never zero.
"""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from lingxi.catalogue.history import Moved
from lingxi.i18n import Sentence
from lingxi.ingest.quarantine import Quarantined as Quarantined
from lingxi.ingest.report import ColumnQuality as ColumnQuality
from lingxi.ingest.report import ImportReport as ImportReport
from lingxi.ingest.report import ReasonCount as ReasonCount
from lingxi.schema import Item


class Interval(msgspec.Struct, frozen=True):
    """A measured value with its 95 % interval."""

    value: float
    low: float | None = None
    high: float | None = None


class Reason(msgspec.Struct, frozen=True):
    """One thing that moved a score, and how far (signed, in the score's own unit)."""

    sentence: Sentence
    contribution: float


class Because(msgspec.Struct, frozen=True):
    """The share of a recommendation's score that one item of the history gave."""

    item_id: str
    name: str
    share: float


class RecommendedItem(msgspec.Struct, frozen=True):
    """One recommendation, with what led to it; no ``because`` when it is popularity."""

    item_id: str
    name: str
    category: str | None
    price_cents: int | None
    score: float
    model: str
    because: tuple[Because, ...] = ()


class RecommendationsView(msgspec.Struct, frozen=True):
    """Answer to: what would this customer (or visitor) like?

    Not ``personalised`` when the customer refused that: they are served as a stranger. ``version``
    is that of the recommender which made the list; ``list_id`` names it in the log, empty where it
    was for looking only.
    """

    customer_id: str | None
    known: bool
    model: str
    as_of: datetime
    currency: str
    items: tuple[RecommendedItem, ...]
    personalised: bool = True
    version: str = ""
    list_id: str = ""


class SimilarView(msgspec.Struct, frozen=True):
    """Answer to: what is like this item?"""

    item_id: str
    name: str
    model: str
    currency: str
    items: tuple[RecommendedItem, ...]


class ActionView(msgspec.Struct, frozen=True):
    """One line of the plan: what to do next for one customer, and why.

    ``item_names`` are the names of ``item_ids``, in the same order; ``offer_title`` is the title of
    the offer by language, empty for none.
    """

    customer_id: str
    stage: str
    segment: str | None
    value_cents: int
    churn_probability: float | None
    action: str
    rule: str
    offer: str | None
    channel: str | None
    item_ids: tuple[str, ...]
    reason: Sentence
    expected_value_cents: int | None
    item_names: tuple[str, ...] = ()
    offer_title: Mapping[str, str] = {}


class PlanView(msgspec.Struct, frozen=True):
    """A page of the plan with the plan's totals."""

    as_of: datetime
    currency: str
    customers: int
    by_action: Mapping[str, int]
    expected_by_action: Mapping[str, int]
    expected_value_cents: int
    rows: tuple[ActionView, ...]
    next_cursor: str | None


class CustomerRow(msgspec.Struct, frozen=True):
    """One customer in a list."""

    customer_id: str
    country: str | None
    stage: str
    segment: str | None
    orders: int
    revenue_cents: int
    last_order_at: datetime | None
    churn_probability: float | None
    value_cents: int | None
    action: str | None


class CustomersView(msgspec.Struct, frozen=True):
    """A page of customers; ``total`` counts all that match the filters."""

    currency: str
    total: int
    rows: tuple[CustomerRow, ...]
    next_cursor: str | None


class TimelineLine(msgspec.Struct, frozen=True):
    """One product of a timeline entry."""

    item_id: str
    name: str
    quantity: int
    amount_cents: int | None


class TimelineEntry(msgspec.Struct, frozen=True):
    """One event of a customer's history; ``detail`` says what changed for events of our own."""

    event_id: str
    occurred_at: datetime
    name: str
    order_id: str | None
    amount_cents: int | None
    lines: tuple[TimelineLine, ...]
    detail: Sentence | None = None


class ChurnView(msgspec.Struct, frozen=True):
    """Probability of no order within the horizon, beside the simple rules, with reasons."""

    probability: float
    level: str
    horizon_days: int
    model: str
    rfm_sum: int
    recency_days: float
    reasons: tuple[Reason, ...]


class CustomerView(msgspec.Struct, frozen=True):
    """Everything known of one customer."""

    customer_id: str
    as_of: datetime
    currency: str
    stage: str
    stage_since: datetime | None
    stage_reason: Sentence
    segment: str | None
    recency_score: int | None
    frequency_score: int | None
    monetary_score: int | None
    orders: int
    revenue_cents: int
    value_cents: int | None
    first_seen_at: datetime
    last_order_at: datetime | None
    country: str | None
    traits: Mapping[str, str]
    features: Mapping[str, float | str | None]
    churn: ChurnView | None
    action: ActionView | None
    timeline: tuple[TimelineEntry, ...]
    next_cursor: str | None


class ItemRow(msgspec.Struct, frozen=True):
    """One item in a list."""

    item_id: str
    name: str
    category: str | None
    price_cents: int | None
    stock: int | None
    orders: int
    customers: int
    revenue_cents: int


class ItemsView(msgspec.Struct, frozen=True):
    """A page of items."""

    currency: str
    total: int
    rows: tuple[ItemRow, ...]
    next_cursor: str | None


class BoughtTogether(msgspec.Struct, frozen=True):
    """Another item in the same baskets: how many orders held both, and lift over chance."""

    item_id: str
    name: str
    orders: int
    confidence: float
    lift: float


class ItemView(msgspec.Struct, frozen=True):
    """Everything known of one item."""

    item: ItemRow
    currency: str
    similar: tuple[RecommendedItem, ...]
    bought_together: tuple[BoughtTogether, ...]
    catalogue: Item
    prices: tuple[Moved, ...] = ()
    stocks: tuple[Moved, ...] = ()


class QualityView(msgspec.Struct, frozen=True):
    """All imports, newest first, and what still waits in quarantine."""

    imports: tuple[ImportReport, ...]
    quarantined: int
    quarantined_by_reason: Mapping[str, int]


class WeekPoint(msgspec.Struct, frozen=True):
    """One week of the shop; ``stages`` counts customers by stage at its end."""

    week: datetime
    orders: int
    revenue_cents: int
    active_customers: int
    stages: Mapping[str, int]


class OverviewView(msgspec.Struct, frozen=True):
    """The shop at a glance: the last 30 days of data beside the 30 before, and what to do."""

    as_of: datetime
    data_to: datetime | None
    currency: str
    orders: int
    orders_before: int
    revenue_cents: int
    revenue_before_cents: int
    active_customers: int
    active_customers_before: int
    customers: int
    at_risk_customers: int
    at_risk_value_cents: int
    stages: Mapping[str, int]
    churn_levels: Mapping[str, int]
    weeks: tuple[WeekPoint, ...]
    todo: Mapping[str, int]
    todo_value_cents: Mapping[str, int]


class Lag(msgspec.Struct, frozen=True):
    """How far one thing is behind the log."""

    name: str
    position: int
    behind: int
    updated_at: datetime | None


class RefitView(msgspec.Struct, frozen=True):
    """Whether the models are due to be learnt anew, as of ``looked_at``, and why or why not.

    ``renew``: the recommender in use is due to take in the events since, nothing chosen anew.
    """

    due: bool
    reason: Sentence
    looked_at: datetime
    tried_at: datetime | None
    renew: bool = False


class StatusView(msgspec.Struct, frozen=True):
    """The state of the shop's machinery.

    ``memory_bytes`` is what the recommender takes in the process that answers, by part: files
    ``mapped`` (shared by all processes), what is ``remembered`` of customers, the ``catalogue``;
    ``mapped_bytes`` what each model in use takes of memory that all processes share.
    """

    shop: str
    version: str
    as_of: datetime
    engine: str
    events: int
    customers: int
    items: int
    data_from: datetime | None
    data_to: datetime | None
    quarantined: int
    lags: tuple[Lag, ...]
    models: Mapping[str, str]
    plan_as_of: datetime | None
    disk_bytes: int
    memory_bytes: Mapping[str, int] = {}
    mapped_bytes: Mapping[str, int] = {}
    refit: RefitView | None = None


class Check(msgspec.Struct, frozen=True):
    """One finding of ``lingxi doctor``: ok, warning or failed, and what to do about it."""

    name: str
    state: str
    sentence: Sentence


class QuarantineView(msgspec.Struct, frozen=True):
    """A page of quarantine."""

    rows: tuple[Quarantined, ...]
    next_cursor: str | None


class SearchHit(msgspec.Struct, frozen=True):
    """Something found: ``kind`` is customer or item."""

    kind: str
    id: str
    label: str


class SearchView(msgspec.Struct, frozen=True):
    """What a search for anything found."""

    hits: tuple[SearchHit, ...]
