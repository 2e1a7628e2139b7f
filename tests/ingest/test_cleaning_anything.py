"""Whatever comes in is an event or has a reason, and the same both times."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.cleaned import NOW, RULES, Body, to_message
from lingxi.ingest.cleaning import clean
from lingxi.ingest.message import Cleaned, Dropped
from lingxi.schema.ecommerce import VOCABULARY

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4)
    ),
    max_leaves=12,
)
FIELDS = st.sampled_from(
    [
        "type",
        "event",
        "messageId",
        "userId",
        "anonymousId",
        "previousId",
        "groupId",
        "properties",
        "traits",
        "context",
        "timestamp",
        "sentAt",
        "originalTimestamp",
        "name",
        "category",
    ]
)
PROPERTY = st.sampled_from(
    [
        "product_id",
        "products",
        "quantity",
        "price",
        "total",
        "revenue",
        "order_id",
        "currency",
        "query",
        "email",
        "filters",
        "purposes",
        "purpose",
        "channel",
        "items",
        "id",
    ]
)


@st.composite
def bodies(draw: st.DrawFn) -> Body:
    body: Body = draw(st.dictionaries(FIELDS, JSON, max_size=8))
    if draw(st.booleans()):
        body["type"] = draw(st.sampled_from(["track", "identify", "alias", "page", "group"]))
    if draw(st.booleans()):
        body["event"] = draw(st.sampled_from([*VOCABULARY, "Consent Given", "Logged Out", "x"]))
    if draw(st.booleans()):
        body["properties"] = draw(st.dictionaries(PROPERTY | st.text(max_size=8), JSON, max_size=6))
    return body


@settings(max_examples=400, deadline=None)
@given(bodies(), st.booleans())
def test_whatever_comes_is_an_event_or_has_a_reason(body: Body, trusted: bool) -> None:
    raw = repr(body).encode("utf-8", "replace")
    message = msgspec.structs.replace(to_message({}), body=body, raw=raw, trusted=trusted)
    once, twice = clean(message, RULES), clean(message, RULES)
    if isinstance(once, Dropped):
        assert isinstance(twice, Dropped)
        assert once.reason == twice.reason
        return
    assert isinstance(twice, Cleaned)
    for event in (once.event, *once.also):
        payload = msgspec.json.encode(event)
        assert msgspec.json.decode(payload, type=type(event)).event_id == event.event_id
        assert event.occurred_at <= NOW
    if body.get("messageId") or body.get("timestamp"):
        assert once.event.event_id == twice.event.event_id
    assert all(line.quantity > 0 for line in once.event.lines)
