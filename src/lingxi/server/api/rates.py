"""Exchange rates over the API: which are known, and those of one day put."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated

import msgspec
from litestar import put
from litestar.params import JSONBody

from lingxi.access.roles import Scope
from lingxi.app.rates import count_waiting_for_rates, list_rates, put_rates
from lingxi.ingest.rates import Known
from lingxi.server.api.route import read
from lingxi.server.api.write import write
from lingxi.server.dependencies import AskShop

_MOST = 400


class DayOfRates(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Units of each currency for one unit of ``base`` on a day; decimal numbers, best as text."""

    base: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]
    day: date
    rates: Annotated[dict[str, Decimal], msgspec.Meta(min_length=1, max_length=_MOST)]


class RatesPut(msgspec.Struct, frozen=True):
    """How many rates were kept, and how much in quarantine waits for one."""

    kept: int
    waiting: int


@read("/v1/rates", Scope.OVERVIEW, "Exchange rates")
def get_rates(shop: AskShop) -> Sequence[Known]:
    """The currencies that have rates: how many days, from when to when, the last one."""
    return list_rates(shop)


@write(put, "/v1/rates", Scope.ADMIN, "Put the rates of a day")
def put_rates_of_day(shop: AskShop, data: JSONBody[DayOfRates]) -> RatesPut:
    """Keep the rates of one day; those of the same day and base are replaced."""
    kept = put_rates(shop, data.base, data.day, data.rates)
    return RatesPut(kept, count_waiting_for_rates(shop))


ROUTES = [get_rates, put_rates_of_day]
