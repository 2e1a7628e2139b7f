"""An order in another currency from the message to the profile, by the commands an owner types."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from lingxi.app.shop import Shop, init_shop
from lingxi.cli import main
from lingxi.clock import FixedClock
from lingxi.ingest.message import Message

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
RATES = "Date,USD,GBP\n2026-02-27,1.25,0.8\n"


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def shop(tmp_path: Path, clock: FixedClock) -> Iterator[Shop]:
    folder = tmp_path / "shop"
    init_shop(folder, name="S", currency="GBP", timezone="UTC", language="en").close()
    shop = Shop.open(folder, clock=clock, environ={})
    yield shop
    shop.close()


def order(number: str, currency: str) -> Message:
    body = {
        "type": "track",
        "event": "Order Completed",
        "messageId": f"m{number}",
        "userId": "ada",
        "properties": {
            "order_id": number,
            "currency": currency,
            "products": [{"product_id": "mug", "quantity": 2, "price": 10}],
        },
        "timestamp": NOW.isoformat(),
    }
    raw = msgspec.json.encode(body)
    return Message(body=body, raw=raw, received_at=NOW, source="web")


def run(shop: Shop, *args: str) -> str:
    result = CliRunner().invoke(main, [*args, "--shop", str(shop.settings.folder)])
    assert result.exit_code == 0, result.output
    return result.output


def test_an_order_waits_for_its_rate_and_counts_once(shop: Shop, clock: FixedClock) -> None:
    outcomes = shop.intake.take([order("1", "GBP"), order("2", "USD")])
    assert [o.result for o in outcomes] == ["stored", "dropped"]
    for listing in ("quality", "quarantine list"):
        assert "wait: currency_rate_missing 1." in run(shop, *listing.split())
    file = shop.settings.folder / "rates.csv"
    file.write_text(RATES)
    told = run(shop, "rates", "import", str(file))
    assert "Kept 2 rates of 2 currencies against EUR, 2026-02-27 to 2026-02-27." in told
    assert "1 in quarantine wait" in told
    command = told.split("rate: lingxi ")[1].split()
    assert command == ["quarantine", "replay", "--reason", "currency_rate_missing"]
    assert "1 messages taken" in run(shop, *command)
    clock.advance(timedelta(seconds=3))
    assert shop.intake.take([order("2", "USD")])[0].result == "duplicate"
    profile = shop.answers.customer("ada")
    assert (profile.orders, profile.revenue_cents) == (2, 3280)
    again = CliRunner().invoke(main, [*command, "--json", "--shop", str(shop.settings.folder)])
    assert again.exit_code == 2
    assert "no line to try again" in again.output


def test_rates_are_listed_and_looked_up(shop: Shop) -> None:
    file = shop.settings.folder / "rates.csv"
    file.write_text(RATES)
    report = json.loads(run(shop, "rates", "import", str(file), "--json"))
    assert report["report"]["rates"] == 2
    assert report["waiting"] == 0
    known = json.loads(run(shop, "rates", "list", "--json"))
    assert [(k["currency"], k["days"], k["value"]) for k in known] == [
        ("GBP", 1, "0.8"),
        ("USD", 1, "1.25"),
    ]
    assert "USD" in run(shop, "rates", "list")
    assert run(shop, "rates", "show", "usd", "--day", "2026-03-01").startswith(
        "1 USD = 0.640000 GBP on 2026-03-01"
    )


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("show", "USD"), "There is no rate of USD"),
        (("show", "XXQ"), "'XXQ' is not a currency"),
        (("import", "none.csv"), "There is no file"),
        (("import", "none.csv", "--base", "euro"), "'EURO' is not a currency"),
    ],
)
def test_mistakes_say_what_to_do(shop: Shop, args: tuple[str, ...], told: str) -> None:
    result = CliRunner().invoke(main, ["rates", *args, "--shop", str(shop.settings.folder)])
    assert result.exit_code == 2
    assert told in result.output


def test_a_replay_for_a_reason_that_does_not_exist_is_refused(shop: Shop) -> None:
    folder = str(shop.settings.folder)
    result = CliRunner().invoke(
        main, ["quarantine", "replay", "--reason", "rate", "--shop", folder]
    )
    assert result.exit_code == 2
    assert "currency_rate_missing" in result.output
