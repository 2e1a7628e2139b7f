"""What messages say of consent by the way, and which words of it count."""

from datetime import timedelta

import pytest

from ingest.cleaned import Body
from ingest.merging_shop import NOW, MakeShop, Shop, identify, view
from lingxi.config import ConsentSettings
from lingxi.ingest.consent import is_allowed, list_consent

ALLOWED: Body = {"consent": {"categoryPreferences": {"Advertising": True, "Functional": True}}}


def said(shop: Shop, name: str) -> dict[tuple[str, str], bool]:
    with shop.store.read() as tx:
        words = list_consent(tx, shop.customer(name))
    return {(word.purpose, word.channel): word.granted for word in words}


def test_who_has_left_is_no_reader_again_by_a_banner(make_shop: MakeShop) -> None:
    """Also where the mail provider tells of it after the page on which all is allowed."""
    shop = make_shop()
    gone: Body = {"type": "track", "event": "Unsubscribed", "userId": "u"}
    shop.send({**view("p1", userId="u"), "context": ALLOWED})
    shop.send({**gone, "timestamp": (NOW - timedelta(days=3)).isoformat()})
    shop.send({**identify("u", "a"), "context": ALLOWED}, {**gone, "context": ALLOWED})
    assert said(shop, "u")["marketing", "email"] is False
    assert ("marketing", "*") not in said(shop, "u")


def test_all_cookies_allowed_on_the_banner_is_no_subscription(make_shop: MakeShop) -> None:
    """The click itself, which Segment's consent tool tells of, subscribed again who had left."""
    shop = make_shop()
    shop.send({"type": "track", "event": "Unsubscribed", "userId": "u"})
    clicked = "Segment Consent Preference Updated"
    shop.send({"type": "track", "event": clicked, "userId": "u", "context": ALLOWED})
    settings = ConsentSettings(marketing="required")
    with shop.store.read() as tx:
        u = shop.customer("u")
        assert not is_allowed(tx, settings, u, "marketing", "email")
        assert is_allowed(tx, settings, u, "marketing", "on_site")


@pytest.mark.parametrize("event", ["Unsubscribed", "Email Unsubscribed", "Email Marked as Spam"])
def test_who_leaves_by_mail_gets_no_more(make_shop: MakeShop, event: str) -> None:
    """These events of a mail provider were stored and meant nothing."""
    shop = make_shop()
    shop.send(identify("u", "a", email="u@shop.example", newsletter=True))
    shop.send({"type": "track", "event": event, "userId": "u", "properties": {"email_id": "1"}})
    assert said(shop, "u") == {("marketing", "email"): False}


@pytest.mark.parametrize(
    ("trait", "value", "channel"),
    [
        ("unsubscribed", True, "email"),
        ("marketing_consent", False, "email"),
        ("marketingConsent", "denied", "email"),
        ("emailOptIn", False, "email"),
        ("email-opt-in", "no", "email"),
        ("buyer_accepts_marketing", False, "email"),
        ("email_subscribe", "unsubscribed", "email"),
        ("smsOptIn", "0", "sms"),
        ("push_subscribe", "unsubscribed", "push"),
    ],
)
def test_a_trait_that_says_no_is_a_no(
    make_shop: MakeShop, trait: str, value: object, channel: str
) -> None:
    shop = make_shop()
    shop.send({"type": "identify", "userId": "u", "traits": {trait: value}})
    assert said(shop, "u") == {("marketing", channel): False}


def test_not_unsubscribed_is_no_consent(make_shop: MakeShop) -> None:
    shop = make_shop()
    shop.send({"type": "identify", "userId": "u", "traits": {"unsubscribed": False}})
    assert said(shop, "u") == {}
