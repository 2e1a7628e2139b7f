"""The recommender itself: its quality on the shop's data, what it shows of the shop, its items."""

from typing import Annotated

from litestar.params import QueryParameter

from lingxi.access.roles import Scope
from lingxi.app.quality_views import CoverageView, NeighbourhoodView, ReportsView
from lingxi.app.queries.neighbourhood import LARGEST
from lingxi.server.api.parameters import ItemId, read_id
from lingxi.server.api.route import read
from lingxi.server.dependencies import AskAnswers

Neighbours = Annotated[
    int, QueryParameter(ge=1, le=LARGEST, description=f"Neighbours, at most {LARGEST}.")
]


@read("/v1/recommender-reports", Scope.MODELS, "The recommender's quality on the shop's own data")
def list_reports(answers: AskAnswers) -> ReportsView:
    """Every report kept, newest first: metrics with intervals, paired differences, baselines."""
    return answers.reports()


@read("/v1/coverage", Scope.MODELS, "What the recommender shows of the shop")
def get_coverage(answers: AskAnswers) -> CoverageView:
    """Coverage and popularity bias of the lists of up to a thousand customers."""
    return answers.coverage()


@read("/v1/neighbourhood/{item_id:path}", Scope.RECOMMENDATIONS, "An item among its neighbours")
def get_neighbourhood(answers: AskAnswers, item_id: ItemId, n: Neighbours = 8) -> NeighbourhoodView:
    """The nearest items to one, and how near those are to each other."""
    return answers.neighbourhood(read_id("item_id", item_id), n=n)


ROUTES = [list_reports, get_coverage, get_neighbourhood]
