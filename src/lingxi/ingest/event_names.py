"""One name for one kind of event: the Segment e-commerce names, and what other tools call them."""

import re

from lingxi.schema import SYSTEM_EVENTS, Name

_ALIASES: dict[str, Name] = {
    alias: name
    for name, aliases in {
        Name.PRODUCT_VIEWED: (
            "productviewed viewproduct productview viewitem view detail detailview itemview pv "
            "productdetailviewed viewcontent click"
        ),
        Name.PRODUCT_ADDED: (
            "productadded addtocart addcart cart cartadd addedtocart productaddedtocart additem"
        ),
        Name.PRODUCT_REMOVED: (
            "productremoved removefromcart removecart cartremove removedfromcart"
        ),
        Name.PRODUCTS_SEARCHED: (
            "productssearched search searched viewsearchresults sitesearch productsearch"
        ),
        Name.CHECKOUT_STARTED: "checkoutstarted begincheckout startcheckout checkout",
        Name.ORDER_COMPLETED: (
            "ordercompleted purchase purchased buy order transaction orderplaced ordercreated "
            "checkoutcompleted"
        ),
        Name.SIGNED_UP: "signedup signup register registered accountcreated registration",
    }.items()
    for alias in aliases.split()
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
_SYSTEM = frozenset(
    re.sub(r"[\W_]+", "", name.lower()) for name in (*SYSTEM_EVENTS, Name.ORDER_REFUNDED)
)


def name_event(name: str) -> str:
    """The usual name of an event, or its own in one form where it is the shop's own.

    >>> name_event("add_to_cart"), name_event("product viewed"), name_event("Quiz Finished")
    ('Product Added', 'Product Viewed', 'Quiz Finished')
    """
    known = _ALIASES.get(re.sub(r"[\W_]+", "", name.lower()))
    return name if known is None else known.value


def is_custom(name: str) -> bool:
    """Whether a name, as ``name_event`` gives it, is the shop's own."""
    return re.sub(r"[\W_]+", "", name.lower()) not in _ALIASES


def is_reserved(name: str) -> bool:
    """Whether only Lingxi itself writes events of this name."""
    return re.sub(r"[\W_]+", "", name.lower()) in _SYSTEM


def is_bot(agent: str) -> bool:
    """Whether a browser's name is that of a program.

    >>> is_bot("Mozilla/5.0 (compatible; Googlebot/2.1)"), is_bot("Mozilla/5.0 (iPhone)")
    (True, False)
    """
    return _BOT.search(agent) is not None
