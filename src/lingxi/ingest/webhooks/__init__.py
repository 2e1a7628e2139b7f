"""Webhooks of shop platforms: checked, and put in the terms of the Segment specification."""

from lingxi.ingest.webhooks.reading import PersonRequest, Reading
from lingxi.ingest.webhooks.shopify import read_shopify
from lingxi.ingest.webhooks.verify import Delivery, is_ping, read_delivery, verify
from lingxi.ingest.webhooks.woocommerce import read_woocommerce

__all__ = [
    "Delivery",
    "PersonRequest",
    "Reading",
    "is_ping",
    "read_delivery",
    "read_shopify",
    "read_woocommerce",
    "verify",
]
