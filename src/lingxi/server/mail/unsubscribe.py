"""Unsubscribing: a GET asks, a POST does it, at one click and without anything else (RFC 8058)."""

import msgspec
from litestar import Response, post, route
from litestar.concurrency import sync_to_thread
from litestar.params import FromPath

from lingxi.app.shop import Shop
from lingxi.messaging.email import open_links
from lingxi.messaging.email.address import mask_address
from lingxi.messaging.email.links import PREFERENCES, PREFIX
from lingxi.messaging.email.preferences import Preferences, read_preferences, unsubscribe
from lingxi.messaging.email.tokens import Purpose, Ticket, seal, unseal
from lingxi.server.dependencies import AskShop
from lingxi.server.mail.page import OPEN, READ, AnyReader, choose_reader, draw, read_form, refuse

_ONE_CLICK = ("List-Unsubscribe", "One-Click")


@route(
    "/mail/unsubscribe/{word:str}",
    http_method=READ,
    opt=OPEN,
    include_in_schema=False,
    status_code=200,
)
async def get_unsubscribe(word: FromPath[str], request: AnyReader, shop: AskShop) -> Response[str]:
    """Asks; changes nothing, for scanners follow every link."""
    ticket = _read(shop, word)
    known = await sync_to_thread(_look, shop, ticket) if ticket else None
    if ticket is None or known is None:
        return refuse(request, shop)
    return _ask(request, shop, ticket, known)


@post("/mail/unsubscribe/{word:str}", opt=OPEN, include_in_schema=False, status_code=200)
async def post_unsubscribe(word: FromPath[str], request: AnyReader, shop: AskShop) -> Response[str]:
    """Unsubscribes, for the mailbox's own button as for ours; again changes nothing."""
    ticket = _read(shop, word)
    known = await sync_to_thread(_look, shop, ticket) if ticket else None
    if ticket is None or known is None:
        return refuse(request, shop)
    form = await read_form(request)
    one_click = form.get(_ONE_CLICK[0]) == _ONE_CLICK[1]
    if not one_click and form.get("confirm") != "yes":
        return _ask(request, shop, ticket, known)
    source = "one_click" if one_click else "unsubscribe_page"
    now = shop.clock.now()
    await sync_to_thread(lambda: unsubscribe(shop.store, shop.settings, ticket, now, source=source))
    reader = choose_reader(request, shop, known.language)
    context = {
        "title": reader.text("mail.unsubscribe.done"),
        "lines": [reader.text("mail.unsubscribe.done.why", shop=shop.settings.shop.name)],
        "links": [(reader.text("mail.unsubscribe.less"), to_preferences(shop, ticket))],
    }
    return draw(request, shop, reader, "mail_said.html", context)


def _ask(request: AnyReader, shop: Shop, ticket: Ticket, known: Preferences) -> Response[str]:
    reader = choose_reader(request, shop, known.language)
    context = {"address": known.address, "preferences": to_preferences(shop, ticket)}
    return draw(request, shop, reader, "mail_unsubscribe.html", context)


def to_preferences(shop: Shop, ticket: Ticket) -> str:
    """The path of the page of preferences for the same customer and address."""
    key = open_links(shop.settings, shop.store.keyring).key
    message_id = "0" * 32 if ticket.purpose is Purpose.OPT_IN else ticket.message_id
    other = Ticket(Purpose.PREFERENCES, message_id, ticket.customer, ticket.tag)
    return f"{PREFIX}/{PREFERENCES}/{seal(key, other)}"


def _read(shop: Shop, word: str) -> Ticket | None:
    return unseal(open_links(shop.settings, shop.store.keyring).key, word, Purpose.UNSUBSCRIBE)


def _look(shop: Shop, ticket: Ticket) -> Preferences | None:
    with shop.store.read() as tx:
        found = read_preferences(shop.store, tx, shop.settings, ticket)
    if found is None:
        return None
    return msgspec.structs.replace(found, address=mask_address(found.address))
