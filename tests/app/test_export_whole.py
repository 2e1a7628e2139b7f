"""An export tells of every table that holds something of a person."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import sqlalchemy as sa

from lingxi.app.held import person_tables
from lingxi.app.people import PersonExport, export_person
from lingxi.app.shop import Shop, init_shop
from lingxi.clock import FixedClock
from lingxi.ingest import find_customer
from lingxi.ingest.message import Message

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MARK = "marked"


def _value(column: sa.Column[object], who: int) -> object:
    if column.name in ("customer", "subject"):
        return who
    kind = column.type
    if isinstance(kind, sa.LargeBinary):
        return b"x"
    if isinstance(kind, sa.String):
        return "{}" if column.name in ("context", "path", "verdict") else MARK
    if getattr(kind, "python_type", None) is datetime:
        return NOW
    return True if isinstance(kind, sa.Boolean) else 7


def _fill(shop: Shop, who: int) -> set[str]:
    """A row of this person in every table that is not written by events themselves."""
    filled = set()
    with shop.store.write() as tx:
        for table, _ in person_tables():
            if tx.execute(sa.select(sa.func.count()).select_from(table)).scalar_one():
                continue
            row = {c.name: _value(c, who) for c in table.c if c.name != "position"}
            for c in table.c:
                if isinstance(c.type, sa.TypeDecorator):
                    row[c.name] = NOW
            tx.execute(sa.insert(table), [row])
            filled.add(table.name)
    return filled


def test_every_table_with_rows_of_a_person_is_in_the_export(tmp_path: Path) -> None:
    """Messages, coupons, lists, segments, journeys and opt-ins were erased but not exported."""
    shop = init_shop(
        tmp_path / "s",
        name="S",
        currency="GBP",
        timezone="UTC",
        language="en",
        clock=FixedClock(NOW),
    )
    body = {"type": "track", "event": "E", "userId": "u", "timestamp": NOW.isoformat()}
    raw = msgspec.json.encode(body)
    shop.intake.take([Message(body=body, raw=raw, received_at=NOW, source="web")])
    with shop.store.read() as tx:
        who = find_customer(tx, "u")
    wanted = {
        "customer_list_entry", "segment_member", "coupon", "coupon_entry", "coupon_redemption",
        "message", "onsite", "journey_run", "opt_in", "mail_hit", "feedback", "order_state",
    }  # fmt: skip
    assert wanted <= _fill(shop, who)
    export = export_person(shop, "u")
    assert wanted <= set(export.records)
    assert export.records["customer_list_entry"][0]["list"] == MARK
    assert msgspec.json.decode(msgspec.json.encode(export), type=PersonExport).records
    shop.close()
