"""Everything that the product can tell about a shop: one face for API, pages and CLI."""

from collections.abc import Collection, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from lingxi.app import collect_views, model_views, people, quality_views, refused, views
from lingxi.app.queries import (
    customer,
    customers,
    gorse,
    items,
    live,
    models,
    neighbourhood,
    overview,
    plan,
    quality,
    recommendations,
    reports,
    sources,
    trace,
    waiting,
)
from lingxi.app.queries.search import search
from lingxi.app.status import get_status
from lingxi.errors import NotTrained

if TYPE_CHECKING:
    from lingxi.app.placements.desk import Desk
    from lingxi.app.queries.coverage import Coverage
    from lingxi.app.shop import Shop
    from lingxi.recommend import Recommender


class Answers:
    """The answers of one opened shop. All but ``mend_waiting`` and ``replay_waiting`` only read."""

    def __init__(self, shop: "Shop") -> None:
        self._shop = shop
        self._shelf = recommendations.Shelf(shop.store)
        self._sales = items.Sales(shop)
        self._overview = overview.Overview(shop)
        self.gorse = gorse.GorseLists(shop, self._shelf)
        self._desk: Desk | None = None

    @property
    def _currency(self) -> str:
        return self._shop.settings.shop.currency

    def overview(self) -> views.OverviewView:
        """The shop at a glance."""
        return self._overview.get()

    def customers(
        self,
        *,
        search: str = "",
        stage: str = "",
        segment: str = "",
        action: str = "",
        country: str = "",
        sort: str = "-revenue",
        cursor: str | None = None,
        n: int = 50,
    ) -> views.CustomersView:
        """A page of known customers.

        ``sort`` is one of revenue, orders, last_order, churn, value and customer_id, with ``-`` in
        front for descending; unknown values come last.

        Raises
        ------
        InvalidInput
            If a filter, the order, the cursor or the page size cannot be used.
        """
        filters = customers.Filters(search, stage, segment, action, country)
        return customers.list_customers(
            self._shop.store, self._currency, filters, sort=sort, cursor=cursor, n=n
        )

    def require_customer(self, customer_id: str) -> None:
        """Raise UnknownCustomer unless there is such a customer."""
        customers.require(self._shop.store, customer_id)

    def customer(
        self, customer_id: str, *, before: str | None = None, n: int = 50
    ) -> views.CustomerView:
        """Everything known of one customer; ``before`` goes back in the timeline.

        Raises
        ------
        UnknownCustomer
            If there is no such customer.
        """
        return customer.get_customer(self._shop, customer_id, before=before, n=n)

    def recommendations(
        self,
        customer_id: str | None,
        *,
        n: int = 10,
        history: Sequence[str] = (),
        like: Sequence[str] = (),
        log: bool = False,
    ) -> views.RecommendationsView:
        """What a customer, or a visitor who looked at ``history``, would like.

        ``like``: a taste that somebody without a history told, such as ``brand:Acme``;
        ``log``: the list is shown to them, and so goes into the log within a second.

        Raises
        ------
        NotTrained
            Before the first training.
        """
        return self._shelf.recommend(
            self._shop, customer_id, n=n, history=history, like=like, log=log
        )

    def recommender(self) -> "Recommender":
        """The recommender in use, loaded first where it must be.

        Raises
        ------
        NotTrained
            Before the first training.
        """
        return self._shelf.get()

    def ready_recommender(self) -> "Recommender | None":
        """The recommender that answers at once; see ``Shelf.peek``."""
        return self._shelf.peek()

    def held_recommender(self) -> "Recommender":
        """The recommender in use, loaded first where it is not yet; NotTrained where none is."""
        return self._shelf.get()

    def similar(self, item_id: str, *, n: int = 10) -> views.SimilarView:
        """What is like an item.

        Raises
        ------
        UnknownItem
            If there is no such item.
        NotTrained
            Before the first training.
        """
        return self._shelf.similar(self._shop, item_id, n=n)

    def items(
        self,
        *,
        search: str = "",
        category: str = "",
        sort: str = "-revenue",
        cursor: str | None = None,
        n: int = 50,
    ) -> views.ItemsView:
        """A page of items; ``sort`` is one of revenue, orders, customers, price, name, item_id."""
        return items.list_items(
            self._shop,
            self._sales,
            search=search,
            category=category,
            sort=sort,
            cursor=cursor,
            n=n,
        )

    def item(self, item_id: str) -> views.ItemView:
        """Everything known of one item."""
        return items.get_item(self._shop, self._shelf, self._sales, item_id)

    def plan(
        self, *, action: str = "", stage: str = "", cursor: str | None = None, n: int = 50
    ) -> views.PlanView:
        """A page of the plan."""
        return plan.list_plan(
            self._shop.store, self._currency, action=action, stage=stage, cursor=cursor, n=n
        )

    def plan_file(self, form: Literal["csv", "json", "parquet"]) -> Path:
        """The plan as a file.

        Raises
        ------
        NotTrained
            Before the first plan.
        """
        path = self._shop.settings.folder / "plan" / f"plan.{form}"
        if not path.is_file():
            raise NotTrained(plan.NO_PLAN)
        return path

    def quality(self) -> views.QualityView:
        """Every import with its counts, and what waits in quarantine."""
        return quality.get_quality(self._shop.store)

    def quarantine(
        self, *, reason: str = "", cursor: str | None = None, n: int = 50
    ) -> views.QuarantineView:
        """A page of the lines that were set aside."""
        return quality.list_quarantine(self._shop.store, reason=reason, cursor=cursor, n=n)

    def files(self, *, n: int = 20) -> collect_views.FilesView:
        """Watched folders, the ``n`` files that came in last, and sources that are pulled from."""
        return sources.get_files(self._shop, n=n)

    def sources(self) -> collect_views.SourcesView:
        """Every source with its rates and errors."""
        return sources.get_sources(self._shop)

    def live(
        self,
        *,
        search: str = "",
        source: str = "",
        result: str = "",
        n: int = 50,
        names: Collection[str] = (),
    ) -> collect_views.LiveView:
        """The latest messages that came in through this process; an event of ``names`` fits
        ``search`` too."""
        return live.list_live(
            self._shop, search=search, source=source, result=result, n=n, names=names
        )

    def trace(self, number: int) -> collect_views.TraceView:
        """The whole way of one message that this process remembers.

        Raises
        ------
        UnknownEvent
            If it is no longer remembered.
        """
        return trace.get_trace(self._shop, number)

    def event(self, position: int) -> collect_views.TraceView:
        """An event of the log, with its way as far as it is remembered.

        Raises
        ------
        UnknownEvent
            If the log holds none there.
        """
        return trace.get_event_trace(self._shop, position)

    def identity(self, customer_id: str) -> collect_views.IdentityView:
        """Who a customer is; UnknownCustomer where there is none."""
        return people.get_identity(self._shop, customer_id)

    def refused_links(self, *, days: int = 7, n: int = 50) -> collect_views.RefusedView:
        """Identifiers that were not joined to a customer, and why; the most frequent first."""
        return refused.get_refused(self._shop, days=days, n=n)

    def consent(self, customer_id: str) -> collect_views.ConsentView:
        """What a customer has agreed to; UnknownCustomer where there is none."""
        return people.get_consent(self._shop, customer_id)

    def consents(self) -> collect_views.ConsentsView:
        """Consent over all customers."""
        return people.count_consents(self._shop)

    def waiting(
        self, *, reason: str = "", source: str = "", cursor: str | None = None, n: int = 50
    ) -> collect_views.WaitingView:
        """A page of the messages in quarantine."""
        return waiting.list_messages(self._shop, reason=reason, source=source, cursor=cursor, n=n)

    def waiting_message(self, number: int) -> collect_views.WaitingRow:
        """One message in quarantine; UnknownEvent where it is not there."""
        return waiting.get_message(self._shop, number)

    def mend_waiting(self, number: int, text: str) -> collect_views.Retaken:
        """Take a message of quarantine with its text corrected.

        Raises
        ------
        UnknownEvent
            If it is not in quarantine.
        BodyUnreadable
            If the text is no JSON object.
        """
        return waiting.mend_message(self._shop, number, text)

    def replay_waiting(self, *, reason: str = "", source: str = "") -> collect_views.Retaken:
        """Take the messages of quarantine again, as they came."""
        return waiting.replay_messages(self._shop, reason=reason, source=source)

    @property
    def placements(self) -> "Desk":
        """Where lists stand, what fills them, and why."""
        if self._desk is None:
            from lingxi.app.placements.desk import Desk

            self._desk = Desk(self._shop, self._shelf)
        return self._desk

    def reports(self) -> quality_views.ReportsView:
        """The recommender's quality on the shop's own data, every report that is kept."""
        return reports.list_reports(self._shop)

    def coverage(self) -> quality_views.CoverageView:
        """What the recommender shows of the shop; NotTrained before the first training."""
        return self._coverage.get()

    @cached_property
    def _coverage(self) -> "Coverage":
        from lingxi.app.queries.coverage import Coverage  # and with it Arrow, not needed elsewhere

        return Coverage(self._shop, self._shelf)

    def neighbourhood(self, item_id: str, *, n: int = 8) -> quality_views.NeighbourhoodView:
        """An item's neighbours and the ties among them; UnknownItem where there is no such item."""
        return neighbourhood.get_neighbourhood(self._shop, self._shelf, item_id, n=n)

    def models(self) -> model_views.ModelsView:
        """Every kept version of every model."""
        return models.list_models(self._shop.store)

    def status(self) -> views.StatusView:
        """The state of the shop's machinery."""
        status = get_status(self._shop)
        return msgspec.structs.replace(status, memory_bytes=self._shelf.measure_memory())

    def search(self, text: str, *, n: int = 8) -> views.SearchView:
        """Customers and items whose id or name begins with or holds ``text``."""
        return search(self._shop.store, text, n=n)
