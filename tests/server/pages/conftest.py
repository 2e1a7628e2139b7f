"""A dashboard in a real browser, over a copy of the demo shop with hostile names in it."""

import asyncio
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from granian.constants import Interfaces
from granian.server.embed import Server
from litestar import Litestar
from litestar.testing import TestClient
from playwright.sync_api import Browser, BrowserContext, Error, Page, sync_playwright

from journey_road import Road, make_empty
from lingxi.access import Credentials, Role, Scope, create_key
from lingxi.access.users import create_user
from lingxi.app import jobs
from lingxi.app.queries.reports import make_report
from lingxi.app.shop import Shop
from lingxi.clock import FixedClock
from lingxi.server.app import create_app
from server.pages.test_without_a_browser import log_in

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PASSWORD = "correct-horse-battery-9"
USERS = {"ada": Role.ADMINISTRATOR, "lin": Role.MARKETER, "vera": Role.VIEWER}
HOSTILE_CUSTOMERS = ("<script>alert(1)</script>", "شركة التجارة", "客户🎁", "x" * 90)
HOSTILE_ITEM = ("H<1>&", "<img src=x onerror=alert(1)> كوب 🍵 " + "very long name " * 6)


@dataclass
class Dashboard:
    """A served shop: where it is, a key for its API, and pages opened as a user."""

    address: str
    secret: str
    browser: Browser
    shop: Shop
    states: dict[tuple[str, str], Any] = field(default_factory=dict)

    def api(self, path: str, **query: str | int | list[str]) -> Any:
        headers = {"Authorization": f"Bearer {self.secret}"}
        answer = httpx.get(self.address + path, params=query, headers=headers, timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def context(
        self, language: str = "en", *, user: str = "", width: int = 1440, height: int = 900
    ) -> BrowserContext:
        """A browser window; with ``user`` it is logged in."""
        return self.browser.new_context(
            base_url=self.address,
            viewport={"width": width, "height": height},
            locale={"en": "en-GB", "zh": "zh-CN"}[language],
            reduced_motion="reduce",
            storage_state=self._log_in(language, user) if user else None,
        )

    def _log_in(self, language: str, user: str) -> Any:
        """Cookies of a logged-in user, from a login that is made once."""
        if (language, user) not in self.states:
            context = self.context(language)
            page = context.new_page()
            page.goto("/login")
            submit_login(page, user, PASSWORD)
            page.wait_for_url(self.address + "/")
            self.states[language, user] = context.storage_state()
            context.close()
        return self.states[language, user]


def submit_login(page: Page, name: str, password: str) -> None:
    page.locator("#name").fill(name)
    page.locator("#password").fill(password)
    page.locator("form[action='/login'] button").click()


@pytest.fixture(scope="session")
def dashboard(demo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    if not CHROMIUM.is_file():
        pytest.skip(f"needs Chromium at {CHROMIUM}")
    folder = tmp_path_factory.mktemp("dashboard") / "shop"
    shutil.copytree(demo_folder, folder)
    shop = Shop.open(folder, environ={"LINGXI_SERVER_REQUESTS_PER_MINUTE": "0"})
    end = shop.answers.status().data_to
    assert end is not None
    shop = Shop(shop.settings, shop.store, FixedClock(end))
    make_report(shop)
    import_hostile_orders(shop, folder.parent / "hostile.csv")
    with shop.store.write() as tx:
        for name, role in USERS.items():
            create_user(tx, end, Credentials(name, PASSWORD), role, actor="test")
        secret = create_key(tx, end, "pages", [Scope.ADMIN], actor="test").secret
    with serve(shop) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield Dashboard(address, secret, browser, shop)
        with suppress(Error):  # a browser that has died already is closed
            browser.close()
    shop.close()


def import_hostile_orders(shop: Shop, path: Path) -> None:
    item, name = HOSTILE_ITEM
    lines = ["invoice,stock_code,description,quantity,invoice_date,unit_price,customer_id,country"]
    lines += [
        f'9{n:05d},"{item}","{name}",2,2026-06-0{n + 1} 10:00:00,3.50,"{customer}",United Kingdom'
        for n, customer in enumerate(HOSTILE_CUSTOMERS)
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    jobs.import_orders(shop, path)


class serve:  # noqa: N801 (reads as the verb it is)
    """Serve a shop from a thread of this process."""

    def __init__(self, shop: Shop) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self._server = Server(
            create_app(shop),
            address="127.0.0.1",
            port=self._port,
            interface=Interfaces.ASGI,
            log_enabled=False,
        )
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._server.serve()), daemon=True
        )

    def __enter__(self) -> str:
        self._thread.start()
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self._port), timeout=1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return f"http://127.0.0.1:{self._port}"
        raise TimeoutError("the server did not start")

    def __exit__(self, *_: object) -> None:
        self._server.stop()
        self._thread.join(10)


@pytest.fixture
def client(app: Litestar) -> Iterator[TestClient[Litestar]]:
    """Pages of the test's own shop, asked for without a browser by somebody who is logged in."""
    with TestClient(app, raise_server_exceptions=False) as client:
        client.headers.update({"accept": "text/html"})
        log_in(client)
        yield client


Open = Callable[..., Page]


@pytest.fixture
def open_page(dashboard: Dashboard) -> Iterator[Open]:
    """Open a page as a user; whatever the console complains of fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []
    expected: list[str] = []

    def open_(
        path: str,
        language: str = "en",
        *,
        user: str = "ada",
        width: int = 1440,
        height: int = 900,
        may_fail: str = "",
    ) -> Page:
        if may_fail:
            expected.append(f"status of {may_fail}")
        context = dashboard.context(language, user=user, width=width, height=height)
        contexts.append(context)
        page = context.new_page()
        page.on(
            "console",
            lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None,
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(path)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert [c for c in complaints if not any(text in c for text in expected)] == []


@pytest.fixture
def road(tmp_path: Path) -> Iterator[Road]:
    """A shop for journeys whose clock the test holds, with an administrator."""
    made = Road(make_empty(tmp_path / "road"))
    with made.store.write() as tx:
        credentials = Credentials("ada", PASSWORD)
        create_user(tx, made.clock.now(), credentials, Role.ADMINISTRATOR, actor="test")
    yield made
    made.shop.close()
