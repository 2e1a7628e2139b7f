"""The consent page counts customers, and says what it was told."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from click.testing import CliRunner

from lingxi.app.people import count_consents
from lingxi.app.shop import Shop, init_shop
from lingxi.cli import main
from lingxi.clock import FixedClock
from lingxi.ingest.message import Message

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@contextmanager
def open_shop(folder: Path) -> Iterator[Shop]:
    shop = init_shop(
        folder, name="S", currency="GBP", timezone="UTC", language="en", clock=FixedClock(NOW)
    )
    yield shop
    shop.close()


def send(shop: Shop, *bodies: dict[str, object]) -> None:
    messages = [
        Message(body=body, raw=msgspec.json.encode(body), received_at=NOW, source="web")
        for body in ({"type": "track", "timestamp": NOW.isoformat(), **body} for body in bodies)
    ]
    shop.intake.take(messages)


def test_visitors_are_not_among_the_customers_who_said_no(tmp_path: Path) -> None:
    """Three visitors' refusals made "3 of 1 customers" said no."""
    with open_shop(tmp_path / "s") as shop:
        denied = {"consent": {"categoryPreferences": {"Advertising": False}}}
        send(
            shop,
            *[{"event": "E", "anonymousId": f"a{n}", "context": denied} for n in range(3)],
            {"event": "E", "userId": "u"},
        )
        view = count_consents(shop)
    [row] = [each for each in view.counts if (each.purpose, each.channel) == ("marketing", "email")]
    assert view.customers == 1
    assert (row.given, row.withdrawn, row.silent) == (0, 0, 1)


def test_the_version_of_the_text_is_shown(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    with open_shop(folder) as shop:
        said = {"purpose": "marketing", "channel": "email", "text_version": "terms-7"}
        send(shop, {"event": "Consent Given", "userId": "u", "properties": said})
    told = CliRunner().invoke(main, ["consent", "show", "u", "--shop", str(folder)])
    assert "terms-7" in told.output
