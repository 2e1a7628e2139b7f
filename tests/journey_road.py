"""A shop with journeys, its clock in the test's hand."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from lingxi.app.runs.hands import make_hands
from lingxi.app.shop import Shop, init_shop
from lingxi.clock import FixedClock
from lingxi.ingest.identity import CUSTOMER
from lingxi.ingest.tables import identifier
from lingxi.journeys import consume_log
from lingxi.journeys.goods import read_goods
from lingxi.journeys.reading import read_journey
from lingxi.journeys.run import FIELDS, Run, read_run
from lingxi.journeys.runner import Runner
from lingxi.journeys.tables import run as runs
from lingxi.journeys.timetable import Timetable
from lingxi.journeys.versions import publish
from lingxi.messaging.tables import message as messages
from lingxi.schema import Event
from lingxi.segments.lists import add_to_list, put_list
from lingxi.store.keyed import insert_or_ignore
from lingxi.store.tables import identity

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def make_empty(folder: Path) -> Path:
    """A shop without anything in it, closed; copies of it are shops."""
    clock = FixedClock(NOW)
    init_shop(folder, name="S", currency="GBP", timezone="UTC", language="en", clock=clock).close()
    return folder


class Road:
    """A shop, and what a test does to it."""

    def __init__(self, folder: Path, environ: Mapping[str, str] = {}) -> None:
        self.clock = FixedClock(NOW)
        self.shop = Shop.open(folder, clock=self.clock, environ=environ)
        self.store = self.shop.store
        self.codes: list[str] = []
        self.hands = replace(
            make_hands(self.shop),
            issue=lambda _tx, _offer, _customer, _key, _now: (
                self.codes.pop() if self.codes else None
            ),
        )
        self.runner = Runner(self.store, self.hands, "w1", sleep=lambda _seconds: None)
        self.timetable = Timetable(self.store, self.hands, seconds=60)
        self._ids = count(1)

    def publish(self, **journey: Any) -> int:
        name = {} if "campaign" in journey else {"name": "j"}
        made = read_journey({**name, "holdout": 0, **journey})
        with self.store.write() as tx:
            return publish(tx, made, actor="t", note="", now=self.clock.now())

    def happen(self, name: str, subject: int = 1, /, **fields: Any) -> Event:
        event = self.make(name, subject, **fields)
        self.store.log.append([event])
        return event

    def make(self, name: str, subject: int | None, **fields: Any) -> Event:
        """An event of now that has not happened yet."""
        return Event(
            event_id=fields.pop("event_id", f"e{next(self._ids)}"),
            name=name,
            subject=subject,
            **{"occurred_at": self.clock.now(), "received_at": self.clock.now(), **fields},
        )

    def merge(self, kept: int, merged: int) -> None:
        with self.store.write() as tx:
            tx.execute(
                sa.update(identity).where(identity.c.customer == merged).values(customer=kept)
            )
        self.happen("Customers Merged", merged, properties={"kept": kept, "merged": merged})

    def enlist(self, name: str, *customers: int) -> dict[str, str]:
        """A rule that holds for these customers."""
        self.know(*customers)
        with self.store.write() as tx:
            put_list(tx, name, name, self.clock.now())
            for customer in customers:
                add_to_list(tx, name, customer, self.clock.now(), log=self.store.log)
        return {"list": name}

    def know(self, *customers: int) -> None:
        rows = [{"subject": c, "customer": c, "known": True} for c in customers]
        with self.store.write() as tx:
            if rows:
                tx.execute(insert_or_ignore(tx, identity), rows)
                tx.execute(insert_or_ignore(tx, identifier), [self._name(c) for c in customers])

    def _name(self, customer: int) -> dict[str, object]:
        value = f"customer-{customer}"
        sealed = self.store.keyring.blind(value)
        row = {"kind": CUSTOMER, "value": value, "subject": customer}
        return {**row, "sealed": sealed, "since": self.clock.now()}

    def go(self, step: timedelta = timedelta(0)) -> None:
        """Let time pass, then do everything that is due."""
        self.clock.advance(step)
        for _ in range(1000):
            now = self.clock.now()
            done = consume_log(self.store, self.hands, now)
            done += read_goods(self.store, self.hands, now)
            done += self.timetable.run_once(now) + self.runner.run_once(now)
            if not done:
                return
        raise AssertionError("it never comes to rest")

    def read(self) -> int:
        """Let journeys read the log once."""
        return consume_log(self.store, self.hands, self.clock.now())

    def runs(self) -> list[Run]:
        query = sa.select(*(runs.c[name] for name in FIELDS)).order_by(runs.c.id)
        with self.store.read() as tx:
            return [read_run(tuple(row)) for row in tx.execute(query)]

    @property
    def run(self) -> Run:
        (only,) = self.runs()
        return only

    def sent(self) -> list[Mapping[str, Any]]:
        query = sa.select(messages).order_by(messages.c.queued_at, messages.c.id)
        with self.store.read() as tx:
            return [dict(row) for row in tx.execute(query).mappings()]

    def ports(self) -> list[str]:
        return [f"{each.node}.{each.port}" for each in self.run.steps if each.port]

    def codes_of(self, run: Run) -> list[str]:
        return [each.code.removeprefix("journeys.did.") for each in run.steps]
