"""Messages as a client sends them, and what cleaning makes of them."""

from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path

import msgspec

from lingxi.config import CleaningSettings, Settings, ShopSettings
from lingxi.ingest.cleaning import Rules, clean
from lingxi.ingest.message import Cleaned, Dropped, Message

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/126.0 Safari/537.36"
Body = dict[str, object]


def euros(currency: str, _day: date) -> Fraction | None:
    return {"EUR": Fraction(4, 5)}.get(currency)


RULES = Rules.of(
    Settings(
        folder=Path(),
        shop=ShopSettings(currency="GBP"),
        cleaning=CleaningSettings(
            internal_agents=("ShopTest/",),
            internal_addresses=("203.0.113.0/24",),
            internal_domains=("shop.example",),
        ),
    ),
    euros,
)


def send(body: Body, **fields: object) -> Cleaned | Dropped:
    return clean(to_message(body, **fields), RULES)


def to_message(body: Body, **fields: object) -> Message:
    message = Message(
        body=body, raw=msgspec.json.encode(body), received_at=NOW, source="web", agent=CHROME
    )
    for name, value in fields.items():
        msgspec.structs.force_setattr(message, name, value)
    return message


def kept(body: Body, **fields: object) -> Cleaned:
    result = send(body, **fields)
    assert isinstance(result, Cleaned), result
    return result


def track(event: str, properties: Body | None = None, **more: object) -> Body:
    return {
        "type": "track",
        "event": event,
        "messageId": "m1",
        "userId": "u1",
        "properties": properties or {},
        **more,
    }


def reasons(cleaned: Cleaned | Dropped) -> set[str]:
    return {step.reason.value for step in cleaned.steps}
