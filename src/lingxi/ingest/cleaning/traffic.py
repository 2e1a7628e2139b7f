"""Who is no customer: programs, browsers that fetch ahead, the shop's own staff."""

import re
from functools import lru_cache

from lingxi.ingest.cleaning.draft import Draft, Halt, as_mapping
from lingxi.ingest.cleaning.rules import is_within
from lingxi.ingest.emails import read_email
from lingxi.ingest.event_names import is_bot
from lingxi.ingest.reasons import DropReason

_CRAWLER = re.compile(
    r"bot\b|bot/|crawl|spider|slurp|bingpreview|facebookexternalhit|mediapartners|ahrefs|semrush|"
    r"lighthouse|pingdom|uptime|archive\.org",
    re.IGNORECASE,
)
_TEST_BROWSER = "headlesschrome"
"""A browser without a window is as often the shop's own test as a scraper: it stays."""


def drop_traffic(draft: Draft) -> None:
    """Bots, prefetching browsers, and internal traffic. A trusted sender has judged already, a
    record has not."""
    if draft.message.trusted and not draft.message.recorded:
        return
    context = draft.context
    said = context.get("userAgent")
    agent = said if isinstance(said, str) else ""
    if agent and judge_browser(agent[:500]):
        raise Halt(DropReason.BOT, agent[:200])
    request = draft.message.agent
    if request and judge_client(request[:500]):
        raise Halt(DropReason.BOT, request[:200])
    for purpose in (context.get("purpose"), draft.body.get("purpose")):
        if purpose is not None and is_prefetch(purpose):
            raise Halt(DropReason.PREFETCH)
    if draft.message.internal or draft.rules.has_internal:
        _drop_internal(draft, agent.lower())


@lru_cache(maxsize=4_096)
def judge_browser(agent: str) -> bool:
    """Whether the browser a message names is a program.

    >>> judge_browser("Googlebot/2.1"), judge_browser("Mozilla/5.0 HeadlessChrome/120.0")
    (True, False)
    """
    return _TEST_BROWSER not in agent.lower() and is_bot(agent)


@lru_cache(maxsize=4_096)
def judge_client(agent: str) -> bool:
    """Whether a request came from a crawler; a server's HTTP library is none.

    >>> judge_client("python-requests/2.32"), judge_client("Mozilla/5.0 (compatible; bingbot/2.0)")
    (False, True)
    """
    return _CRAWLER.search(agent) is not None


def is_prefetch(purpose: object) -> bool:
    """Whether the browser said that it only fetches ahead (``Sec-Purpose``, ``Purpose``)."""
    return isinstance(purpose, str) and purpose.lower().startswith(("prefetch", "preview"))


def _drop_internal(draft: Draft, agent: str) -> None:
    rules = draft.rules
    if rules.internal_agents and any(text in agent for text in rules.internal_agents):
        raise Halt(DropReason.INTERNAL_TRAFFIC, "context.userAgent")
    if draft.message.internal:
        raise Halt(DropReason.INTERNAL_TRAFFIC, "context.ip")
    if rules.internal_networks:
        address = draft.message.address or ""
        said = draft.context.get("ip")
        for each in (address, said if isinstance(said, str) else ""):
            if each and is_within(each, rules.internal_networks):
                raise Halt(DropReason.INTERNAL_TRAFFIC, "context.ip")
    if rules.internal_domains:
        for place in (draft.body, draft.context):
            email = read_email(as_mapping(place.get("traits")).get("email"))
            if email and email.rpartition("@")[2] in rules.internal_domains:
                raise Halt(DropReason.INTERNAL_TRAFFIC, "traits.email")


@lru_cache(maxsize=4_096)
def name_device(agent: str) -> str:
    """The class of device a browser runs on; says nothing of the person.

    >>> name_device("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0)"), name_device("Mozilla/5.0 (X11)")
    ('mobile', 'desktop')
    """
    text = agent.lower()
    if "ipad" in text or "tablet" in text or ("android" in text and "mobile" not in text):
        return "tablet"
    return "mobile" if "mobi" in text or "iphone" in text or "android" in text else "desktop"
