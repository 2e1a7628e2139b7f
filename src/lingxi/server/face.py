"""What the server needs of the application: the opened shop and its answers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from lingxi.app import views
from lingxi.clock import Clock
from lingxi.config import Settings
from lingxi.store import Store

Form = Literal["csv", "json", "parquet"]


@runtime_checkable
class Answers(Protocol):
    """Everything the product can tell; the same object stands behind API, pages and CLI."""

    def overview(self) -> views.OverviewView: ...

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
    ) -> views.CustomersView: ...

    def customer(
        self, customer_id: str, *, before: str | None = None, n: int = 50
    ) -> views.CustomerView: ...

    def recommendations(
        self, customer_id: str | None, *, n: int = 10, history: Sequence[str] = ()
    ) -> views.RecommendationsView: ...

    def similar(self, item_id: str, *, n: int = 10) -> views.SimilarView: ...

    def items(
        self,
        *,
        search: str = "",
        category: str = "",
        sort: str = "-revenue",
        cursor: str | None = None,
        n: int = 50,
    ) -> views.ItemsView: ...

    def item(self, item_id: str) -> views.ItemView: ...

    def plan(
        self, *, action: str = "", stage: str = "", cursor: str | None = None, n: int = 50
    ) -> views.PlanView: ...

    def plan_file(self, form: Form) -> Path: ...

    def quality(self) -> views.QualityView: ...

    def quarantine(
        self, *, reason: str = "", cursor: str | None = None, n: int = 50
    ) -> views.QuarantineView: ...

    def models(self) -> views.ModelsView: ...

    def status(self) -> views.StatusView: ...

    def search(self, text: str, *, n: int = 8) -> views.SearchView: ...


@runtime_checkable
class Shop(Protocol):
    """One opened shop."""

    @property
    def settings(self) -> Settings: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def store(self) -> Store: ...

    @property
    def answers(self) -> Answers: ...

    def close(self) -> None: ...
