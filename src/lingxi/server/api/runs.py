"""Runs of journeys: what each did and why, counts, and beginning them."""

from typing import Annotated

import msgspec
from litestar import post
from litestar.params import JSONBody, PathParameter, QueryParameter

from lingxi.access.roles import Scope
from lingxi.app.runs.desk import RunDesk
from lingxi.app.runs.views import CampaignsView, CountsView, RunsView, RunView, Triggered
from lingxi.server.api.parameters import (
    LARGEST_NUMBER,
    LONGEST_ID,
    Cursor,
    RowNumber,
    Rows,
    read_id,
)
from lingxi.server.api.route import read
from lingxi.server.api.write import write
from lingxi.server.dependencies import AnyRequest, AskShop, provide_principal

JourneyName = Annotated[str, PathParameter(description="The journey's name.")]
OfJourney = Annotated[
    str | None, QueryParameter(max_length=64, description="Only runs of this journey.")
]
OfCustomer = Annotated[
    str | None,
    QueryParameter(max_length=LONGEST_ID, description="Only runs of this customer: the shop's id."),
]
State = Annotated[
    str | None,
    QueryParameter(max_length=16, description="ready, waiting, ended or held_out."),
]
VersionNumber = Annotated[
    int | None,
    QueryParameter(ge=1, le=LARGEST_NUMBER, description="Of this version; else the published."),
]


class Trigger(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For whom a run is to begin, and of what (such as an order's id)."""

    customer_id: Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_ID)]
    key: Annotated[str, msgspec.Meta(max_length=200)] = ""


@read("/v1/runs", Scope.JOURNEYS, "Runs of journeys")
def get_runs(
    shop: AskShop,
    journey: OfJourney = None,
    customer_id: OfCustomer = None,
    run_state: State = None,
    cursor: Cursor = None,
    n: Rows = 50,
) -> RunsView:
    """Customers on their way, and those who have arrived, newest first."""
    desk = RunDesk(shop)
    return desk.list(journey=journey, customer_id=customer_id, state=run_state, cursor=cursor, n=n)


@read("/v1/runs/{number:int}", Scope.JOURNEYS, "One run of a journey")
def get_run(shop: AskShop, number: RowNumber) -> RunView:
    """Every step that it passed, why it did what it did, and what became of its messages."""
    return RunDesk(shop).get(number)


@read("/v1/journeys/{name:str}/counts", Scope.JOURNEYS, "A journey in numbers")
def get_counts(shop: AskShop, name: JourneyName, version: VersionNumber = None) -> CountsView:
    """How many runs are at each step now, and by which ways they left it."""
    return RunDesk(shop).count(name, version)


@read("/v1/campaigns", Scope.JOURNEYS, "Campaigns and their schedule")
def get_campaigns(shop: AskShop) -> CampaignsView:
    """Journeys that a schedule begins: when next, and how many came in last."""
    return RunDesk(shop).campaigns()


@write(post, "/v1/journeys/{name:str}/trigger", Scope.JOURNEYS_WRITE, "Begin a journey")
def post_trigger(
    shop: AskShop, name: JourneyName, data: JSONBody[Trigger], request: AnyRequest
) -> Triggered:
    """Begin a run of a journey whose trigger is ``api``, unless its entry rule or re-entry keeps
    the customer out. The same key begins once where re-entry is ``once``."""
    actor = provide_principal(request).actor
    customer = read_id("customer_id", data.customer_id)
    return RunDesk(shop).trigger(name, customer, key=data.key, actor=actor)


ROUTES = [get_runs, get_run, get_counts, get_campaigns, post_trigger]
