"""Customers and what they do, put straight into the log."""

from datetime import UTC, datetime, timedelta
from itertools import count

from lingxi.app.shop import Shop
from lingxi.ingest.identity import resolve_subjects
from lingxi.schema import Event, Line

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
_numbers = count(1)


def make_customers(shop: Shop, *names: str) -> list[int]:
    """Known customers of these ids."""
    found = resolve_subjects(shop.store, "user_id", names, known=True)
    return [found[name] for name in names]


def happen(
    name: str,
    subject: int,
    *,
    days_ago: float = 1.0,
    items: tuple[str, ...] = (),
    **fields: object,
) -> Event:
    """An event so long before ``NOW``; whole lines where items are named."""
    at = NOW - timedelta(days=days_ago)
    properties = fields.pop("properties", {})
    return Event(
        event_id=f"e{next(_numbers)}",
        name=name,
        occurred_at=at,
        received_at=NOW,
        subject=subject,
        lines=tuple(Line(item_id) for item_id in items),
        properties=properties,
        **fields,
    )
