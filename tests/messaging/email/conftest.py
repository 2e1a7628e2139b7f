"""Letters, links and a mail server that does what it is told."""

import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from sink import RunningSink, Sink

from lingxi.messaging.email.address import read_address
from lingxi.messaging.email.links import Links
from lingxi.messaging.email.mime import Letter, Mailbox

NOON = datetime(2026, 6, 30, 12, tzinfo=UTC)
MESSAGE = "0123456789abcdef" * 2
HASH = "aa" * 32


@pytest.fixture
def links() -> Links:
    return Links(b"k" * 32, "https://mail.shop.example")


@pytest.fixture
def make_letter(links: Links) -> Callable[..., Letter]:
    """A marketing letter; what is named is as given."""

    def make(**said: object) -> Letter:
        values: dict[str, object] = {
            "message_id": MESSAGE,
            "domain": "shop.example",
            "sender": Mailbox(read_address("hello@shop.example"), "Shop"),
            "recipient": Mailbox(read_address("mei@customer.example"), "林美"),
            "subject": "Your cart",
            "text": "Hello",
            "html": "<p>Hello</p>",
            "date": NOON,
            "marketing": True,
            "unsubscribe_url": links.unsubscribe(MESSAGE, 7, HASH, "offers"),
            "preferences_url": links.preferences(MESSAGE, 7, HASH),
            "feedback": ("offers", "marketing"),
            "shop": "My shop",
        }
        return Letter(**{**values, **said})  # type: ignore[arg-type]

    return make


@pytest.fixture
def sink() -> Iterator[RunningSink]:
    running = RunningSink(Sink())
    yield running
    running.stop()
