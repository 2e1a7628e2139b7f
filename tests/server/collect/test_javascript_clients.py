"""The unmodified JavaScript clients, in Node and in a real browser on a page of another origin.

Each sends over a line on which three answers in ten are 503, 429 or cut off; some of the latter
only after the server took what came. ``make test`` installs the clients; by hand:
``npm ci --prefix tests/server/collect/node``.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest
from live import count_stored, find_key, open_line, serve_folder, serve_shop
from playwright.sync_api import Browser, Page, Request, sync_playwright

from lingxi.app.shop import Shop
from lingxi.schema import Event, Line

HERE = Path(__file__).parent
NODE = HERE / "node"
CHROMIUM = Path("/usr/bin/chromium")
PATIENCE_SECONDS = 90.0
FEW, MANY = 12, 40
MUGS = (Line("MUG-1", 2, 950, 1900),)

pytestmark = pytest.mark.skipif(
    not (NODE / "node_modules").is_dir(),
    reason="the JavaScript clients are not installed: make test does it, or "
    "npm ci --prefix tests/server/collect/node",
)


def find_node() -> str:
    """Node from the PATH, else the one that playwright brings along."""
    import playwright

    own = Path(playwright.__file__).parent / "driver" / "node"
    return shutil.which("node") or str(own)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.is_file():
        pytest.skip(f"needs Chromium at {CHROMIUM}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.mark.parametrize("client", ["segment", "rudder", "jitsu"])
def test_a_node_client_loses_and_doubles_nothing_over_a_failing_line(
    shop: Shop, client: str
) -> None:
    with serve_shop(shop) as port, open_line(port, seed=3) as line:
        done = subprocess.run(
            [find_node(), str(NODE / f"{client}.mjs"), line.address, find_key(shop), str(MANY)],
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=True,
        )
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["failed"] == []
    assert len(set(told["ids"])) == MANY
    assert line.failed
    stored = count_stored(shop)
    assert [name for name in told["ids"] if stored[name] != 1] == []
    orders = read_orders(shop)
    assert len(orders) == MANY // 10
    assert {(e.amount_cents, e.cost_cents, e.lines) for e in orders} == {(1900, 300, MUGS)}


@pytest.mark.browser
@pytest.mark.parametrize("client", ["segment", "rudder"])
def test_a_browser_client_loses_and_doubles_nothing_over_a_failing_line(
    shop: Shop, browser: Browser, client: str
) -> None:
    expected = FEW + 3
    with serve_shop(shop) as port, open_line(port, seed=3) as line, serve_folder(HERE) as site:
        page = browser.new_page()
        sent, errors = watch(page)
        page.goto(f"{site}/shop/{client}.html?host={line.address}&key={find_key(shop)}&n={FEW}")
        end = monotonic() + PATIENCE_SECONDS
        while len(own(count_stored(shop))) < expected and monotonic() < end:
            page.wait_for_timeout(250)
        page.wait_for_timeout(1_000)  # whatever is sent twice arrives meanwhile
        page.close()
    assert errors == []
    assert line.failed
    assert len(sent) == expected
    assert own(count_stored(shop)) == dict.fromkeys(sent, 1)
    (order,) = read_orders(shop)
    assert (order.order_id, order.amount_cents, order.lines) == ("A-1", 1900, MUGS)
    names = {e.name for e in shop.store.log.read()}
    assert {"Page Viewed", "Identified", "Product Viewed", "Product Added"} <= names
    subject = order.subject
    assert subject is not None
    assert shop.answers.customer("ada") is not None


def watch(page: Page) -> tuple[set[str], list[str]]:
    """The ids of all messages that a page sends, and the errors of its scripts."""
    sent: set[str] = set()
    errors: list[str] = []

    def note(request: Request) -> None:
        if request.method == "POST" and "/v1/" in request.url:
            body = json.loads(request.post_data or "{}")
            sent.update(each["messageId"] for each in body.get("batch", [body]))

    page.on("request", note)
    page.on("pageerror", lambda error: errors.append(str(error)))
    return sent, errors


def own(stored: dict[str, int]) -> dict[str, int]:
    """What the client sent, without what the system noted by itself."""
    return {name: n for name, n in stored.items() if not name.startswith("merge:")}


def read_orders(shop: Shop) -> list[Event]:
    return [e for e in shop.store.log.read() if e.name == "Order Completed"]
