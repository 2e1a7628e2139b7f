"""Health as Gorse tells it; needs no key."""

import msgspec
from litestar import Response, get
from sqlalchemy import literal, select
from sqlalchemy.exc import SQLAlchemyError

from lingxi.app.shop import Shop
from lingxi.errors import LingxiError
from lingxi.server.dependencies import AskShop


class HealthStatus(msgspec.Struct, frozen=True, rename="pascal"):
    """One store here is both of Gorse's: that of the data and that of what is served."""

    ready: bool
    data_store_error: str | None
    cache_store_error: str | None
    data_store_connected: bool
    cache_store_connected: bool


def _look(shop: Shop) -> HealthStatus:
    try:
        with shop.store.read() as tx:
            tx.execute(select(literal(1))).scalar_one()
    except (LingxiError, SQLAlchemyError):
        words = "the store cannot be read"
        return HealthStatus(False, words, words, False, False)
    return HealthStatus(True, None, None, True, True)


@get(
    "/health/live",
    opt={"unguarded": True},
    tags=["Gorse"],
    summary="The process answers",
    operation_id="gorse live",
    sync_to_thread=True,
)
def get_live(shop: AskShop) -> HealthStatus:
    """Whether the process answers, and what it reaches."""
    return _look(shop)


@get(
    "/health/ready",
    opt={"unguarded": True},
    tags=["Gorse"],
    summary="The shop can be read",
    operation_id="gorse ready",
    sync_to_thread=True,
)
def get_ready(shop: AskShop) -> Response[HealthStatus]:
    """The same, and 503 where the store cannot be read."""
    found = _look(shop)
    return Response(found, status_code=200 if found.ready else 503)


ROUTES = [get_live, get_ready]
