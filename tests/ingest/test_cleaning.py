"""Cleaning one message: what it means, what is mended, what is set aside and why."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from ingest.cleaned import CHROME, NOW, Body, kept, reasons, send, track
from lingxi.ingest.cleaning import STEPS
from lingxi.ingest.message import Dropped, IdKind, Link
from lingxi.ingest.reasons import DropReason, PutReason
from lingxi.schema.ecommerce import VOCABULARY


def test_an_order_becomes_lines_goods_and_costs() -> None:
    order = kept(
        track(
            "Order Completed",
            {
                "order_id": "A-1",
                "total": 27.5,
                "revenue": 25,
                "shipping": 2,
                "tax": 0.5,
                "currency": "GBP",
                "coupon": "SPRING",
                "products": [
                    {"product_id": "p1", "quantity": 2, "price": 10, "category": "Mugs"},
                    {"sku": "s2", "price": "5.00"},
                ],
            },
        )
    )
    event = order.event
    assert event.event_id == "web:m1"
    assert [(x.item_id, x.quantity, x.price_cents, x.amount_cents) for x in event.lines] == [
        ("p1", 2, 1000, 2000),
        ("s2", 1, 500, 500),
    ]
    assert (event.order_id, event.amount_cents, event.cost_cents) == ("A-1", 2500, 250)
    assert (event.category, event.properties["coupon"]) == ("Mugs", "SPRING")
    assert reasons(order) == {"item_from_sku", "number_read"}


@pytest.mark.parametrize("total", ["10 EUR", "10,00 €", "EUR 10", "eur10.00"])
def test_the_currency_beside_an_amount_counts_where_none_is_named(total: str) -> None:
    """10 EUR was 10 of the shop's own currency."""
    order = kept(track("Order Completed", {"order_id": "1", "total": total, "products": []}))
    assert (order.event.amount_cents, order.event.currency) == (800, "GBP")
    assert order.event.properties["original_currency"] == "EUR"
    view = kept(track("Product Viewed", {"product_id": "a", "price": total}))
    assert view.event.lines[0].price_cents == 800
    named = {"order_id": "1", "total": total, "currency": "GBP", "products": []}
    assert kept(track("Order Completed", named)).event.amount_cents == 1000


def test_amounts_of_two_currencies_are_no_order() -> None:
    line = {"product_id": "a", "price": "9 USD", "quantity": 1}
    said = {"order_id": "1", "total": "10 EUR", "products": [line]}
    lost = send(track("Order Completed", said))
    assert isinstance(lost, Dropped)
    assert (lost.reason, lost.detail) == (DropReason.CURRENCY_UNKNOWN, "EUR, USD")


def test_another_currency_is_converted_at_the_rate_of_its_day() -> None:
    order = kept(
        track("Order Completed", {"order_id": "1", "total": 10, "currency": "eur", "products": []})
    )
    assert (order.event.amount_cents, order.event.currency) == (800, "GBP")
    assert order.event.properties["original_currency"] == "EUR"
    assert order.event.properties["original_total_cents"] == 1000
    assert "currency_converted" in reasons(order)


@pytest.mark.parametrize("name", sorted(VOCABULARY))
def test_every_event_of_the_specification_is_known_by_its_other_spellings(name: str) -> None:
    properties = {"product_id": "p1", "order_id": "o1", "products": [{"product_id": "p1"}]}
    for spelling in (name, name.lower(), name.lower().replace(" ", "_"), name.replace(" ", "")):
        assert kept(track(spelling, properties)).event.name == name


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("Viewed Product Category", "Product List Viewed"),
        ("Viewed Product", "Product Viewed"),
        ("Added Product", "Product Added"),
        ("Removed Product", "Product Removed"),
        ("Clicked Promotion", "Promotion Clicked"),
        ("Viewed Checkout Step", "Checkout Step Viewed"),
        ("Completed Checkout Step", "Checkout Step Completed"),
        ("Completed Order", "Order Completed"),
        ("Started Checkout", "Checkout Started"),
        ("Refunded Order", "Order Refunded"),
    ],
)
def test_the_names_of_the_specifications_first_version_are_known(said: str, name: str) -> None:
    assert kept(track(said, {"product_id": "p1", "order_id": "o1"})).event.name == name


def test_the_value_of_a_purchase_without_prices_is_its_goods() -> None:
    goods = {"value": 30.0, "shipping": 5, "currency": "GBP", "items": [{"item_id": "p1"}]}
    order = kept(track("purchase", {"transaction_id": "t1", **goods})).event
    assert (order.order_id, order.amount_cents, order.cost_cents) == ("t1", 3000, 500)


@pytest.mark.parametrize(
    "said",
    [
        {"total": "abc"},
        {"total": "abc", "products": [{"product_id": "p1", "quantity": 1}]},
        {"products": [{"product_id": "p1", "price": "TBD", "quantity": 1}]},
        {"total": 10, "products": [{"product_id": "p1", "price": 10, "quantity": "two"}]},
        {"total": 10, "products": [{"product_id": "p1", "price": 10, "quantity": 10**30}]},
    ],
)
def test_an_order_whose_money_cannot_be_read_is_set_aside_and_not_worth_nothing(said: Body) -> None:
    result = send(track("Order Completed", {"order_id": "o1", **said}))
    assert isinstance(result, Dropped)
    assert result.reason == DropReason.NUMBER_UNREADABLE


@pytest.mark.parametrize(
    ("said", "cents"),
    [
        ({"total": "abc", "products": [{"product_id": "p1", "price": 10}]}, 1000),
        ({"total": 10, "products": [{"product_id": "p1", "price": "TBD"}]}, 1000),
        ({"total": 10, "discount": "n/a"}, 1000),
        ({"total": "", "products": [{"product_id": "p1", "quantity": ""}]}, 0),
    ],
)
def test_a_number_on_which_no_money_hangs_is_left_out(said: Body, cents: int) -> None:
    assert kept(track("Order Completed", {"order_id": "o1", **said})).event.amount_cents == cents


def test_a_name_that_only_resembles_a_product_event_stays_the_shops_own() -> None:
    custom = kept(track("click", {"button": "buy", "size": 3}))
    assert custom.event.name == "click"
    assert custom.event.properties == {"button": "buy", "size": 3}
    assert kept(track("click", {"item_id": 7})).event.name == "Product Viewed"


def test_properties_in_other_spellings_reach_the_same_columns() -> None:
    one = kept(track("Product Added", {"productId": "p", "qty": "2", "unitPrice": "£1,234.50"}))
    assert (
        one.event.lines[0]
        == kept(
            track("Product Added", {"product_id": "p", "quantity": 2, "price": 1234.5})
        ).event.lines[0]
    )


def test_time_is_the_servers_as_the_specification_says() -> None:
    body = track("Quiz", originalTimestamp="2030-01-01T00:00:00Z", sentAt="2030-01-01T00:00:30Z")
    corrected = kept(body)
    assert corrected.event.occurred_at == NOW - timedelta(seconds=30)
    assert "time_corrected" in reasons(corrected)
    trusted = kept(
        track("Quiz", timestamp="2020-01-01T00:00:00Z", sentAt="2020-01-02"), trusted=True
    )
    assert trusted.event.occurred_at == datetime(2020, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("timestamp", "reason"),
    [
        ("2027-01-01T00:00:00Z", "time_future"),
        ("1970-01-01T00:00:00Z", "time_ancient"),
        ("yesterday", "time_received"),
        (True, "time_received"),
        (1e300, "time_received"),
    ],
)
def test_a_moment_that_cannot_be_becomes_that_of_arrival(timestamp: object, reason: str) -> None:
    bounded = kept(track("Quiz", timestamp=timestamp))
    assert bounded.event.occurred_at == NOW
    assert reason in reasons(bounded)


@pytest.mark.parametrize(
    ("body", "fields", "reason"),
    [
        ({}, {}, DropReason.LINE_MALFORMED),
        ({"a": 1}, {"refused": DropReason.EVENT_TOO_LARGE}, DropReason.EVENT_TOO_LARGE),
        (track("x", type="dance"), {}, DropReason.TYPE_UNKNOWN),
        ({"type": "track", "userId": "u"}, {}, DropReason.EVENT_MISSING),
        (track("Stage Changed"), {}, DropReason.EVENT_RESERVED),
        (track("x", userId="null"), {}, DropReason.VISITOR_MISSING),
        (track("x", context={"userAgent": "Googlebot/2.1"}), {}, DropReason.BOT),
        (track("x"), {"agent": "Mozilla/5.0 (compatible; bingbot/2.0)"}, DropReason.BOT),
        (track("x", context={"purpose": "prefetch"}), {}, DropReason.PREFETCH),
        (track("x", context={"userAgent": "ShopTest/1"}), {}, DropReason.INTERNAL_TRAFFIC),
        (track("x"), {"address": "203.0.113.9"}, DropReason.INTERNAL_TRAFFIC),
        (
            {"type": "identify", "userId": "u", "traits": {"email": "ada@shop.example"}},
            {},
            DropReason.INTERNAL_TRAFFIC,
        ),
        (track("Product Viewed"), {}, DropReason.ITEM_MISSING),
        (
            track("Product Added", {"product_id": "p", "quantity": -1}),
            {},
            DropReason.QUANTITY_NEGATIVE,
        ),
        (track("Product Viewed", {"product_id": "p", "price": -1}), {}, DropReason.PRICE_NEGATIVE),
        (track("Product Viewed", {"product_id": "p", "price": 1e9}), {}, DropReason.NUMBER_ABSURD),
        (
            track("Order Completed", {"total": 1, "currency": "XXQ"}),
            {},
            DropReason.CURRENCY_UNKNOWN,
        ),
        (
            track("Order Completed", {"total": 1, "currency": "USD", "products": []}),
            {},
            DropReason.CURRENCY_RATE_MISSING,
        ),
        (
            track("x", timestamp="1970-01-01T00:00:00Z"),
            {"trusted": True},
            DropReason.TIME_IMPOSSIBLE,
        ),
    ],
)
def test_what_nothing_can_be_done_with_is_set_aside(
    body: Body, fields: Body, reason: DropReason
) -> None:
    dropped = send(body, **fields)
    assert isinstance(dropped, Dropped)
    assert dropped.reason == reason
    assert dropped.step in {step.__name__ for step in STEPS}


def test_identify_says_who_and_what_of_them() -> None:
    who = kept(
        {
            "type": "identify",
            "messageId": "m",
            "userId": 17850,
            "anonymousId": "a1",
            "traits": {
                "email": " Ada@Mail.Example ",
                "firstName": "Ada",
                "phone": "+44 20 7946 0018",
                "address": {"city": "London"},
                "plan": None,
                "password": "hunter2",
                "email_marketing_consent": {"state": "subscribed"},
            },
            "context": {"externalIds": [{"id": "99", "type": "shopify"}], "device": {"id": "d1"}},
        }
    )
    assert [(i.kind, i.value) for i in who.identifiers] == [
        (IdKind.USER, "17850"),
        (IdKind.EMAIL, "ada@mail.example"),
        (IdKind.PHONE, "+442079460018"),
        (IdKind.EXTERNAL, "99"),
        (IdKind.DEVICE, "d1"),
        (IdKind.ANONYMOUS, "a1"),
    ]
    assert who.link == Link.IDENTIFY
    assert who.traits["first_name"] == "Ada"
    assert who.traits["address.city"] == "London"
    assert who.traits["plan"] is None
    assert "password" not in who.traits
    consent = who.also[0]
    assert (consent.name, consent.properties["purpose"], consent.properties["channel"]) == (
        "Consent Given",
        "marketing",
        "email",
    )


def test_traits_in_the_context_count_as_those_of_identify() -> None:
    who = kept({"type": "identify", "userId": "u", "context": {"traits": {"email": "a@b.co"}}})
    assert who.traits == {"email": "a@b.co"}


@pytest.mark.parametrize(
    ("said", "granted"),
    [
        *((yes, True) for yes in ("Ja", "是", "Opted-in", "WAHR", "oui", "x")),
        *((no, False) for no in ("Nein", "否", "不同意", "Opted out", "FALSCH", "abgemeldet")),
    ],
)
def test_consent_is_read_in_the_languages_of_the_columns(said: str, granted: bool) -> None:
    traits = {"accepts_marketing": said}
    who = kept({"type": "identify", "messageId": "m", "userId": "u", "traits": traits})
    assert [e.name for e in who.also] == ["Consent Given" if granted else "Consent Withdrawn"]


def test_an_answer_to_consent_that_cannot_be_read_is_counted() -> None:
    said = {"accepts_marketing": "maybe later"}
    who = kept({"type": "identify", "messageId": "m", "userId": "u", "traits": said})
    assert who.also == ()
    assert "value_dropped" in reasons(who)


@pytest.mark.parametrize(
    "value",
    [None, "", "0", "000", "-1", "null", "undefined", "anonymous", "0000-0000", "guest", "true"],
)
def test_a_placeholder_identifies_nobody(value: str | None) -> None:
    dropped = send({"type": "track", "event": "x", "userId": value})
    assert isinstance(dropped, Dropped)
    assert dropped.reason == DropReason.VISITOR_MISSING


def test_what_may_identify_somebody_never_stands_in_the_event() -> None:
    order = kept(
        track(
            "Product Reviewed",
            {
                "product_id": "p",
                "review_body": "I, Ada Lovelace, like it",
                "rating": 5,
                "customer_email": "ada@mail.example",
                "shipping_address": {"street": "St James's Square"},
                "contact": "ada@mail.example",
                "color": "blue",
                "card_number": "4111111111111111",
            },
            context={
                "ip": "198.51.100.7",
                "page": {"url": "https://s.example/p?email=ada@mail.example", "title": "Hi Ada"},
                "userAgent": CHROME,
            },
        )
    )
    written = msgspec.json.encode(order.event).decode()
    for secret in ("Ada", "ada@mail", "Square", "198.51", "4111"):
        assert secret not in written
    assert order.event.properties["color"] == "blue"
    assert order.event.properties["path"] == "/p"
    assert order.private["customer_email"] == "ada@mail.example"
    assert "4111111111111111" not in str(order.private)
    assert {"kept_private", "secret_dropped"} <= reasons(order)


def test_a_page_is_told_by_its_context_or_by_its_properties() -> None:
    at = {"url": "https://s.example/women/hats?a=1", "referrer": "https://search.example/?q=hat"}
    page = {"type": "page", "messageId": "m", "userId": "u", "name": "Hats"}
    for said in ({"properties": at}, {"context": {"page": at}}, {"properties": at, "context": {}}):
        event = kept({**page, **said}).event
        assert event.properties["path"] == "/women/hats"
        assert event.properties["referrer_host"] == "search.example"
        assert "q=hat" not in msgspec.json.encode(event).decode()
    both = {"properties": {"path": "/a", "url": 7}, "context": {"page": {"path": "/b"}}}
    assert kept({**page, **both}).event.properties["path"] == "/b"
    empty = {"properties": {"path": "/a"}, "context": {"page": {"path": ""}}}
    assert kept({**page, **empty}).event.properties["path"] == "/a"
    hers = {"properties": {"url": "https://s.example/ada@mail.example"}}
    assert "path" not in kept({**page, **hers}).event.properties


def test_damaged_letters_are_mended() -> None:
    mended = kept(track("Products Searched", {"query": "cafÃ© crÃ¨me"}))
    assert mended.event.query == "café crème"
    assert "encoding_mended" in reasons(mended)


def test_a_change_of_consent_is_an_event_for_each_purpose() -> None:
    change = kept(
        track(
            "Consent Updated",
            {"purposes": {"marketing": False, "analytics": True}, "text_version": "v3"},
        )
    )
    said = {(e.name, e.properties["purpose"]) for e in (change.event, *change.also)}
    assert said == {("Consent Withdrawn", "marketing"), ("Consent Given", "analytics")}
    assert change.event.event_id == "web:m1"
    assert change.event.properties["text_version"] == "v3"


def test_a_message_without_an_id_counts_by_its_bytes_when_it_says_when() -> None:
    body = {"type": "track", "event": "x", "userId": "u", "timestamp": "2026-02-01T00:00:00Z"}
    assert kept(body).event.event_id == kept(dict(body)).event.event_id
    untimed = {"type": "track", "event": "x", "userId": "u"}
    assert kept(untimed).event.event_id != kept(untimed).event.event_id


def test_an_order_of_a_shops_own_server_needs_no_person() -> None:
    body = {"type": "track", "event": "Order Completed", "properties": {"products": ["p1"]}}
    assert isinstance(send(body), Dropped)
    basket = kept(body, trusted=True)
    assert basket.identifiers == ()
    assert [line.item_id for line in basket.event.lines] == ["p1"]


def test_reasons_of_messages_have_words() -> None:
    from lingxi.i18n.catalogue import load_catalogue

    for language in ("en", "zh"):
        words = load_catalogue(language)
        for reason in (*DropReason, *PutReason):
            assert f"clean.reason.{reason.value}" in words
