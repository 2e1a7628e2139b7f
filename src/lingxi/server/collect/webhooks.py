"""Webhooks of shop platforms over HTTP; the body is read raw, for it is what was signed."""

from typing import Any

from litestar import Request, Response, post
from litestar.background_tasks import BackgroundTask
from litestar.concurrency import sync_to_thread
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath

from lingxi.access.sources import Source, list_sources
from lingxi.app.privacy import run_requests
from lingxi.app.shop import Shop
from lingxi.app.webhooks import Taken, take_webhook
from lingxi.errors import LingxiError
from lingxi.ingest.turned_away import NOBODY
from lingxi.server.collect.door import read_body
from lingxi.server.collect.replies import Refusal
from lingxi.server.dependencies import AskShop

_MOST_BYTES = 5 * 1024 * 1024
_RESPONSES = {
    400: ResponseSpec(Refusal, description="Too large, or no JSON object."),
    401: ResponseSpec(Refusal, description="No such source, or not its signature."),
    503: ResponseSpec(Refusal, description="Not stored; send it again."),
}


def _list_sources(shop: Shop) -> list[Source]:
    with shop.store.read() as tx:
        return list_sources(tx)


@post(
    ["/webhooks/shopify/{source:str}", "/webhooks/woocommerce/{source:str}"],
    opt={"unguarded": True},
    status_code=200,
    tags=["webhooks"],
    summary="A webhook of Shopify, SHOPLINE or WooCommerce",
    responses=_RESPONSES,
)
async def take(
    source: FromPath[str], request: Request[Any, Any, Any], shop: AskShop
) -> Response[Taken]:
    """Checks the signature over the raw body, takes each delivery once, and answers once all it
    means is on disk. Erasures that the platform asks for are carried out after the answer."""
    body = await read_body(request.receive, _MOST_BYTES)
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        taken = await sync_to_thread(take_webhook, shop, source, headers, body)
    except LingxiError as error:
        known = {row.name for row in await sync_to_thread(_list_sources, shop)}
        shop.turned_away.note(source if source in known else NOBODY, error.code, shop.clock.now())
        raise
    return Response(taken, background=BackgroundTask(sync_to_thread, run_requests, shop))
