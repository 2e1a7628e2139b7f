"""Before the first thousand messages: what Gmail, Yahoo and Outlook ask of who sends many."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from lingxi.messaging.email.dkim import SigningKey
from lingxi.messaging.email.dns import AskTxt, Unreachable
from lingxi.messaging.email.links import PREFIX

_TWO_PART_ENDS = frozenset(
    {"co.uk", "org.uk", "com.cn", "net.cn", "org.cn", "com.au", "net.au", "co.nz", "co.jp"}
    | {"com.hk", "com.tw", "com.sg", "com.br", "co.in", "co.kr", "com.mx", "com.tr", "co.za"}
)
_LOCAL = re.compile(r"https?://(localhost|127\.|\[::1\])", re.IGNORECASE)
COMPLAINTS_BAD, COMPLAINTS_GOOD = 0.003, 0.001
BOUNCES_BAD = 0.05
LEAST = 100
"""Below so many messages a rate says nothing."""


class State(StrEnum):
    """How a check came out; ``unknown`` is neither good nor bad."""

    PASS = "pass"
    WARN = "warn"
    FAIL = "fail"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Check:
    """One line of the list. Its sentence is ``mail.check.NAME.OUTCOME`` with ``said`` in it."""

    name: str
    state: State
    outcome: str
    said: Mapping[str, str | int | float]


@dataclass(frozen=True)
class Facts:
    """What is looked at; ``sample`` is a marketing letter as it would leave."""

    sender: str
    return_domain: str
    keys: Sequence[SigningKey]
    public_url: str
    tls: str
    host: str
    hears_bounces: bool
    sample: bytes
    accepted: int
    complained: int
    hard: int


def check_all(facts: Facts, ask: AskTxt) -> list[Check]:
    """The whole list, in the order in which it is best worked off.

    Source
    ------
    Google, "Email sender guidelines"; Yahoo, "Sender best practices"; Microsoft, "Outlook's new
    requirements for high-volume senders"; all ask the same of more than 5,000 messages a day.
    """
    return list(_check_all(facts, ask))


def _check_all(facts: Facts, ask: AskTxt) -> Iterator[Check]:
    domain = facts.sender.rpartition("@")[2]
    if not domain:
        yield Check("sender", State.FAIL, "none", {})
        return
    yield Check("sender", State.PASS, "pass", {"address": facts.sender})
    yield check_spf(facts.return_domain, ask)
    yield check_dkim(facts, domain, ask)
    yield check_dmarc(domain, ask)
    yield check_alignment(domain, facts.return_domain)
    yield check_one_click(facts.sample, signed=bool(facts.keys))
    yield check_url(facts.public_url)
    yield check_tls(facts.host, facts.tls)
    heard = State.PASS if facts.hears_bounces else State.WARN
    yield Check("bounces", heard, heard.value, {})
    yield check_rate(
        "complaints", facts.complained, facts.accepted, COMPLAINTS_GOOD, COMPLAINTS_BAD
    )
    yield check_rate("hard_bounces", facts.hard, facts.accepted, BOUNCES_BAD / 2, BOUNCES_BAD)


def check_spf(domain: str, ask: AskTxt) -> Check:
    """Whether the return domain says who may send for it (RFC 7208)."""
    said = {"domain": domain}
    try:
        found = [text for text in ask(domain) if text.lower().split(" ")[0] == "v=spf1"]
    except Unreachable:
        return Check("spf", State.UNKNOWN, "unknown", said)
    if not found:
        return Check("spf", State.FAIL, "none", said)
    if len(found) > 1:
        return Check("spf", State.FAIL, "several", said)
    words = found[0].lower().split()
    if "+all" in words or "all" in words:
        return Check("spf", State.FAIL, "everybody", said)
    return Check("spf", State.PASS, "pass", said)


def check_dkim(facts: Facts, domain: str, ask: AskTxt) -> Check:
    """Whether what we sign with is published (RFC 6376, 3.6)."""
    if not facts.keys:
        return Check("dkim", State.FAIL, "no_key", {"domain": domain})
    for key in facts.keys:
        said = {"name": key.record_name}
        try:
            records = ask(key.record_name)
        except Unreachable:
            return Check("dkim", State.UNKNOWN, "unknown", said)
        published = {_public(text) for text in records}
        if not published:
            return Check("dkim", State.FAIL, "none", said)
        if _public(key.record) not in published:
            return Check("dkim", State.FAIL, "other", said)
    return Check("dkim", State.PASS, "pass", {"domain": domain})


def check_dmarc(domain: str, ask: AskTxt) -> Check:
    """Whether the domain of From has a policy (RFC 7489), its own or that of the domain above."""
    said = {"domain": domain}
    try:
        for place in dict.fromkeys((domain, organisation(domain))):
            found = [t for t in ask(f"_dmarc.{place}") if t.lower().startswith("v=dmarc1")]
            if len(found) > 1:
                return Check("dmarc", State.FAIL, "several", said)
            if found:
                match = re.search(r"\bp\s*=\s*(none|quarantine|reject)\b", found[0], re.IGNORECASE)
                if match is None:
                    return Check("dmarc", State.FAIL, "no_policy", said)
                return Check("dmarc", State.PASS, "pass", {**said, "policy": match[1].lower()})
    except Unreachable:
        return Check("dmarc", State.UNKNOWN, "unknown", said)
    return Check("dmarc", State.FAIL, "none", said)


def check_alignment(domain: str, return_domain: str) -> Check:
    """Whether From and the return path are of one organisation (RFC 7489, 3.1, relaxed)."""
    same = organisation(domain) == organisation(return_domain)
    state = State.PASS if same else State.WARN
    return Check("alignment", state, state.value, {"domain": domain, "other": return_domain})


def check_one_click(sample: bytes, *, signed: bool) -> Check:
    """Whether a marketing letter can be left at one click, both fields signed (RFC 8058)."""
    head = sample.partition(b"\r\n\r\n")[0].lower().replace(b"\r\n ", b" ")
    names = [line.partition(b":")[0].strip() for line in head.split(b"\r\n")]
    fields = (b"list-unsubscribe", b"list-unsubscribe-post")
    if not all(field in names for field in fields):
        return Check("one_click", State.FAIL, "none", {})
    signatures = [line for line in head.split(b"\r\n") if line.startswith(b"dkim-signature:")]
    covered = bool(signatures) and all(
        field in line.replace(b" ", b"").partition(b";h=")[2].partition(b";")[0].split(b":")
        for line in signatures
        for field in fields
    )
    if signed and covered:
        return Check("one_click", State.PASS, "pass", {})
    return Check("one_click", State.FAIL, "unsigned", {})


def check_url(public_url: str) -> Check:
    """Whether customers reach the pages that messages lead to."""
    said = {"url": f"{public_url}{PREFIX}/"}
    if _LOCAL.match(public_url):
        return Check("public_url", State.FAIL, "local", said)
    if not public_url.startswith("https://"):
        return Check("public_url", State.FAIL, "plain", said)
    return Check("public_url", State.PASS, "pass", said)


def check_tls(host: str, tls: str) -> Check:
    """Whether messages leave encrypted."""
    if not host:
        return Check("tls", State.WARN, "no_host", {})
    local = host in ("localhost", "127.0.0.1", "::1")
    if tls == "none" and not local:
        return Check("tls", State.FAIL, "none", {"host": host})
    return Check("tls", State.PASS, "pass", {"host": host})


def check_rate(name: str, events: int, sent: int, good: float, bad: float) -> Check:
    """Whether a share of the messages of the last 28 days is low enough."""
    if sent < LEAST:
        return Check(name, State.UNKNOWN, "unknown", {"n": sent, "least": LEAST})
    rate = events / sent
    state = State.PASS if rate < good else State.WARN if rate < bad else State.FAIL
    said: dict[str, str | int | float] = {
        "percent": f"{100 * rate:.2f}",
        "limit": f"{100 * bad:g}",
        "n": sent,
    }
    return Check(name, state, state.value, said)


def organisation(domain: str) -> str:
    """The domain that an organisation registered, as near as can be told without a list of them.

    >>> organisation("mail.shop.co.uk"), organisation("news.shop.example")
    ('shop.co.uk', 'shop.example')
    """
    labels = domain.lower().split(".")
    length = 3 if ".".join(labels[-2:]) in _TWO_PART_ENDS else 2
    return ".".join(labels[-length:])


def _public(record: str) -> str:
    found = re.search(r"(?:^|;)\s*p\s*=([^;]*)", record)
    return re.sub(r"\s+", "", found[1]) if found else ""
