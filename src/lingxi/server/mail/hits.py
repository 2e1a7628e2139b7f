"""Clicks and openings: noted, and on to where the link leads."""

from base64 import b64decode

import structlog
from litestar import Response, route
from litestar.concurrency import sync_to_thread
from litestar.params import FromPath

from lingxi.app.shop import Shop
from lingxi.errors import LingxiError
from lingxi.messaging.email import open_links
from lingxi.messaging.email.hits import note_hit, read_click
from lingxi.messaging.email.machines import judge_request
from lingxi.messaging.email.tokens import Purpose, Ticket, unseal
from lingxi.server.dependencies import AskShop
from lingxi.server.mail.page import OPEN, READ, AnyReader, refuse
from lingxi.server.requests import client_address

_DOT = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
_HEADERS = {
    "Cache-Control": "no-store, no-cache, must-revalidate, private",
    "X-Robots-Tag": "noindex, nofollow",
    "Referrer-Policy": "no-referrer",
}


@route("/mail/c/{word:str}", http_method=READ, opt=OPEN, include_in_schema=False, status_code=302)
async def get_click(word: FromPath[str], request: AnyReader, shop: AskShop) -> Response[str]:
    """On to the target that was signed into the address, and to no other."""
    ticket = unseal(open_links(shop.settings, shop.store.keyring).key, word, Purpose.CLICK)
    click = read_click(ticket) if ticket is not None else None
    if ticket is None or click is None:
        return refuse(request, shop)
    await sync_to_thread(_note, shop, ticket, request)
    return Response("", status_code=302, headers={**_HEADERS, "Location": click[1]})


@route("/mail/o/{word:str}", http_method=READ, opt=OPEN, include_in_schema=False, status_code=200)
async def get_opened(word: FromPath[str], request: AnyReader, shop: AskShop) -> Response[bytes]:
    """A picture of one dot, for whoever asks; only one that we signed is noted."""
    key = open_links(shop.settings, shop.store.keyring).key
    ticket = unseal(key, word.removesuffix(".gif"), Purpose.OPEN)
    if ticket is not None:
        await sync_to_thread(_note, shop, ticket, request)
    headers = {**_HEADERS, "Cross-Origin-Resource-Policy": "cross-origin"}
    return Response(_DOT, media_type="image/gif", headers=headers)


def _note(shop: Shop, ticket: Ticket, request: AnyReader) -> None:
    """Keep the hit; that it cannot be kept is no reason to hold a customer up."""
    headers = request.headers
    purpose = headers.get("sec-purpose") or headers.get("purpose") or headers.get("x-purpose")
    agent, address = headers.get("user-agent", ""), client_address(request.scope) or ""
    sign = judge_request(str(request.method), agent, address, purpose or "")
    try:
        note_hit(shop.store, ticket, sign, shop.clock.now())
    except LingxiError as error:
        structlog.get_logger().warning("hit_lost", error=type(error).__name__)
