"""One name for one kind of event: the Segment e-commerce names, and what other tools call them."""

import re
from functools import lru_cache

from lingxi.schema import SYSTEM_EVENTS, Name
from lingxi.schema.ecommerce import VOCABULARY

_FURTHER: dict[str, str] = {
    Name.PRODUCT_VIEWED: (
        "viewproduct viewedproduct pv viewitem view detail detailview itemview productdetailviewed "
        "viewcontent click"
    ),
    Name.PRODUCT_ADDED: (
        "addtocart addcart cart cartadd addedtocart addedproduct productaddedtocart additem "
        "itemaddedtocart"
    ),
    Name.PRODUCT_REMOVED: (
        "removefromcart removecart cartremove removedfromcart removedproduct productremovedfromcart"
    ),
    Name.PRODUCTS_SEARCHED: (
        "search searched searchedproducts viewsearchresults sitesearch productsearch "
        "searchsubmitted"
    ),
    Name.CHECKOUT_STARTED: "begincheckout startcheckout startedcheckout checkout initiatecheckout",
    Name.ORDER_COMPLETED: (
        "purchase purchased buy order transaction orderplaced ordercreated checkoutcompleted "
        "completedorder placedorder"
    ),
    Name.ORDER_REFUNDED: "refund refunded refundedorder",
    "Order Updated": "updatedorder",
    Name.ORDER_CANCELLED: "ordercanceled cancelledorder canceledorder",
    Name.SIGNED_UP: "signup register registered accountcreated registration completeregistration",
    "Product List Viewed": (
        "viewitemlist collectionviewed viewcategory viewedproductcategory productlistview"
    ),
    "Product Clicked": "selectitem itemclicked productclick clickedproduct selectcontent",
    "Cart Viewed": "viewcart viewedcart cartview",
    "Checkout Step Viewed": "viewedcheckoutstep",
    "Checkout Step Completed": "addshippinginfo checkoutprogress completedcheckoutstep",
    "Payment Info Entered": "addpaymentinfo paymentinfosubmitted enteredpaymentinfo",
    "Product Added to Wishlist": (
        "addtowishlist addedtowishlist addedproducttowishlist wishlistadd fav favourite favorite "
        "collect"
    ),
    "Product Removed from Wishlist": (
        "removefromwishlist removedfromwishlist removedproductfromwishlist wishlistremove"
    ),
    "Promotion Viewed": "viewpromotion viewedpromotion",
    "Promotion Clicked": "selectpromotion clickedpromotion",
    "Product Shared": "share sharedproduct",
    "Cart Shared": "sharedcart",
    "Product Reviewed": "reviewedproduct",
    "Coupon Entered": "enteredcoupon",
    "Coupon Applied": "applycoupon appliedcoupon couponredeemed",
    "Coupon Removed": "removedcoupon",
    "Coupon Denied": "deniedcoupon",
}
"""What others call the specification's events: its own first version ("Completed Order"), GA4,
Meta, Shopify's pixel, Klaviyo, common logs."""


def _fold(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.lower())


_ALIASES: dict[str, str] = {_fold(name): name for name in VOCABULARY} | {
    alias: str(name) for name, aliases in _FURTHER.items() for alias in aliases.split()
}
_BOT = re.compile(
    r"bot\b|bot/|crawl|spider|slurp|headless|phantomjs|puppeteer|playwright|selenium|scrapy|"
    r"python-requests|python-urllib|aiohttp|httpx|curl/|wget|libwww|java/|go-http-client|okhttp/|"
    r"axios/|node-fetch|httpclient|facebookexternalhit|preview|monitor|pingdom|uptime|lighthouse|"
    r"gtmetrix|scan|archive\.org|feedfetcher|bingpreview|ahrefs|semrush|mediapartners",
    re.IGNORECASE,
)
NEEDS_ITEM = frozenset(
    name.value for name in (Name.PRODUCT_VIEWED, Name.PRODUCT_ADDED, Name.PRODUCT_REMOVED)
)
"""Events that say nothing without a product."""
_SYSTEM = frozenset(_fold(name) for name in SYSTEM_EVENTS)


@lru_cache(maxsize=4_096)
def name_event(name: str) -> str:
    """The usual name of an event, or its own in one form where it is the shop's own.

    >>> name_event("add_to_cart"), name_event("product viewed"), name_event("Quiz Finished")
    ('Product Added', 'Product Viewed', 'Quiz Finished')
    """
    return _ALIASES.get(_fold(name), name)


def is_custom(name: str) -> bool:
    """Whether a name, as ``name_event`` gives it, is the shop's own."""
    return _fold(name) not in _ALIASES


@lru_cache(maxsize=4_096)
def is_reserved(name: str) -> bool:
    """Whether only Lingxi itself writes events of this name."""
    return _fold(name) in _SYSTEM


@lru_cache(maxsize=4_096)
def is_bot(agent: str) -> bool:
    """Whether a browser's name is that of a program.

    >>> is_bot("Mozilla/5.0 (compatible; Googlebot/2.1)"), is_bot("Mozilla/5.0 (iPhone)")
    (True, False)
    """
    return _BOT.search(agent) is not None
