"""Who sent a webhook: the signature over its raw bytes, and which delivery it is.

Sources: Shopify, "Verify a webhook" (``X-Shopify-Hmac-Sha256``); WooCommerce, "Webhooks"
(``X-WC-Webhook-Signature``). Both are base64 of HMAC-SHA256 of the raw body. SHOPLINE signs as
Shopify does, under headers of its own name.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from lingxi.ingest.cleaning.moments import read_moment

_SIGNATURES = ("x-shopify-hmac-sha256", "x-shopline-hmac-sha256", "x-wc-webhook-signature")
_TOPICS = ("x-shopify-topic", "x-shopline-topic", "x-wc-webhook-topic")
_DELIVERIES = ("x-shopify-webhook-id", "x-shopline-webhook-id", "x-wc-webhook-delivery-id")
_MOMENTS = ("x-shopify-triggered-at", "x-shopline-triggered-at")
_LONGEST = 200


class Delivery(msgspec.Struct, frozen=True):
    """What the headers of a webhook say; empty where they say nothing."""

    topic: str
    delivery_id: str
    triggered_at: datetime | None


def sign(secret: str, body: bytes) -> str:
    """The signature of a body.

    >>> sign("secret", b"{}")
    'dzJZAsrKgS3CWXM6rNBGtzgXNyx3e42VtAJkdHRRbhM='
    """
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def verify(headers: Mapping[str, str], body: bytes, secrets: Iterable[str]) -> bool:
    """Whether the body was signed with one of the secrets, in constant time."""
    given = _first(headers, _SIGNATURES)
    if not given:
        return False
    wanted = given.encode("utf-8", "replace")
    answers = [hmac.compare_digest(sign(s, body).encode(), wanted) for s in secrets]
    return True in answers


def read_delivery(headers: Mapping[str, str]) -> Delivery:
    """Topic, id and moment of a delivery."""
    return Delivery(
        _first(headers, _TOPICS)[:_LONGEST].lower(),
        _first(headers, _DELIVERIES)[:_LONGEST],
        read_moment(_first(headers, _MOMENTS)),
    )


def is_ping(headers: Mapping[str, str], body: bytes) -> bool:
    """Whether it is the unsigned ``webhook_id=N`` that WooCommerce sends when a webhook is made.

    >>> is_ping({}, b"webhook_id=12"), is_ping({}, b'{"id": 1}')
    (True, False)
    """
    return not _first(headers, _TOPICS) and body.startswith(b"webhook_id=") and len(body) < 40


def _first(headers: Mapping[str, str], names: Iterable[str]) -> str:
    return next((headers[name] for name in names if headers.get(name)), "")
