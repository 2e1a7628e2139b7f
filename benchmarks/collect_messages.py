"""Messages as a shop's pages send them, for the benchmarks of the collector: bytes, built once."""

import base64
import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

CUSTOMERS, ITEMS = 20_000, 2_000
_SENT = b'],"sentAt":"'
_SPREAD, _ALL = 0x9E3779B97F4A7C15F39CC0605CEDC835, 2**128 - 1
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


def make_message(rng: random.Random, number: str, now: datetime) -> bytes:
    """One message with the context that a browser's client adds, about 700 bytes.

    ``number`` is its messageId, and part of the number of an order.
    """
    customer = rng.randrange(CUSTOMERS)
    kinds, weights = zip(*MIX, strict=True)
    kind = rng.choices(kinds, weights)[0]
    item = int(ITEMS * rng.random() ** 2)
    path = f"/products/p{item}"
    message: dict[str, object] = {
        "type": kind if kind in ("page", "identify") else "track",
        "messageId": number,
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


def _about(kind: str, item: int, number: str) -> dict[str, object]:
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
    return [make_message(rng, name_message((seed << 40) + i), moment) for i in range(n)]


def name_message(number: int) -> str:
    """A messageId of 32 letters that looks random, another one for each number below 2**128."""
    return f"{number * _SPREAD & _ALL:032x}"


@dataclass(frozen=True)
class Template:
    """A request of ``size`` messages, all its bytes but the ids."""

    pieces: Sequence[bytes]
    owners: Sequence[int]
    size: int

    def fill(self, first: int) -> bytes:
        """The request with the ids of the messages numbered from ``first`` on, sent now."""
        names = [name_message(first + i).encode() for i in range(self.size)]
        parts = [self.pieces[0]]
        for owner, piece in zip(self.owners, self.pieces[1:], strict=True):
            parts.append(names[owner])
            parts.append(piece)
        return stamp(b"".join(parts))


def make_template(size: int, key: str, seed: int) -> Template:
    """A request to ``/v1/batch``, or with one message to the address of its kind."""
    rng, now = random.Random(seed), datetime.now(UTC)
    marks = [f"@{i:031d}" for i in range(size)]
    messages = [make_message(rng, mark, now) for mark in marks]
    if size == 1:
        body, path = messages[0], json.loads(messages[0])["type"]
    else:
        body, path = next(make_batches(messages, size)), "batch"
    basic = base64.b64encode(f"{key}:".encode()).decode()
    head = (
        f"POST /v1/{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Basic {basic}\r\n"
        f"Content-Type: application/json\r\nUser-Agent: benchmark\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    pieces = re.split(rb"@(\d{31})", head.encode() + body)
    return Template(pieces[::2], [int(mark) for mark in pieces[1::2]], size)


def make_batches(messages: Sequence[bytes], size: int = 100) -> Iterator[bytes]:
    """Bodies of ``/v1/batch`` requests."""
    sent = _now()
    for start in range(0, len(messages), size):
        batch = b",".join(messages[start : start + size])
        yield b'{"batch":[' + batch + _SENT + sent + b'"}'


def stamp(body: bytes) -> bytes:
    """A batch as its client would send it now; other bodies as they are.

    A client says when it sent: an old moment would have the server correct each message's clock.
    """
    before, sent, _ = body.rpartition(_SENT)
    return before + sent + _now() + b'"}' if sent else body


def _now() -> bytes:
    return datetime.now(UTC).isoformat(timespec="milliseconds").encode()
