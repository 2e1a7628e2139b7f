"""Messages as GA4, Meta, PostHog and consent managers write them: lists, long ids, stamps."""

import pytest

from ingest.cleaned import kept, track
from lingxi.schema.ecommerce import VOCABULARY

LISTED = [{"item_id": "p1", "item_price": "10.01", "item_quantity": 3}, {"item_id": "p2"}]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("add_to_cart", {"items": LISTED}),
        ("view_item", {"items": LISTED}),
        ("remove_from_cart", {"items": LISTED}),
        ("add_to_wishlist", {"items": LISTED}),
        ("AddToCart", {"content_ids": ["x"], "contents": LISTED}),
    ],
)
def test_an_event_of_products_in_a_list_is_theirs(name: str, said: dict[str, object]) -> None:
    """GA4 and Meta tell of one product in a list; the event was the shop's own, of no product."""
    event = kept(track(name, {"currency": "GBP", "value": 30.03, **said})).event
    assert event.name in VOCABULARY
    assert [(x.item_id, x.quantity, x.price_cents) for x in event.lines] == [
        ("p1", 3, 1001),
        ("p2", 1, None),
    ]


def test_a_list_of_ids_names_products() -> None:
    for name in ("ViewContent", "Product List Viewed", "Purchase"):
        event = kept(track(name, {"content_ids": ["a", 2], "value": 5})).event
        assert [x.item_id for x in event.lines] == ["a", "2"]


def test_a_review_is_of_its_product_and_choices_of_one_type_stay() -> None:
    review = kept(track("Product Reviewed", {"product_id": "p1", "rating": 5})).event
    assert [x.item_id for x in review.lines] == ["p1"]
    chosen = [{"type": "colour", "value": "red"}, {"type": "colour", "value": "blue"}]
    listed = kept(track("Product List Filtered", {"list_id": "l", "filters": chosen})).event
    assert listed.properties["filters.colour"] == "red, blue"


@pytest.mark.parametrize("number", [1_234_567_890_123_456_789, 2**64 - 1, 10**30])
def test_a_number_of_many_digits_is_an_id(number: int) -> None:
    """Ids of 64 bits were left out without a word, and the event was a stranger's."""
    told = kept({**track("Product Viewed", {"product_id": number}), "userId": number})
    assert told.identifiers[0].value == str(number)
    assert told.event.lines[0].item_id == str(number)


@pytest.mark.parametrize("text", ['[{"id": "p1", "price": 5}]', '{"id": "p1", "price": 5}'])
def test_products_written_as_text_are_products(text: str) -> None:
    """A tag manager's JSON in a text became the id of an item."""
    order = kept(track("Order Completed", {"order_id": "1", "products": text})).event
    assert [(x.item_id, x.amount_cents) for x in order.lines] == [("p1", 500)]


def test_a_consent_managers_stamp_is_read_on_any_message_and_a_refusal_goes_first() -> None:
    managed = {"deniedConsentIds": ["C0004"], "allowedConsentIds": ["C0005", "functional"]}
    body = {**track("Quiz Finished", {"source": "quiz"}), "context": {"consentManagement": managed}}
    said = [(e.name, e.properties["purpose"], e.properties["source"]) for e in kept(body).also]
    assert said == [
        ("Consent Withdrawn", "marketing", "web"),
        ("Consent Given", "personalisation", "web"),
    ]


def test_a_banner_named_at_a_login_subscribes_nobody_to_letters_again() -> None:
    """The stamp stands on ``identify`` too; who had unsubscribed was written to again."""
    context = {"consent": {"categoryPreferences": {"Advertising": True}}}
    who = kept({"type": "identify", "userId": "u", "traits": {}, "context": context})
    assert [e.properties["channel"] for e in who.also] == ["on_site"]
