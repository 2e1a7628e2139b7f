"""Hand-made answers behind a real store, for tests of the server alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from lingxi.app import views
from lingxi.clock import Clock
from lingxi.config import Settings
from lingxi.errors import InvalidInput, NotTrained, UnknownCustomer, UnknownItem
from lingxi.i18n import Sentence
from lingxi.server.face import Form
from lingxi.store import Store

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CUP = views.RecommendedItem(
    "85123A", "Cup, white", "cups", 255, 0.9, "cosine", (views.Because("22423", "Stand", 0.62),)
)


@dataclass
class HandMadeAnswers:
    """Customer ``17850`` and item ``85123A`` exist, and nothing else does."""

    folder: Path
    broken: bool = False

    def overview(self) -> views.OverviewView:
        raise NotTrained("There is no plan yet; run 'lingxi train'.")

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
        del search, stage, segment, action, country, cursor
        if sort.removeprefix("-") not in ("revenue", "orders"):
            raise InvalidInput(f"Customers are not sorted by {sort!r}; use revenue or orders.")
        row = views.CustomerRow(
            "17850", "United Kingdom", "active", "champions", 3, 12345, NOW, 0.2, 5000, "welcome"
        )
        return views.CustomersView("GBP", 1, (row,) * min(n, 1), None)

    def customer(
        self, customer_id: str, *, before: str | None = None, n: int = 50
    ) -> views.CustomerView:
        del before, n
        raise UnknownCustomer(f"No customer {customer_id!r}.")

    def recommendations(
        self, customer_id: str | None, *, n: int = 10, history: Sequence[str] = ()
    ) -> views.RecommendationsView:
        del history
        if self.broken:
            raise RuntimeError("secret detail")
        known = customer_id == "17850"
        return views.RecommendationsView(
            customer_id, known, "cosine", NOW, "GBP", (CUP,) * min(n, 3)
        )

    def similar(self, item_id: str, *, n: int = 10) -> views.SimilarView:
        if item_id != "85123A":
            raise UnknownItem(f"No item {item_id!r}.")
        return views.SimilarView(item_id, "Cup, white", "cosine", "GBP", (CUP,) * min(n, 2))

    def items(
        self,
        *,
        search: str = "",
        category: str = "",
        sort: str = "-revenue",
        cursor: str | None = None,
        n: int = 50,
    ) -> views.ItemsView:
        del search, category, sort, cursor, n
        return views.ItemsView("GBP", 0, (), None)

    def item(self, item_id: str) -> views.ItemView:
        raise UnknownItem(f"No item {item_id!r}.")

    def plan(
        self, *, action: str = "", stage: str = "", cursor: str | None = None, n: int = 50
    ) -> views.PlanView:
        del action, stage, cursor, n
        line = views.ActionView(
            "17850",
            "active",
            "champions",
            5000,
            0.2,
            "leave_alone",
            "leave_alone",
            None,
            None,
            (),
            Sentence("plan.reason.leave_alone"),
            0,
        )
        counts = {"leave_alone": 1}
        return views.PlanView(NOW, "GBP", 1, counts, {"leave_alone": 0}, 0, (line,), None)

    def plan_file(self, form: Form) -> Path:
        path = self.folder / f"plan.{form}"
        path.write_text("customer_id,action\n17850,leave_alone\n", encoding="utf-8")
        return path

    def quality(self) -> views.QualityView:
        return views.QualityView((), 0, {})

    def quarantine(
        self, *, reason: str = "", cursor: str | None = None, n: int = 50
    ) -> views.QuarantineView:
        del reason, cursor, n
        return views.QuarantineView((), None)

    def search(self, text: str, *, n: int = 8) -> views.SearchView:
        del text, n
        return views.SearchView(())

    def models(self) -> views.ModelsView:
        return views.ModelsView(())

    def status(self) -> views.StatusView:
        lag = views.Lag("lake", 7, 3, NOW)
        return views.StatusView(
            "Test",
            "0.1.0",
            NOW,
            "sqlite",
            10,
            1,
            1,
            NOW,
            NOW,
            0,
            (lag,),
            {"recommender": "v1"},
            NOW,
            4096,
        )


@dataclass
class HandMadeShop:
    """A shop whose store is real and whose answers are written by hand."""

    settings: Settings
    clock: Clock
    store: Store
    answers: HandMadeAnswers

    def close(self) -> None:
        self.store.close()
