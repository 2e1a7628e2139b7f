"""``lingxi import``: what it says of an import that goes on."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lingxi.app.shop import init_shop
from lingxi.cli import main
from lingxi.ingest.intake import Intake

LINES = 2_300
SAID = "Broken off before: 1,000 lines are in the log already, it goes on after them.\n"


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A shop in whose folder lies a file that came in to its first thousand lines."""
    shop = tmp_path / "shop"
    init_shop(shop, name="S", currency="GBP", timezone="UTC", language="en").close()
    rows = [f"view,u{n},2024-01-15T10:00:00Z,A{n}" for n in range(LINES)]
    (shop / "events.csv").write_text("\n".join(["event,user_id,timestamp,product_id", *rows]))
    keep, taken = Intake.keep, 0

    def break_off(self: Intake, judged: list[object], **kwargs: object) -> object:
        nonlocal taken
        taken += 1
        if taken == 2:
            raise OSError("the line is cut")
        return keep(self, judged, **kwargs)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(Intake, "keep", break_off)
        assert bring_in(shop).exit_code == 1
    return shop


def bring_in(shop: Path, *more: str) -> Result:
    path = str(shop / "events.csv")
    return CliRunner().invoke(main, ["import", "events", path, "--shop", str(shop), *more])


def test_an_import_that_goes_on_says_once_how_much_is_there(broken: Path) -> None:
    result = bring_in(broken)
    assert result.stderr.startswith(SAID)
    assert result.stderr.count("\n") == 2
    assert f"{LINES:,} lines in, {LINES:,} kept; {LINES:,} new events" in result.stderr
    assert "Broken off" not in bring_in(broken).stderr  # it has come to its end


def test_json_is_not_disturbed_by_it(broken: Path) -> None:
    assert bring_in(broken, "--json").stderr == ""
