"""The application over a shop of its own, and secret keys and logins for it."""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog
from argon2 import PasswordHasher
from litestar import Litestar
from litestar.testing import TestClient

from lingxi import access
from lingxi.access import Credentials, Role, Scope, create_key, passwords
from lingxi.access.users import create_user
from lingxi.app.shop import Shop
from lingxi.clock import FixedClock
from lingxi.server.app import make_app, set_shop
from lingxi.server.logs import configure_logs

DEMO_END = datetime(2026, 6, 30, tzinfo=UTC)
PASSWORD = "correct horse battery"
MakeKey = Callable[..., dict[str, str]]


@pytest.fixture(autouse=True)
def _cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same algorithm at a hundredth of the cost."""
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=256))


@pytest.fixture(autouse=True)
def _json_logs() -> Iterator[None]:
    """Logs as the server writes them; a traceback drawn for a terminal takes a second."""
    configure_logs(cache=False)
    yield
    structlog.reset_defaults()


@pytest.fixture
def shop(demo_folder: Path, tmp_path: Path) -> Iterator[Shop]:
    """A copy of the demo's shop, to be changed at will; nobody is refused for haste."""
    folder = tmp_path / "shop"
    shutil.copytree(demo_folder, folder)
    environ = {"LINGXI_SERVER_REQUESTS_PER_MINUTE": "0"}
    shop = Shop.open(folder, clock=FixedClock(DEMO_END), environ=environ)
    yield shop
    shop.close()


@pytest.fixture
def customer_id(shop: Shop) -> str:
    """The customer who brought most."""
    return shop.answers.customers(n=1).rows[0].customer_id


@pytest.fixture
def item_id(shop: Shop) -> str:
    """The item that brought most."""
    return shop.answers.items(n=1).rows[0].item_id


@pytest.fixture(scope="session")
def addresses() -> Litestar:
    """The application without a shop, made once: its 260 addresses take half a second."""
    return make_app()


@pytest.fixture
def app(addresses: Litestar, shop: Shop) -> Litestar:
    """The application over the test's shop."""
    set_shop(addresses, shop)
    return addresses


@pytest.fixture
def client(app: Litestar) -> Iterator[TestClient[Litestar]]:
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def make_key(shop: Shop) -> MakeKey:
    """The headers of a request with a new key that carries the given scopes."""

    def make(*scopes: Scope) -> dict[str, str]:
        with shop.store.write() as tx:
            made = create_key(tx, shop.clock.now(), "test", scopes, actor="test")
        return {"authorization": f"Bearer {made.secret}"}

    return make


@pytest.fixture
def key(make_key: MakeKey) -> dict[str, str]:
    """The headers of a request with a key that may do everything."""
    return make_key(Scope.ADMIN)


@pytest.fixture
def make_session(shop: Shop) -> Callable[[Role], str]:
    """The token of a new login session of a new user with this role."""

    def make(role: Role) -> str:
        credentials = Credentials(str(role), PASSWORD)
        with shop.store.write() as tx:
            create_user(tx, shop.clock.now(), credentials, role, actor="test")
        login = access.log_in(
            shop.store, shop.clock.now(), credentials, address="192.0.2.1", hours=12
        )
        return login.token

    return make
