"""Taking messages in: kept once, set aside with their bytes, counted."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from sqlalchemy import Connection, select, update

from ingest.conftest import NOW, Bench
from lingxi.errors import StoreUnavailable
from lingxi.ingest import intake as room
from lingxi.ingest.cleaning import Rules, clean
from lingxi.ingest.consent.project import ConsentProjection
from lingxi.ingest.counts import list_counts
from lingxi.ingest.intake import Intake
from lingxi.ingest.merging import names as names_room
from lingxi.ingest.merging.people import Name
from lingxi.ingest.message import Cleaned, Dropped, Message, Outcome
from lingxi.ingest.reasons import DropReason
from lingxi.ingest.recent import Recent
from lingxi.ingest.sealed import read_private, read_traits
from lingxi.ingest.tables import metadata
from lingxi.ingest.waiting import expire_waiting, list_waiting, mend
from lingxi.store import Store
from lingxi.store.tables import counter, identity

MakeBench = Callable[[], Bench]
HOUR = datetime(2026, 3, 1, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Door:
    bench: Bench
    intake: Intake
    recent: Recent

    def take(self, *bodies: dict[str, object]) -> list[Outcome]:
        return self.intake.take([message(body) for body in bodies])


def message(body: dict[str, object], source: str = "web") -> Message:
    return Message(body=body, raw=msgspec.json.encode(body), received_at=NOW, source=source)


def view(number: int, user: str = "u1") -> dict[str, object]:
    return {
        "type": "track",
        "event": "Product Viewed",
        "messageId": f"m{number}",
        "userId": user,
        "timestamp": "2026-02-28T10:00:00Z",
        "properties": {"product_id": "p1", "price": 9.5},
    }


@pytest.fixture
def door(make_bench: MakeBench) -> Door:
    bench = make_bench()
    recent = Recent()
    return Door(bench, Intake(bench.store, bench.settings, bench.clock, observer=recent), recent)


def test_a_message_is_stored_once_however_often_it_is_sent(door: Door) -> None:
    first = door.take(view(1), view(2), view(1))
    again = door.take(view(2), view(3))
    assert [o.result for o in first] == ["stored", "stored", "duplicate"]
    assert [o.result for o in again] == ["duplicate", "stored"]
    assert [o.position for o in first] == [1, 2, None]
    assert sorted(e.event_id for e in door.bench.log()) == ["web:m1", "web:m2", "web:m3"]
    subject = first[0].subject
    assert subject is not None
    assert {e.subject for e in door.bench.log()} == {subject}


def test_any_cut_into_batches_with_any_repetition_stores_the_same(
    make_bench: MakeBench,
) -> None:
    rng = random.Random(3)
    bodies = [view(i, f"u{i % 5}") for i in range(40)]
    sent = bodies + rng.choices(bodies, k=40)
    rng.shuffle(sent)
    bench = make_bench()
    intake = Intake(bench.store, bench.settings, bench.clock)
    stored = 0
    while sent:
        cut = rng.randint(1, 9)
        outcomes = intake.take([message(body) for body in sent[:cut]])
        stored += sum(o.result == "stored" for o in outcomes)
        sent = sent[cut:]
    assert stored == 40
    assert len({e.event_id for e in bench.log()}) == len(bench.log()) == 40


def test_what_became_of_messages_is_counted_by_source_and_hour(door: Door) -> None:
    door.take(view(1), view(1), {"type": "track", "userId": "u", "messageId": "m9"})
    door.intake.take([message(view(2), source="shop")])
    with door.bench.store.read() as tx:
        rows = list_counts(tx, since=HOUR)
    assert [(r.source, r.outcome, r.reason, r.n) for r in rows] == [
        ("shop", "stored", "", 1),
        ("web", "dropped", "event_missing", 1),
        ("web", "duplicate", "", 1),
        ("web", "stored", "", 1),
    ]
    assert {r.hour for r in rows} == {HOUR}
    assert {r.last_at for r in rows} == {NOW}


def test_a_dropped_message_keeps_its_bytes_and_comes_back_once(door: Door) -> None:
    broken: dict[str, object] = {
        "type": "track",
        "userId": "u1",
        "timestamp": "2026-02-28T10:00:00Z",
    }
    door.take(broken, broken)
    (waiting,) = list_waiting(door.bench.store)
    assert waiting.message.raw == msgspec.json.encode(broken)
    assert waiting.message.body == broken
    assert waiting.message.received_at == NOW
    fixed = msgspec.json.encode(
        {**broken, "event": "Product Viewed", "properties": {"product_id": "p"}}
    )
    outcome = door.intake.retake([(waiting.id, mend(waiting, fixed))])
    assert [o.result for o in outcome] == ["stored"]
    assert list_waiting(door.bench.store) == []
    again = door.intake.retake([(waiting.id, mend(waiting, fixed))])
    assert [o.result for o in again] == ["duplicate"]
    assert len(door.bench.log()) == 1


def test_how_often_a_message_that_waits_came_is_counted(door: Door) -> None:
    """Of a thousand equal messages set aside one lay in quarantine, as if it had come once."""
    broken: dict[str, object] = {"type": "track", "userId": "u1", "messageId": "m1"}
    other: dict[str, object] = {"type": "huh"}
    door.take(broken, broken, other)
    door.take(broken)
    first, second = list_waiting(door.bench.store)
    assert (first.times, second.times) == (3, 1)
    with door.bench.store.read() as tx:
        dropped = sum(row.n for row in list_counts(tx, since=HOUR))
    assert dropped == first.times + second.times
    door.intake.retake([(first.id, first.message)])
    assert [each.times for each in list_waiting(door.bench.store)] == [3, 1]


def test_a_message_mended_in_vain_stays_at_its_place_with_the_bytes_it_came_with(
    door: Door,
) -> None:
    door.take({"type": "track", "userId": "u1", "messageId": "m1"}, {"type": "huh", "userId": "u2"})
    first, other = list_waiting(door.bench.store)
    fixed = b'{"type": "track", "messageId": "m1"}'
    door.intake.retake([(first.id, mend(first, fixed))], mended=True)
    assert list_waiting(door.bench.store) == [first, other]
    fixed = msgspec.json.encode(view(1))
    (taken,) = door.intake.retake([(first.id, mend(first, fixed))], mended=True)
    assert taken.result == "stored"
    assert list_waiting(door.bench.store) == [other]


def test_a_message_replayed_in_vain_stays_under_todays_reason(door: Door) -> None:
    yen = {"order_id": "o1", "total": 100, "currency": "JPY"}
    body = {**view(1), "event": "Order Completed", "properties": yen}
    door.take(body, {"type": "huh"})
    first, other = list_waiting(door.bench.store)
    assert first.reason == "currency_rate_missing"
    with door.bench.store.read() as tx:
        counted = list_counts(tx, since=HOUR)
    internal = msgspec.structs.replace(first.message, internal=True)
    door.intake.retake([(first.id, internal), (other.id, other.message)])
    again, same = list_waiting(door.bench.store)
    assert (again.id, again.message.raw, again.reason) == (
        first.id,
        first.message.raw,
        "internal_traffic",
    )
    assert same == other
    with door.bench.store.read() as tx:
        assert list_counts(tx, since=HOUR) == counted


def test_a_message_that_is_too_large_does_not_pass_by_being_replayed(door: Door) -> None:
    raw = msgspec.json.encode({**view(1), "more": "x" * 40_000})
    refused = DropReason.EVENT_TOO_LARGE
    door.intake.take([Message(body={}, raw=raw, received_at=NOW, source="web", refused=refused)])
    (waiting,) = list_waiting(door.bench.store)
    door.intake.retake([(waiting.id, waiting.message)])
    door.intake.retake([(waiting.id, mend(waiting, raw))], mended=True)
    assert [w.reason for w in list_waiting(door.bench.store)] == ["event_too_large"]
    fixed = mend(waiting, msgspec.json.encode(view(1)))
    assert door.intake.retake([(waiting.id, fixed)], mended=True)[0].result == "stored"


def test_a_message_leaves_quarantine_after_thirty_days(door: Door) -> None:
    door.take({"type": "track", "userId": "u1"})
    with door.bench.store.write() as tx:
        assert expire_waiting(tx, NOW + timedelta(days=29)) == 0
        assert expire_waiting(tx, NOW + timedelta(days=30)) == 1


def test_bytes_that_are_no_text_are_kept_as_they_are(door: Door) -> None:
    raw = b'\xff\xfe{"type"'
    door.intake.take([Message(body={}, raw=raw, received_at=NOW, source="web")])
    assert [w.message.raw for w in list_waiting(door.bench.store)] == [raw]


def test_one_message_that_the_database_refuses_takes_no_other_with_it(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoil(sent: Message, rules: Rules) -> Cleaned | Dropped:
        cleaned = clean(sent, rules)
        if not isinstance(cleaned, Cleaned) or cleaned.message.raw != poisoned.raw:
            return cleaned
        event = msgspec.structs.replace(cleaned.event, country="\ud800")  # no database takes it
        return msgspec.structs.replace(cleaned, event=event)

    poisoned = message(view(2))
    monkeypatch.setattr("lingxi.ingest.intake.clean", spoil)
    outcomes = door.intake.take([message(view(1)), poisoned, message(view(3))])
    assert [o.result for o in outcomes] == ["stored", "dropped", "stored"]
    assert [w.message.raw for w in list_waiting(door.bench.store)] == [poisoned.raw]


def test_the_ring_is_bounded_by_entries_and_by_bytes(door: Door) -> None:
    outcomes = door.take(*(view(i) for i in range(50)))
    few = Recent(entries=10)
    few(outcomes)
    assert [s.number for s in few.list()] == list(range(10, 0, -1))
    assert few.list()[0].outcome is outcomes[-1]
    small = Recent(size_bytes=10_000)
    small(outcomes)
    assert 0 < len(small) < 50
    assert small.size_bytes <= 10_000


def test_the_ring_lists_what_is_asked_for_and_forgets_a_person(door: Door) -> None:
    door.take(view(1), view(2, "u2"), {"type": "track", "userId": "u3"})
    assert len(door.recent.list()) == 3
    assert [s.outcome.result for s in door.recent.list(result="dropped")] == ["dropped"]
    assert len(door.recent.list(name="Product Viewed")) == 2
    (second,) = door.recent.list(after=2)
    assert door.recent.get(second.number) is second
    subject = door.recent.list(name="Product Viewed")[-1].outcome.subject
    assert subject is not None
    assert door.recent.forget([subject]) == 2  # theirs, and the one nobody can attribute
    assert len(door.recent.list()) == 1


def test_what_one_process_remembers_of_people_another_may_change(make_bench: MakeBench) -> None:
    bench = make_bench()
    first, second = (Intake(bench.store, bench.settings, bench.clock) for _ in range(2))
    browser = {**view(1), "userId": None, "anonymousId": "a1"}
    (before,) = first.take([message(browser)])
    login = {"type": "identify", "messageId": "m2", "userId": "u1", "anonymousId": "a1"}
    (known,) = second.take([message(login)])
    (after,) = first.take([message({**browser, "messageId": "m3"})])
    assert before.customer != known.customer or before.subject == known.subject
    assert after.customer == known.customer
    (merged,) = second.take([message({**browser, "messageId": "m4"})])
    assert merged.customer == known.customer


def test_a_lookup_of_a_failed_commit_is_not_remembered(make_bench: MakeBench) -> None:
    bench = make_bench()
    intake = Intake(bench.store, bench.settings, bench.clock)
    poison = msgspec.structs.replace(message(view(2)), body={**view(2), "messageId": "\ud800"})
    first = intake.take([message(view(1)), poison])
    again = intake.take([message(view(3))])
    assert first[0].subject == again[0].subject
    with bench.store.read() as tx:
        owners = set(tx.execute(select(identity.c.subject)).scalars())
    assert {e.subject for e in bench.log()} <= owners


def test_what_identifies_a_person_is_sealed_and_not_in_the_log(door: Door) -> None:
    traits = {"email": "ada@shop.example", "plan": "gold"}
    said = {"type": "identify", "messageId": "m1", "userId": "u1", "traits": traits}
    secret = {**view(2), "properties": {"product_id": "p1", "gift_message": "for my dear Ada"}}
    outcomes = door.take(said, secret, said)
    assert [o.result for o in outcomes] == ["stored", "stored", "duplicate"]
    customer = outcomes[0].customer
    assert customer is not None
    with door.bench.store.read() as tx:
        assert read_traits(door.bench.store, tx, customer) == traits
        kept = read_private(door.bench.store, tx, customer)
    assert kept == {"web:m2": {"gift_message": "for my dear Ada"}}
    logged = msgspec.json.encode(door.bench.log()).decode()
    assert "shop.example" not in logged
    assert "dear" not in logged


def test_a_trait_sent_again_later_does_not_undo_a_newer_one(door: Door) -> None:
    def say(number: int, plan: str, day: int) -> dict[str, object]:
        at = f"2026-02-{day:02d}T00:00:00Z"
        traits = {"plan": plan}
        return {"type": "identify", "messageId": f"m{number}", "userId": "u", "timestamp": at} | {
            "traits": traits
        }

    door.take(say(1, "silver", 1))
    (newer,) = door.take(say(2, "gold", 2))
    door.take(say(1, "silver", 1))
    assert newer.customer is not None
    with door.bench.store.read() as tx:
        assert read_traits(door.bench.store, tx, newer.customer) == {"plan": "gold"}


def test_a_database_that_contradicts_itself_sets_no_message_aside(door: Door) -> None:
    door.take(view(1))
    with door.bench.store.write() as tx:
        tx.execute(update(counter).where(counter.c.name == "event").values(value=0))
    with pytest.raises(StoreUnavailable):
        door.take(view(2))
    assert list_waiting(door.bench.store) == []


def test_taking_messages_lets_old_ones_go_from_quarantine(door: Door) -> None:
    door.take({"type": "track", "userId": "u1"})
    door.bench.clock.advance(timedelta(days=30))
    door.take(view(1))
    assert list_waiting(door.bench.store) == []


def test_a_long_transaction_is_kept_in_parts_that_know_of_each_other(
    make_bench: MakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person whom an earlier part of the transaction made, joined or rebuilt is the same one."""
    rng = random.Random(3)
    bodies = []
    for n in range(120):
        body = view(n - n % 11 % 2, f"u{rng.randrange(12)}")
        body["anonymousId"] = f"a{rng.randrange(9)}"
        if rng.random() < 0.4:
            del body["userId"]
        if rng.random() < 0.1:
            body |= {"event": "Signed Out"}
        bodies.append(body)
    told = []
    for at_once in (1_000, 10):
        bench = make_bench()
        monkeypatch.setattr(room, "AT_ONCE", at_once)
        asked: list[int] = []
        find_names = names_room._find

        def count(tx: Connection, names: Sequence[Name]) -> Sequence[tuple[object, ...]]:
            asked.append(len(names))  # noqa: B023
            return find_names(tx, names)  # noqa: B023

        with monkeypatch.context() as watched:
            watched.setattr(names_room, "_find", count)
            intake = Intake(bench.store, bench.settings, bench.clock)
            results = [each.result for each in intake.take([message(body) for body in bodies])]
        log = [(e.event_id, e.subject) for e in bench.log() if e.source == "web"]
        with bench.store.read() as tx:
            owners = tx.execute(select(identity.c.subject, identity.c.customer)).all()
        told.append((results, log, sorted(map(tuple, owners))))
        assert sum(asked) < 60  # a merge made it forget all others
    assert results.count("duplicate") > 5
    assert told[0] == told[1]


def stamped(number: int, minute: int, *, granted: bool) -> dict[str, object]:
    context = {"consent": {"categoryPreferences": {"Advertising": granted, "C0002": True}}}
    moment = f"2026-02-28T10:{minute:02}:00Z"
    return {**view(number), "timestamp": moment, "context": context}


def test_consent_that_every_message_bears_is_kept_where_it_is_news(make_bench: MakeBench) -> None:
    """Consent managers write it on each message, and some say it nowhere else: a refusal was not
    heard before the customer was identified."""
    plain = make_bench()
    plain.store.close()
    store = Store.open(
        plain.settings, plain.clock, tables=[metadata], projections=[ConsentProjection()]
    )
    bench = replace(plain, store=store)
    door = Door(bench, Intake(store, bench.settings, bench.clock), Recent())
    unsubscribed = {"purpose": "marketing", "channel": "email"}
    door.take({**view(0), "event": "Consent Withdrawn", "properties": unsubscribed})
    sent = [(1, 1, True), (2, 2, True), (3, 3, False), (4, 4, False), (5, 2, True), (6, 9, True)]
    for number, minute, granted in sent:
        door.take(stamped(number, minute, granted=granted))
    both = [stamped(7, 10, granted=False), stamped(8, 11, granted=False)]
    door.take(*both)
    said = [
        (e.name, e.properties["channel"], e.occurred_at.minute)
        for e in bench.log()
        if e.properties.get("purpose") == "marketing"
    ]
    assert said == [
        ("Consent Withdrawn", "email", 0),
        ("Consent Given", "on_site", 1),
        ("Consent Withdrawn", "*", 3),
        ("Consent Given", "on_site", 9),
        ("Consent Withdrawn", "*", 10),
    ]
    assert sum(e.properties.get("purpose") == "analytics" for e in bench.log()) == 1
    store.close()
