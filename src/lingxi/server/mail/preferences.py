"""The preference centre: what a customer receives, by category and channel."""

from collections.abc import Mapping

from litestar import Response, post, route
from litestar.concurrency import sync_to_thread
from litestar.params import FromPath

from lingxi.app.shop import Shop
from lingxi.i18n import Translator
from lingxi.messaging.email import open_links
from lingxi.messaging.email.address import mask_address
from lingxi.messaging.email.preferences import Preferences, put_preferences, read_preferences
from lingxi.messaging.email.tokens import Purpose, Ticket, unseal
from lingxi.server.dependencies import AskShop
from lingxi.server.mail.page import OPEN, READ, AnyReader, choose_reader, draw, read_form, refuse


@route(
    "/mail/preferences/{word:str}",
    http_method=READ,
    opt=OPEN,
    include_in_schema=False,
    status_code=200,
)
async def get_preferences(word: FromPath[str], request: AnyReader, shop: AskShop) -> Response[str]:
    """What holds now."""
    ticket = _read(shop, word)
    known = await sync_to_thread(_look, shop, ticket) if ticket else None
    if ticket is None or known is None:
        return refuse(request, shop)
    return _draw(request, shop, known, saved=False)


@post("/mail/preferences/{word:str}", opt=OPEN, include_in_schema=False, status_code=200)
async def post_preferences(word: FromPath[str], request: AnyReader, shop: AskShop) -> Response[str]:
    """Keeps what was chosen, as words of consent with where and to which text."""
    ticket = _read(shop, word)
    known = await sync_to_thread(_look, shop, ticket) if ticket else None
    if ticket is None or known is None:
        return refuse(request, shop)
    form = await read_form(request)
    if form.get("save") not in ("yes", "none"):
        return _draw(request, shop, known, saved=False)
    wanted = {
        (category, channel): form.get("save") == "yes" and f"{category}/{channel}" in form
        for category, channel in known.choices
    }
    now = shop.clock.now()
    kept = await sync_to_thread(
        lambda: put_preferences(shop.store, shop.settings, ticket, wanted, now)
    )
    return refuse(request, shop) if kept is None else _draw(request, shop, kept, saved=True)


def _draw(request: AnyReader, shop: Shop, known: Preferences, *, saved: bool) -> Response[str]:
    reader = choose_reader(request, shop, known.language)
    return draw(
        request,
        shop,
        reader,
        "mail_preferences.html",
        {
            "known": known,
            "address": mask_address(known.address),
            "categories": name_all(reader, "category", shop.settings.mail.categories),
            "channels": name_all(reader, "channel", known.channels),
            "saved": saved,
        },
    )


def name_all(reader: Translator, kind: str, names: tuple[str, ...]) -> Mapping[str, str]:
    """The words of categories or channels; a shop's own stay as they are."""
    found = {}
    for name in names:
        try:
            found[name] = reader.text(f"mail.{kind}.{name}")
        except KeyError:
            found[name] = name
    return found


def _read(shop: Shop, word: str) -> Ticket | None:
    key = open_links(shop.settings, shop.store.keyring).key
    return unseal(key, word, Purpose.PREFERENCES)


def _look(shop: Shop, ticket: Ticket) -> Preferences | None:
    with shop.store.read() as tx:
        return read_preferences(shop.store, tx, shop.settings, ticket)
