"""Customers of a file: who they are, what they are, what they agreed to."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
import sqlalchemy as sa

from lingxi.ingest import export_quarantine, find_customer, forget, mend_quarantine
from lingxi.ingest.sealed import read_traits
from lingxi.ingest.tables import customer_line, import_file

if TYPE_CHECKING:
    from conftest import Bench

HEAD = "customer_id,email,phone,first_name,level,accepts_marketing,password\n"
ANN = "u1,ann@example.com,+442079460018,Ann,gold,yes,hunter2\n"


def traits(bench: Bench, name: str) -> dict[str, str]:
    with bench.store.read() as tx:
        return read_traits(bench.store, tx, find_customer(tx, name, store=bench.store))


def test_a_customer_is_found_by_each_identifier_and_secrets_are_never_kept(bench: Bench) -> None:
    bench.customers(HEAD + ANN)
    with bench.store.read() as tx:
        found = {
            find_customer(tx, name, store=bench.store)
            for name in ("u1", "ann@example.com", "+44 20 7946 0018")
        }
    assert len(found) == 1
    kept = traits(bench, "u1")
    assert kept["first_name"] == "Ann"
    assert kept["level"] == "gold"
    assert "password" not in kept


def test_nothing_of_a_person_stands_in_the_log(bench: Bench) -> None:
    bench.customers(HEAD + ANN)
    text = repr(bench.log())
    for value in ("ann@example.com", "2079460018", "Ann", "gold", "hunter2"):
        assert value not in text


def test_what_an_anonymous_buyer_did_becomes_the_customers(bench: Bench) -> None:
    bench.events(
        "event,anonymous_id,email,timestamp,product_id\n"
        "view,b1,ann@example.com,2026-01-01T10:00:00Z,A\n"
    )
    bench.customers(HEAD + ANN)
    with bench.store.read() as tx:
        ann = find_customer(tx, "u1")
    assert [e.name for e in bench.store.log.read_customer(ann)][-1] == "Product Viewed"


def test_consent_is_said_with_its_moment_source_and_text(bench: Bench) -> None:
    bench.customers(
        "customer_id,accepts_marketing,sms_opt_in,consent_at,consent_source,text_version\n"
        "u1,yes,no,2025-06-01T10:00:00Z,till,2025-05\n"
    )
    said = {e.properties["channel"]: e for e in bench.log() if e.name.startswith("Consent")}
    assert {c: e.name for c, e in said.items()} == {
        "email": "Consent Given",
        "sms": "Consent Withdrawn",
    }
    for event in said.values():
        assert event.occurred_at == datetime(2025, 6, 1, 10, tzinfo=UTC)
        assert event.properties["source"] == "till"
        assert event.properties["text_version"] == "2025-05"


def test_an_older_export_that_comes_late_changes_nothing_that_is_newer(bench: Bench) -> None:
    head = "customer_id,level,updated_at\n"
    bench.customers(head + "u1,gold,2026-02-01T00:00:00Z\n")
    bench.customers(head + "u1,silver,2026-01-01T00:00:00Z\n")
    assert traits(bench, "u1")["level"] == "gold"


def export(bench: Bench, level: str, day: int) -> None:
    """An export without moments, written on a day of February."""
    path = bench.file(f"customer_id,level\nu1,{level}\n", f"c{day}.csv")
    moment = datetime(2026, 2, day, tzinfo=UTC).timestamp()
    os.utime(path, (moment, moment))
    bench.lines("customers", path)


def test_without_moments_the_file_that_was_written_last_holds(bench: Bench) -> None:
    export(bench, "gold", 10)
    export(bench, "silver", 5)
    assert traits(bench, "u1")["level"] == "gold"


def test_a_customer_can_be_again_as_they_were_but_a_file_again_tells_nothing(bench: Bench) -> None:
    for level, day in (("gold", 1), ("silver", 2), ("gold", 3)):
        export(bench, level, day)
    # a file of the same bytes is the same file, whenever it was copied
    assert traits(bench, "u1")["level"] == "silver"
    path = bench.file("customer_id,level\nu1,gold\nu2,gold\n", "c4.csv")
    bench.lines("customers", path)
    assert traits(bench, "u1")["level"] == "gold"
    log = bench.log()
    bench.lines("customers", path)
    export(bench, "silver", 2)
    assert bench.log() == log


def test_lines_that_have_not_changed_are_not_told_again_by_the_next_export(bench: Bench) -> None:
    bench.customers("customer_id,level\nu1,gold\nu2,gold\n")
    report = bench.customers("customer_id,level\nu1,gold\nu2,silver\n", "next.csv")
    assert (report.events_new, report.events_known) == (1, 1)


def test_a_file_of_messages_is_taken_as_it_is(bench: Bench) -> None:
    bench.customers(
        '{"type":"identify","userId":"u1","messageId":"m1","timestamp":"2026-01-01T00:00:00Z",'
        '"traits":{"email":"ann@example.com","address":{"city":"Bath"}}}\n'
        '{"customer_id":"u2","email":"bob@example.com"}\n',
        "customers.jsonl",
    )
    assert traits(bench, "ann@example.com")["address.city"] == "Bath"
    assert traits(bench, "bob@example.com") == {"email": "bob@example.com"}


def test_a_line_that_names_nobody_waits_and_is_mended_once(bench: Bench) -> None:
    report = bench.customers(HEAD + ANN + ",,,Eve,gold,yes,\n")
    assert {r.reason for r in report.reasons if not r.kept} == {"visitor_missing"}
    path = bench.folder / "q.csv"
    export_quarantine(bench.store, path)
    text = path.read_text()
    assert "email" not in text.splitlines()[0]  # no line that waits has one: the column is added
    head, line = text.splitlines()
    path.write_text(f"{head},email\n{line},eve@example.com\n")
    mended = mend_quarantine(bench.store, bench.clock, bench.retries(), path)
    assert (mended.lines_kept, mended.kind) == (1, "mended")
    assert traits(bench, "eve@example.com")["first_name"] == "Eve"
    log = bench.log()
    bench.customers(HEAD + ANN + ",,,Eve,gold,yes,\n")
    assert bench.log() == log
    assert export_quarantine(bench.store, path) == 0


def test_who_is_forgotten_leaves_no_mark(bench: Bench) -> None:
    bench.customers("customer_id,level\nu1,gold\nu2,gold\n")
    with bench.store.write() as tx:
        forget(tx, frozenset({find_customer(tx, "u1")}))
        assert tx.execute(sa.select(sa.func.count()).select_from(customer_line)).scalar() == 1


def test_the_tally_of_a_file_is_the_same_in_every_process(bench: Bench) -> None:
    bench.customers(HEAD + ANN)
    with bench.store.read() as tx:
        tally = msgspec.json.decode(tx.execute(sa.select(import_file.c.tally)).scalar_one())
    assert list(tally["filled"]) == sorted(tally["filled"])
    assert len(tally["filled"]) == 4
