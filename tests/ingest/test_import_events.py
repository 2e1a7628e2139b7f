"""Web and app events on their way into the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest
import sqlalchemy as sa

from lingxi.errors import UnknownColumn, UnknownCustomer
from lingxi.ingest import customer_ids, find_customer, resolve_subjects
from lingxi.store.tables import identity

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Bench

HEAD = (
    "message_id,event,user_id,anonymous_id,timestamp,product_id,quantity,price,query,user_agent\n"
)


def test_each_reason_is_counted_and_lines_add_up(bench: Bench) -> None:
    report = bench.events(
        HEAD + "m1,Product Viewed,u1,a1,2026-01-01T10:00:00Z,A,,5,,Firefox\n"
        "m1,Product Viewed,u1,a1,2026-01-01T10:00:00Z,A,,5,,Firefox\n"
        "m2,,u1,a1,2026-01-01T10:00:00Z,A,,5,,Firefox\n"
        "m3,Product Viewed,u1,a1,2026-01-01T10:00:00Z,A,,5,,Googlebot/2.1\n"
        "m4,Product Viewed,,,2026-01-01T10:00:00Z,A,,5,,Firefox\n"
        "m5,Product Viewed,u1,a1,,A,,5,,Firefox\n"
        "m6,Product Viewed,u1,a1,1970-01-01T00:00:00Z,A,,5,,Firefox\n"
        "m7,Product Viewed,u1,a1,2026-01-01T10:00:00Z,,,5,,Firefox\n"
        "m8,add_to_cart,u1,a1,2026-01-01T10:00:00Z,A,-2,5,,Firefox\n"
        "m9,add_to_cart,u1,a1,2026-01-01T10:01:00Z,A,2,5,,Firefox\n"
        "m10,Quiz Finished,u1,a1,2026-01-01T10:02:00Z,,,,,Firefox\n"
        "m11,search,u1,a1,2026-01-01T10:03:00Z,,,,Red Lamp,Firefox\n"
        "m12,search,u1,a1,2026-01-01T10:03:00Z,,,,ann@example.com,Firefox\n"
    )
    assert {r.reason: r.lines for r in report.reasons if not r.kept} == {
        "exact_duplicate": 1,
        "event_missing": 1,
        "bot": 1,
        "visitor_missing": 1,
        "time_missing": 1,
        "time_impossible": 1,
        "item_missing": 1,
        "quantity_negative": 1,
    }
    assert report.lines_in == report.lines_kept + report.lines_set_aside == 13
    events = bench.log()
    assert [e.name for e in events] == [
        "Product Viewed",
        "Product Added",
        "Quiz Finished",
        "Products Searched",
        "Products Searched",
    ]
    assert events[1].lines[0].amount_cents == 1000
    assert [e.query for e in events[3:]] == ["red lamp", None]


def test_the_same_file_twice_changes_nothing(bench: Bench) -> None:
    text = "event,user_id,timestamp,product_id\n" + "".join(
        f"view,u{i % 3},2026-01-01T10:00:{i % 60:02d}Z,A{i}\n" for i in range(100)
    )
    first, second = bench.events(text), bench.events(text)
    assert (first.events_new, second.events_new, second.events_known) == (100, 0, 100)


def test_a_browser_belongs_to_the_first_customer_seen_on_it_as_in_the_collector(
    bench: Bench,
) -> None:
    row = "m{n},view,{user},{browser},2026-01-0{n}T10:00:00Z,A,,,,\n"
    bench.events(HEAD + row.format(n=1, user="", browser="own"))
    bench.events(
        HEAD
        + row.format(n=2, user="ann", browser="own")
        + row.format(n=3, user="ann", browser="shared")
        + row.format(n=4, user="bea", browser="shared")
        + row.format(n=5, user="", browser="shared")
    )
    subjects = [e.subject for e in bench.log()]
    with bench.store.read() as tx:
        ann = find_customer(tx, "ann")
        owner = {row.subject: (row.customer, row.known) for row in tx.execute(sa.select(identity))}
    assert owner[subjects[0]] == (ann, True)
    assert owner[subjects[4]] == (ann, True)


def test_lines_of_json_are_read_with_their_properties(bench: Bench) -> None:
    records = [
        {"messageId": "m1", "event": "Product Viewed", "userId": "u1",
         "timestamp": "2026-01-01T10:00:00Z", "properties": {"product_id": "A", "price": 5}},
        {"messageId": "m2", "event": "Signed Up", "userId": "u1", "timestamp": "2026-01-02"},
    ]  # fmt: skip
    text = "\n".join(msgspec.json.encode(r).decode() for r in records) + "\nnot json\n"
    report = bench.events(text, "events.jsonl")
    assert (report.lines_in, report.lines_kept) == (3, 2)
    assert bench.log()[0].lines[0].price_cents == 500


def test_an_order_of_both_files_counts_once(bench: Bench) -> None:
    bench.orders("order_id,sku,qty,price,date,customer_id\n1,A,1,5,2026-01-01,u1\n")
    bench.events(
        "event,user_id,timestamp,product_id,order_id,price\n"
        "purchase,u1,2026-01-01T00:00:00Z,A,1,5\n"
    )
    assert next((e.name, e.event_id) for e in bench.log()) == ("Order Completed", "order:1")
    assert [e.name for e in bench.log()][1:] == ["Order Updated"]


def test_a_file_without_event_names_is_refused(bench: Bench) -> None:
    with pytest.raises(UnknownColumn, match=r"recognised as event.*--map event=COLUMN"):
        bench.events("user_id,timestamp\nu1,2026-01-01\n")


def test_simulated_dirt_is_found_again(bench: Bench, raw_shop: Path) -> None:
    _later(bench)
    report = bench.lines("events", raw_shop / "events.parquet")
    assert report.lines_in == report.lines_kept + report.lines_set_aside
    assert {"bot", "exact_duplicate", "time_missing", "time_impossible", "item_missing",
            "visitor_missing"} <= {r.reason for r in report.reasons}  # fmt: skip


def _later(bench: Bench) -> None:
    bench.clock.moment = bench.clock.moment.replace(year=2027)


def test_a_surrogate_is_given_once(bench: Bench) -> None:
    first = resolve_subjects(bench.store, "user_id", ["ann", "bea", "ann"], known=True)
    second = resolve_subjects(bench.store, "user_id", ["cid", "ann"], known=True)
    assert second["ann"] == first["ann"]
    assert len({*first.values(), *second.values()}) == 3
    with bench.store.read() as tx:
        assert customer_ids(tx, first.values()) == {n: name for name, n in first.items()}
        assert find_customer(tx, " bea ") == first["bea"]


def test_an_unknown_customer_is_answered_with_a_near_one(bench: Bench) -> None:
    resolve_subjects(bench.store, "user_id", ["17850"], known=True)
    with bench.store.read() as tx, pytest.raises(UnknownCustomer, match="did you mean '17850'"):
        find_customer(tx, "17851")
