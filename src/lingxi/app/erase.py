"""Erasure of a customer: every room forgets, identity last, and a receipt says what went."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from lingxi.app.rooms import FORGETTERS
from lingxi.ingest import find_customer

if TYPE_CHECKING:
    from lingxi.app.shop import Shop


class Receipt(msgspec.Struct, frozen=True):
    """What was erased: rows by room; ``signature`` is an HMAC with the shop's own secret."""

    request_id: str
    erased_at: datetime
    rows: Mapping[str, int]
    signature: str
