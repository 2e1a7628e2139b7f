"""A shop whose messages come in one after the other, and messages for it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import sqlalchemy as sa

from lingxi.app.rooms import METADATAS, PROJECTIONS
from lingxi.clock import FixedClock
from lingxi.config import IdentitySettings, Settings, ShopSettings, StoreSettings
from lingxi.ingest import find_customer
from lingxi.ingest.intake import Intake
from lingxi.ingest.message import Message, Outcome
from lingxi.schema import SYSTEM_EVENTS
from lingxi.store import Store
from lingxi.store.tables import identity

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
Body = dict[str, object]


@dataclass
class Shop:
    """A store with every projection, and messages that come in one after the other."""

    store: Store
    clock: FixedClock
    intake: Intake
    sent: int = 0
    outcomes: list[Outcome] = field(default_factory=list)

    def send(self, *bodies: Body) -> list[Outcome]:
        messages = []
        for body in bodies:
            self.sent += 1
            moment = (NOW + timedelta(seconds=self.sent - 100_000)).isoformat()
            whole = {"messageId": f"m{self.sent}", "timestamp": moment, **body}
            messages.append(
                Message(
                    body=whole,
                    raw=msgspec.json.encode(whole),
                    received_at=self.clock.now(),
                    source="web",
                )
            )
        return self.intake.take(messages)

    def customer(self, name: str) -> int:
        with self.store.read() as tx:
            return find_customer(tx, name, store=self.store)

    def rows(self, customer: int) -> dict[str, list[tuple[object, ...]]]:
        """Every row of a customer's projections, without whose it is."""
        found = {}
        with self.store.read() as tx:
            for projection in PROJECTIONS:
                table = projection.table
                query = sa.select(table).where(table.c.customer == customer)
                plain = [tuple(map(repr, row[1:])) for row in tx.execute(query)]
                found[projection.name] = sorted(plain)
        return found

    def state(self) -> dict[int, dict[str, list[tuple[object, ...]]]]:
        """Everybody's rows, and who owns which surrogate."""
        with self.store.read() as tx:
            owners = sorted(tx.execute(sa.select(identity.c.subject, identity.c.customer)).all())
        return {c: self.rows(c) for c in {customer for _, customer in owners}} | {
            0: {"owners": [tuple(row) for row in owners]}
        }

    def names(self, customer: int) -> list[str]:
        own = self.store.log.read_customer(customer, limit=1000)
        return [e.event_id for e in own if e.name not in SYSTEM_EVENTS]


def open_shop(folder: Path, url: str = "", *, calling_code: str = "", **limits: int) -> Shop:
    """An empty shop with these limits of ``[identity]``."""
    config = Settings(
        folder=folder,
        shop=ShopSettings(calling_code=calling_code),
        store=StoreSettings(url=url),
        identity=IdentitySettings(**limits),
    )
    clock = FixedClock(NOW)
    store = Store.open(config, clock, projections=PROJECTIONS, tables=METADATAS)
    return Shop(store, clock, Intake(store, config, clock))


MakeShop = Callable[..., Shop]
"""Makes an empty shop with limits of ``[identity]``, closed after the test."""


def view(item: str = "p1", **who: object) -> Body:
    return {"type": "track", "event": "Product Viewed", "properties": {"product_id": item}, **who}


def order(item: str, **who: object) -> Body:
    products = [{"product_id": item, "quantity": 2, "price": 5}]
    return {
        "type": "track",
        "event": "Order Completed",
        "properties": {"products": products},
        **who,
    }


def identify(user: str | None, browser: str | None = None, **traits: object) -> Body:
    return {"type": "identify", "userId": user, "anonymousId": browser, "traits": traits}
