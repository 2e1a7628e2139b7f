"""Was it a person? What tells an opening or a click of a machine: proxies, scanners, haste."""

import re
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from ipaddress import ip_address, ip_network

SOON = timedelta(seconds=10)
"""A person does not open a message so soon after it was handed over."""
BURST = timedelta(seconds=5)
"""A person does not click three different links within so short a time."""
_BURST_LINKS = 3
_PROXIES = re.compile(r"GoogleImageProxy|YahooMailProxy|ggpht\.com|YMailNorrin", re.IGNORECASE)
_BOTS = re.compile(
    r"bot\b|crawl|spider|scan|preview|prefetch|monitor|curl|wget|python|java/|go-http|okhttp"
    r"|headless|phantom|barracuda|proofpoint|mimecast|safelinks|symantec|trendmicro|ironport"
    r"|fireeye|sophos|libwww|httpclient|facebookexternalhit|slack|whatsapp|bitly",
    re.IGNORECASE,
)
_APPLE_PROXY = "Mozilla/5.0"
"""All that the proxy of Apple's Mail Privacy Protection says of itself."""
_MICROSOFT = (
    "13.64.0.0/11", "13.96.0.0/13", "13.104.0.0/14", "20.33.0.0/16", "20.34.0.0/15",
    "20.36.0.0/14", "20.40.0.0/13", "20.48.0.0/12", "20.64.0.0/10", "20.128.0.0/16",
    "20.180.0.0/14", "20.184.0.0/13", "20.192.0.0/10", "23.96.0.0/13", "40.64.0.0/10",
    "51.4.0.0/15", "51.8.0.0/16", "51.103.0.0/16", "51.104.0.0/15", "51.107.0.0/16",
    "51.116.0.0/16", "51.120.0.0/16", "51.124.0.0/16", "51.132.0.0/16", "51.136.0.0/15",
    "51.138.0.0/16", "51.140.0.0/14", "51.144.0.0/15", "52.96.0.0/12", "52.112.0.0/14",
    "52.120.0.0/14", "52.125.0.0/16", "52.126.0.0/15", "52.130.0.0/15", "52.132.0.0/14",
    "52.136.0.0/13", "52.145.0.0/16", "52.146.0.0/15", "52.148.0.0/14", "52.152.0.0/13",
    "52.160.0.0/11", "52.224.0.0/11", "65.52.0.0/14", "70.37.0.0/17", "104.40.0.0/13",
    "104.47.0.0/17", "104.146.0.0/15", "104.208.0.0/13", "131.253.0.0/16", "134.170.0.0/16",
    "137.116.0.0/15", "137.135.0.0/16", "138.91.0.0/16", "157.54.0.0/15", "157.56.0.0/14",
    "157.60.0.0/16", "168.61.0.0/16", "168.62.0.0/15", "191.232.0.0/13", "204.79.180.0/23",
    "207.46.0.0/16", "2603:1000::/24", "2620:1ec::/36", "2a01:110::/31",
)  # fmt: skip
"""Networks of Microsoft (AS 8075, 8074, 12076), whose scanners follow links before delivery."""
_NETWORKS = tuple(ip_network(text) for text in _MICROSOFT)


class Sign(StrEnum):
    """Why a hit is a machine's. There are no others."""

    HEAD = "head"
    PREFETCH = "prefetch"
    PROXY = "proxy"
    BOT = "bot"
    NETWORK = "network"
    TOO_SOON = "too_soon"
    BURST = "burst"


def judge_request(method: str, agent: str, address: str, purpose: str) -> Sign | None:
    """What one request says by itself; nothing where a person may have made it.

    Parameters
    ----------
    method, agent, address
        Of the request: GET or HEAD, its User-Agent, and the internet address it came from.
    purpose
        Its ``Sec-Purpose`` or ``Purpose``.

    Examples
    --------
    >>> judge_request("GET", "Mozilla/5.0 (via ggpht.com GoogleImageProxy)", "66.249.84.1", "")
    <Sign.PROXY: 'proxy'>
    >>> judge_request("GET", "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5)", "192.0.2.1", "")
    """
    if method == "HEAD":
        return Sign.HEAD
    if "prefetch" in purpose.lower() or "preview" in purpose.lower():
        return Sign.PREFETCH
    if agent.strip() == _APPLE_PROXY or _PROXIES.search(agent):
        return Sign.PROXY
    if not agent.strip() or _BOTS.search(agent):
        return Sign.BOT
    return Sign.NETWORK if is_scanner(address) else None


@lru_cache(maxsize=4096)
def is_scanner(address: str) -> bool:
    """Whether an internet address belongs to a network that scans links.

    >>> is_scanner("40.94.20.1"), is_scanner("192.0.2.1"), is_scanner("nowhere")
    (True, False, False)
    """
    try:
        found = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return any((mapped or found) in network for network in _NETWORKS)


def is_too_soon(at: datetime, sent_at: datetime | None) -> bool:
    """Whether nobody could have read the message yet."""
    return sent_at is not None and at - sent_at < SOON


def find_bursts(clicks: Sequence[tuple[datetime, int]]) -> Collection[int]:
    """Places of the clicks on one message that belong to a burst: three links in five seconds.

    >>> from datetime import UTC
    >>> t = datetime(2026, 1, 1, tzinfo=UTC)
    >>> sorted(find_bursts([(t, 1), (t + SOON, 1), (t + SOON, 2), (t + SOON, 3)]))
    [1, 2, 3]
    """
    found: set[int] = set()
    order = sorted(range(len(clicks)), key=lambda i: clicks[i][0])
    for first, place in enumerate(order):
        near = [i for i in order[first:] if clicks[i][0] - clicks[place][0] <= BURST]
        if len({clicks[i][1] for i in near}) >= _BURST_LINKS:
            found.update(near)
    return found
