"""Double opt-in: the page where a customer says yes. A GET asks, only a POST counts."""

from litestar import Response, post, route
from litestar.concurrency import sync_to_thread
from litestar.params import FromPath

from lingxi.app.shop import Shop
from lingxi.i18n import Translator
from lingxi.messaging.email import open_links
from lingxi.messaging.email.double_opt_in import Request, confirm, find_request
from lingxi.messaging.email.tokens import Purpose, Ticket, unseal
from lingxi.server.dependencies import AskShop
from lingxi.server.mail.page import OPEN, READ, AnyReader, choose_reader, draw, read_form, refuse
from lingxi.server.mail.unsubscribe import to_preferences


@route(
    "/mail/confirm/{word:str}", http_method=READ, opt=OPEN, include_in_schema=False, status_code=200
)
async def get_confirm(word: FromPath[str], request: AnyReader, shop: AskShop) -> Response[str]:
    """Asks; changes nothing, for scanners follow every link."""
    ticket = _read(shop, word)
    found = await sync_to_thread(_look, shop, ticket) if ticket else None
    if ticket is None or found is None:
        return refuse(request, shop)
    return _ask(request, shop, ticket, found)


@post("/mail/confirm/{word:str}", opt=OPEN, include_in_schema=False, status_code=200)
async def post_confirm(word: FromPath[str], request: AnyReader, shop: AskShop) -> Response[str]:
    """The customer's own yes."""
    ticket = _read(shop, word)
    if ticket is None:
        return refuse(request, shop)
    form = await read_form(request)
    if form.get("confirm") != "yes":
        known = await sync_to_thread(_look, shop, ticket)
        return refuse(request, shop) if known is None else _ask(request, shop, ticket, known)
    now, days = shop.clock.now(), shop.settings.mail.opt_in_days
    found = await sync_to_thread(lambda: confirm(shop.store, ticket, now, days=days))
    return refuse(request, shop) if found is None else _tell(request, shop, ticket, found)


def _ask(request: AnyReader, shop: Shop, ticket: Ticket, found: Request) -> Response[str]:
    if found.state != "pending":
        return _tell(request, shop, ticket, found)
    return draw(request, shop, choose_reader(request, shop), "mail_confirm.html", {})


def _tell(request: AnyReader, shop: Shop, ticket: Ticket, found: Request) -> Response[str]:
    reader: Translator = choose_reader(request, shop)
    kind = "done" if found.state == "confirmed" else "expired"
    lines = [reader.text(f"mail.confirm.{kind}.why", shop=shop.settings.shop.name)]
    links = [(reader.text("mail.confirm.choose"), to_preferences(shop, ticket))]
    context = {
        "title": reader.text(f"mail.confirm.{kind}"),
        "lines": lines,
        "links": links if kind == "done" else [],
    }
    return draw(request, shop, reader, "mail_said.html", context)


def _read(shop: Shop, word: str) -> Ticket | None:
    return unseal(open_links(shop.settings, shop.store.keyring).key, word, Purpose.OPT_IN)


def _look(shop: Shop, ticket: Ticket) -> Request | None:
    now, days = shop.clock.now(), shop.settings.mail.opt_in_days
    with shop.store.read() as tx:
        return find_request(tx, ticket, now, days=days)
