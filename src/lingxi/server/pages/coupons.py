"""Coupons: the offers, what they may still cost, and the ledger of what became of each coupon."""

from typing import Annotated, Any

from litestar import Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath, FromQuery

from lingxi.access import Scope
from lingxi.app.coupons.views import LiabilityReport, OffersView
from lingxi.app.shop import Shop
from lingxi.coupons.file import read_offer
from lingxi.errors import Conflict, UserError
from lingxi.server.api.parameters import Filter, check_text
from lingxi.server.dependencies import AskShop, AskUser
from lingxi.server.pages.frame import AskFrame, Frame
from lingxi.server.pages.links import Address, link
from lingxi.server.pages.offer_form import GROUPS, Values, spell, understand
from lingxi.server.pages.session import see
from lingxi.server.pages.words import Words

_READ = {"scope": Scope.COUPONS}
_WRITE = {"scope": Scope.COUPONS_WRITE}
_DONE = ("saved", "removed", "imported")
_ROWS = 25
FormData = Annotated[dict[str, Any], Body(media_type=RequestEncodingType.URL_ENCODED)]


@get("/coupons", opt=_READ, sync_to_thread=True)
def get_coupons(
    frame: AskFrame,
    shop: AskShop,
    customer_id: Filter = "",
    cursor: FromQuery[str] = "",
    done: FromQuery[str] = "",
) -> Response[str]:
    """All offers, their liability, the ledger's newest lines, and a form for a new offer."""
    customer = check_text("customer_id", customer_id).strip()
    done = done if done in _DONE else ""
    return draw_coupons(frame, shop, customer_id=customer, cursor=cursor, done=done)


@post("/coupons", opt=_WRITE, sync_to_thread=True, status_code=200)
def post_offer(data: FormData, frame: AskFrame, shop: AskShop, user: AskUser) -> Response[str]:
    """Make a new offer of what the form says."""
    values = _tidy(data)
    name = values.get("name", "").strip()
    try:
        if any(each.name == name for each in shop.offers.list_all().offers):
            raise Conflict(f"There is an offer {name!r} already.")
        _save(shop, name, values, user.actor)
    except UserError as error:
        return draw_coupons(frame, shop, values=values, problem=str(error), status=400)
    return see(link(f"/coupons/{name}", done="saved"))


@get("/coupons/{name:str}", opt=_READ, sync_to_thread=True)
def get_offer(
    frame: AskFrame,
    shop: AskShop,
    name: FromPath[str],
    cursor: FromQuery[str] = "",
    done: FromQuery[str] = "",
) -> Response[str]:
    """One offer: its balance, its form, its ledger, its versions."""
    return draw_offer(frame, shop, name, cursor=cursor, done=done if done in _DONE else "")


@post("/coupons/{name:str}", opt=_WRITE, sync_to_thread=True, status_code=200)
def post_change(
    data: FormData, frame: AskFrame, shop: AskShop, user: AskUser, name: FromPath[str]
) -> Response[str]:
    """Make the offer what the form says."""
    values = _tidy(data)
    try:
        _save(shop, name, values, user.actor)
    except UserError as error:
        return draw_offer(frame, shop, name, values=values, problem=str(error), status=400)
    return see(link(f"/coupons/{name}", done="saved"))


@post("/coupons/{name:str}/codes", opt=_WRITE, sync_to_thread=True, status_code=200)
def post_codes(
    data: FormData, frame: AskFrame, shop: AskShop, user: AskUser, name: FromPath[str]
) -> Response[str]:
    """Add codes to the offer's pool."""
    try:
        shop.offers.import_text(name, str(data.get("codes", "")), actor=user.actor)
    except UserError as error:
        return draw_offer(frame, shop, name, problem=str(error), status=400)
    return see(link(f"/coupons/{name}", done="imported"))


@post("/coupons/{name:str}/remove", opt=_WRITE, sync_to_thread=True, status_code=200)
def post_removed(
    frame: AskFrame, shop: AskShop, user: AskUser, name: FromPath[str]
) -> Response[str]:
    """Take an offer away that never had a coupon."""
    try:
        shop.offers.remove(name, actor=user.actor)
    except Conflict as error:
        return draw_offer(frame, shop, name, problem=str(error), status=409)
    return see(link("/coupons", done="removed"))


def _save(shop: Shop, name: str, values: Values, actor: str) -> None:
    settings = shop.settings
    raw = understand(values, settings.shop.currency, settings.zone)
    shop.offers.put(read_offer({**raw, "name": name}), actor=actor)


def draw_coupons(
    frame: Frame,
    shop: Shop,
    *,
    customer_id: str = "",
    cursor: str = "",
    values: Values | None = None,
    done: str = "",
    problem: str = "",
    status: int = 200,
) -> Response[str]:
    """The page of all offers; the ledger of one customer if ``customer_id`` names one."""
    view, report = shop.offers.list_all(), shop.offers.report()
    settings = shop.settings
    context = {
        "view": view,
        "report": report,
        "ledger": shop.offers.read_ledger(customer_id=customer_id, cursor=cursor or None, n=_ROWS),
        "customer_id": customer_id,
        "groups": GROUPS,
        "values": values or spell(None, settings.shop.currency, settings.zone),
        "answer": answer_coupons(frame.words, view, report),
        "address": Address("/coupons", {"customer_id": customer_id, "cursor": cursor}),
        "cursor": cursor,
        "zone": settings.shop.timezone,
        "may_change": _may_change(frame),
        "done": done,
        "problem": problem,
    }
    return frame.page("coupons.html", context, status=status)


def draw_offer(
    frame: Frame,
    shop: Shop,
    name: str,
    *,
    cursor: str = "",
    values: Values | None = None,
    done: str = "",
    problem: str = "",
    status: int = 200,
) -> Response[str]:
    """The page of one offer."""
    detail, settings = shop.offers.describe(name), shop.settings
    (report,) = [row for row in shop.offers.report().rows if row.offer == name]
    held = spell(detail.offer.definition, settings.shop.currency, settings.zone)
    context = {
        "detail": detail,
        "offer": detail.offer,
        "liability": report,
        "ledger": shop.offers.read_ledger(offer=name, cursor=cursor or None, n=_ROWS),
        "groups": GROUPS,
        "values": values or held,
        "address": Address(f"/coupons/{name}", {"cursor": cursor}),
        "cursor": cursor,
        "zone": settings.shop.timezone,
        "may_change": _may_change(frame),
        "done": done,
        "problem": problem,
    }
    return frame.page("offer.html", context, status=status)


def answer_coupons(words: Words, view: OffersView, report: LiabilityReport) -> str:
    """All coupons in one sentence or two."""
    if not view.offers:
        return words.text("coupons.answer.none")
    said = words.text("coupons.answer", n=report.outstanding, offers=len(view.offers))
    if report.most_cents is not None:
        most = words.text(
            "coupons.answer.most", most_cents=report.most_cents, currency=report.currency
        )
        return words.join(said, most)
    return words.join(said, words.text("coupons.answer.unbounded"))


def _tidy(data: dict[str, Any]) -> dict[str, str]:
    return {key: str(value)[:4_000] for key, value in data.items() if not key.startswith("_")}


def _may_change(frame: Frame) -> bool:
    return frame.user is not None and frame.user.can(Scope.COUPONS_WRITE)


ROUTES = [get_coupons, post_offer, get_offer, post_change, post_codes, post_removed]
