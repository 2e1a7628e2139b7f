"""Offers, coupons, and the counter of a shop's checkout: check, redeem, release."""

from typing import Annotated, Any

import msgspec
from litestar import delete, post, put
from litestar.params import JSONBody, PathParameter, QueryParameter
from msgspec import Meta

from lingxi.access.roles import Scope
from lingxi.app.coupons.views import (
    CouponView,
    ImportedView,
    LedgerView,
    LiabilityReport,
    OfferDetail,
    OffersView,
    RedemptionView,
    ReleasedView,
    VerdictView,
)
from lingxi.coupons.basket import Basket
from lingxi.coupons.file import read_offer
from lingxi.coupons.issuing import LONGEST_KEY
from lingxi.errors import InvalidInput
from lingxi.server.api.parameters import LONGEST_ID, Cursor, Rows, check_cursor, check_text
from lingxi.server.api.route import read
from lingxi.server.api.write import write
from lingxi.server.dependencies import AnyRequest, AskShop, provide_principal

OfferName = Annotated[str, PathParameter(description="The offer's name, such as spring-10.")]
Number = Annotated[int, PathParameter(ge=1, le=2**63 - 1, description="The coupon's number.")]
Code = Annotated[str, Meta(min_length=1, max_length=64)]
Id = Annotated[str, Meta(min_length=1, max_length=LONGEST_ID)]
Key = Annotated[str, Meta(min_length=1, max_length=LONGEST_KEY)]
Visitor = Annotated[str, Meta(max_length=LONGEST_ID)]
Language = Annotated[str, Meta(pattern="^(en|zh)$")]


class IssueRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom to give a coupon, and for what: the same ``key`` gets the same coupon."""

    offer: Id
    key: Key
    customer_id: Id | None = None


class CheckRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A code at the checkout. ``visitor`` tells those who try codes apart: a session or an
    address, of which a hash is kept for ten minutes."""

    code: Code
    basket: Basket
    customer_id: Id | None = None
    visitor: Visitor = ""
    language: Language = "en"


class RedeemRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A code to be used on an order, once: the same ``idempotency_key`` gets the same answer."""

    code: Code
    basket: Basket
    order_id: Id
    idempotency_key: Key
    customer_id: Id | None = None
    visitor: Visitor = ""
    language: Language = "en"


class ReleaseRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The order that gives its coupons back; with ``code`` only that one."""

    order_id: Id
    code: Annotated[str, Meta(max_length=64)] = ""


class RevokeRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a coupon is made worthless, for the ledger."""

    note: Annotated[str, Meta(max_length=200)] = ""


class CodesRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Codes for a pool; longer lists come in parts or by the command line."""

    codes: Annotated[tuple[Annotated[str, Meta(max_length=64)], ...], Meta(max_length=2_000)]


@read("/v1/offers", Scope.COUPONS, "All offers")
def get_offers(shop: AskShop) -> OffersView:
    """Offers with what became of their coupons."""
    return shop.offers.list_all()


@read("/v1/offers/{name:str}", Scope.COUPONS, "One offer")
def get_one(shop: AskShop, name: OfferName) -> OfferDetail:
    """An offer with every version it had."""
    return shop.offers.describe(name)


@write(put, "/v1/offers/{name:str}", Scope.COUPONS_WRITE, "Define an offer")
def put_one(
    request: AnyRequest, shop: AskShop, name: OfferName, data: JSONBody[dict[str, Any]]
) -> OfferDetail:
    """Make the offer so. Codes that are out keep the terms under which they were issued."""
    offer = read_offer(data, "offer", name=name)
    if offer.name != name:
        raise InvalidInput(f"The offer's name is {offer.name!r}, its address says {name!r}.")
    return shop.offers.put(offer, actor=provide_principal(request).actor)


@write(delete, "/v1/offers/{name:str}", Scope.COUPONS_WRITE, "Remove an offer")
def delete_one(request: AnyRequest, shop: AskShop, name: OfferName) -> OffersView:
    """Take an offer away that never had a coupon; others are paused."""
    return shop.offers.remove(name, actor=provide_principal(request).actor)


@write(post, "/v1/offers/{name:str}/codes", Scope.COUPONS_WRITE, "Add codes to a pool")
def post_codes(
    request: AnyRequest, shop: AskShop, name: OfferName, data: JSONBody[CodesRequest]
) -> ImportedView:
    """Add codes that came from elsewhere; each counts once."""
    actor = provide_principal(request).actor
    return shop.offers.import_codes(name, data.codes, actor=actor)


@write(post, "/v1/offers/{name:str}/shopify", Scope.COUPONS_WRITE, "Shopify's price rules")
def post_shopify(request: AnyRequest, shop: AskShop, name: OfferName) -> list[dict[str, Any]]:
    """The offer and its outstanding codes as price rules with batches of discount codes."""
    return shop.offers.export_shopify(name, actor=provide_principal(request).actor)


@write(post, "/v1/coupons", Scope.COUPONS_WRITE, "Issue a coupon")
def post_coupon(request: AnyRequest, shop: AskShop, data: JSONBody[IssueRequest]) -> CouponView:
    """Give a customer a coupon, the same one for the same key, with its code."""
    actor = provide_principal(request).actor
    return shop.counter.issue(data.offer, data.customer_id, data.key, actor=actor)


@read("/v1/coupons/{number:int}", Scope.COUPONS, "One coupon")
def get_coupon(shop: AskShop, number: Number) -> CouponView:
    """A coupon without its code."""
    return shop.counter.describe(number)


@write(post, "/v1/coupons/{number:int}/seen", Scope.COUPONS_WRITE, "A coupon was seen")
def post_seen(shop: AskShop, number: Number) -> CouponView:
    """Note that its holder has seen a coupon, in an app or on a page."""
    return shop.counter.see(number)


@write(post, "/v1/coupons/{number:int}/revoke", Scope.COUPONS_WRITE, "Revoke a coupon")
def post_revoked(
    request: AnyRequest, shop: AskShop, number: Number, data: JSONBody[RevokeRequest]
) -> CouponView:
    """Make a coupon worthless; one that was redeemed is released with its order first."""
    note = check_text("note", data.note)
    return shop.counter.revoke(number, actor=provide_principal(request).actor, note=note)


@write(post, "/v1/coupons/check", Scope.CHECKOUT, "Check a code")
def post_check(request: AnyRequest, shop: AskShop, data: JSONBody[CheckRequest]) -> VerdictView:
    """Whether a code may be used on a basket, why not, and what it would take off."""
    return shop.counter.check(
        data.code,
        data.basket,
        data.customer_id,
        caller=provide_principal(request).actor,
        visitor=data.visitor,
        language=data.language,
    )


@write(post, "/v1/coupons/redeem", Scope.CHECKOUT, "Redeem a code")
def post_redemption(
    request: AnyRequest, shop: AskShop, data: JSONBody[RedeemRequest]
) -> RedemptionView:
    """Use a code on an order. A refusal is an answer: ``redeemed`` is false, nothing comes off."""
    return shop.counter.redeem(
        data.code,
        data.basket,
        data.customer_id,
        order_id=data.order_id,
        key=data.idempotency_key,
        caller=provide_principal(request).actor,
        visitor=data.visitor,
        language=data.language,
    )


@write(post, "/v1/coupons/release", Scope.CHECKOUT, "Release an order's coupons")
def post_release(
    request: AnyRequest, shop: AskShop, data: JSONBody[ReleaseRequest]
) -> ReleasedView:
    """Give back what a cancelled order redeemed. A cancellation in the log does so by itself."""
    actor = provide_principal(request).actor
    return shop.counter.release(data.order_id, code=data.code, actor=actor)


@read("/v1/coupons/ledger", Scope.COUPONS, "The ledger")
def get_ledger(
    shop: AskShop,
    offer: Annotated[str, QueryParameter(max_length=40, description="Only this offer.")] = "",
    coupon: Annotated[
        int | None, QueryParameter(ge=1, le=2**63 - 1, description="Only this coupon.")
    ] = None,
    customer_id: Annotated[
        str, QueryParameter(max_length=LONGEST_ID, description="Only this customer's.")
    ] = "",
    check: Annotated[
        bool, QueryParameter(description="Say where the ledger does not balance.")
    ] = False,
    cursor: Cursor = None,
    n: Rows = 50,
) -> LedgerView:
    """What became of coupons, line by line, newest first."""
    return shop.offers.read_ledger(
        offer=check_text("offer", offer),
        coupon_id=coupon,
        customer_id=check_text("customer_id", customer_id),
        cursor=check_cursor("cursor", cursor),
        n=n,
        check=check,
    )


@read("/v1/coupons/liability", Scope.COUPONS, "Liability")
def get_liability(shop: AskShop) -> LiabilityReport:
    """What outstanding coupons may still cost: at most, and as expected with its interval."""
    return shop.offers.report()


ROUTES = [
    get_offers,
    get_one,
    put_one,
    delete_one,
    post_codes,
    post_shopify,
    post_coupon,
    get_coupon,
    post_seen,
    post_revoked,
    post_check,
    post_redemption,
    post_release,
    get_ledger,
    get_liability,
]
