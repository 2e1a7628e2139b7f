"""The application over a shop of its own, and secret keys and logins for it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog
from argon2 import PasswordHasher
from litestar import Litestar
from litestar.testing import TestClient

from lingxi import access
from lingxi.access import Credentials, Role, Scope, create_key, passwords
from lingxi.access.users import create_user
from lingxi.clock import FixedClock
from lingxi.config import ServerSettings, Settings
from lingxi.server.app import create_app
from lingxi.server.face import Shop
from lingxi.server.observe import configure_logs
from lingxi.store import Store

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
def shop(tmp_path: Path) -> Iterator[Shop]:
    import sys

    sys.path.insert(0, str(Path(__file__).parent))
    from hand_made import NOW, HandMadeAnswers, HandMadeShop

    settings = Settings(tmp_path, server=ServerSettings(requests_per_minute=0))
    clock = FixedClock(NOW)
    store = Store.open(settings, clock, tables=[access.metadata])
    yield HandMadeShop(settings, clock, store, HandMadeAnswers(tmp_path))
    store.close()


@pytest.fixture
def app(shop: Shop) -> Litestar:
    return create_app(shop)


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
