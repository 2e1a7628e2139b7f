"""Messages as a shop's pages send them, for the benchmarks of the collector: bytes, built once."""

import json
import random
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

CUSTOMERS, ITEMS, VISIT = 20_000, 2_000, 8
AGENT = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/131.0.0.0 Safari/537.36"
)
MIX = (
    ("Product Viewed", 0.62),
    ("page", 0.16),
    ("Products Searched", 0.08),
    ("Product Added", 0.10),
    ("Order Completed", 0.03),
    ("identify", 0.01),
)
"""What a shop's visitors do, by share."""


def make_message(rng: random.Random, number: int, now: datetime) -> bytes:
    """One message with the context that a browser's client adds, about 700 bytes."""
    customer = rng.randrange(CUSTOMERS)
    kinds, weights = zip(*MIX, strict=True)
    kind = rng.choices(kinds, weights)[0]
    item = int(ITEMS * rng.random() ** 2)
    path = f"/products/p{item}"
    message: dict[str, object] = {
        "type": kind if kind in ("page", "identify") else "track",
        "messageId": str(uuid.UUID(int=rng.getrandbits(128), version=4)),
        "anonymousId": f"a{customer:08d}-7b1c-4c1e-9d2a-{customer:012x}",
        "userId": f"u{customer}" if customer % 3 else None,
        "timestamp": (now - timedelta(seconds=rng.random() * 5)).isoformat(timespec="milliseconds"),
        "context": {
            "library": {"name": "analytics.js", "version": "npm:next-1.84.3"},
            "locale": "en-GB",
            "timezone": "Europe/London",
            "userAgent": AGENT,
            "page": {
                "path": path,
                "referrer": "",
                "search": "",
                "title": f"Product {item}",
                "url": f"https://shop.example{path}",
            },
        },
        "integrations": {},
    }
    message |= _about(kind, item, number)
    return json.dumps(message, separators=(",", ":")).encode()


def _about(kind: str, item: int, number: int) -> dict[str, object]:
    if kind == "page":
        return {"name": "Home", "properties": {"path": "/", "url": "https://shop.example/"}}
    if kind == "identify":
        return {"traits": {"plan": "gold", "age": 33}}
    product = {
        "product_id": f"p{item}",
        "sku": f"S{item}",
        "name": f"Product {item}",
        "category": f"Category {item % 40}",
        "price": 5 + item % 90 + 0.99,
        "quantity": 1,
    }
    if kind == "Products Searched":
        return {"event": kind, "properties": {"query": f"thing {item % 300}"}}
    if kind == "Order Completed":
        products = [product | {"product_id": f"p{(item + i) % ITEMS}"} for i in range(3)]
        total = round(sum(float(str(p["price"])) for p in products), 2)
        order = {"order_id": f"O{number}", "total": total + 3.95, "revenue": total}
        return {"event": kind, "properties": order | {"currency": "GBP", "products": products}}
    return {"event": kind, "properties": product | {"currency": "GBP"}}


def make_messages(n: int, *, seed: int = 1, now: datetime | None = None) -> list[bytes]:
    """``n`` messages, the same for the same seed and moment."""
    rng = random.Random(seed)
    moment = now or datetime.now(UTC)
    return [make_message(rng, seed * 10**9 + i, moment) for i in range(n)]


def make_batches(messages: Sequence[bytes], size: int = 100) -> Iterator[bytes]:
    """Bodies of ``/v1/batch`` requests."""
    sent = datetime.now(UTC).isoformat(timespec="milliseconds").encode()
    for start in range(0, len(messages), size):
        batch = b",".join(messages[start : start + size])
        yield b'{"batch":[' + batch + b'],"sentAt":"' + sent + b'"}'
