"""For those who run it: is it alive, is it ready, what are its numbers."""

from typing import Literal

import msgspec
import structlog
from litestar import Response, get
from litestar.datastructures import State
from sqlalchemy import literal, select
from sqlalchemy.exc import SQLAlchemyError

from lingxi.access.roles import Scope
from lingxi.errors import LingxiError
from lingxi.server.api.route import KEY_SCHEME
from lingxi.server.dependencies import AskShop
from lingxi.server.metrics import Metrics

_TEXT = "text/plain; version=0.0.4; charset=utf-8"


class Health(msgspec.Struct, frozen=True):
    """Nothing secret: whether it works, and no more."""

    status: Literal["ok", "unavailable"]


@get("/health/live", opt={"unguarded": True}, tags=["health"], summary="The process answers")
async def get_live() -> Health:
    """The process answers requests; needs no key."""
    return Health("ok")


@get(
    "/health/ready",
    opt={"unguarded": True},
    tags=["health"],
    summary="The shop can be read",
    sync_to_thread=True,
)
def get_ready(shop: AskShop) -> Response[Health]:
    """The store answers a query, or 503; needs no key."""
    try:
        with shop.store.read() as tx:
            tx.execute(select(literal(1))).scalar_one()
    except (LingxiError, SQLAlchemyError) as error:
        structlog.get_logger().error("not_ready", error=type(error).__name__)
        return Response(Health("unavailable"), status_code=503)
    return Response(Health("ok"))


@get(
    "/metrics",
    opt={"scope": Scope.STATUS},
    security=[{KEY_SCHEME: [Scope.STATUS.value]}],
    tags=["health"],
    summary="Numbers for Prometheus",
    sync_to_thread=True,
    media_type=_TEXT,
)
def get_metrics(shop: AskShop, state: State) -> Response[bytes]:
    """Requests by route and status, their seconds, events, lags, models in use."""
    metrics: Metrics = state["metrics"]
    try:
        status = shop.answers.status()
    except LingxiError:
        status = None
    return Response(metrics.render(status), media_type=_TEXT)


MACHINE = [get_live, get_ready, get_metrics]
