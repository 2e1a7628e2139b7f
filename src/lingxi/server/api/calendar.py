"""The campaign calendar."""

from datetime import date
from typing import Annotated

from litestar.params import QueryParameter

from lingxi.access.roles import Scope
from lingxi.app.runs.calendar import show_calendar
from lingxi.journeys.planned import Calendar
from lingxi.server.api.route import read
from lingxi.server.dependencies import AskShop

First = Annotated[
    date | None,
    QueryParameter(name="from", description="The first day; today in the shop's time zone."),
]
Last = Annotated[
    date | None,
    QueryParameter(name="to", description="The last day, included; 30 days after the first."),
]


@read("/v1/calendar", Scope.JOURNEYS, "What is going to be sent, and what was")
def get_calendar(shop: AskShop, first: First = None, last: Last = None) -> Calendar:
    """Day by day in the shop's time zone: when journeys begin by a schedule or by customers'
    dates, for how many, and how many messages of which journey were sent or kept back."""
    return show_calendar(shop, first, last)


ROUTES = [get_calendar]
"""What belongs to the calendar."""
