"""The sender: every state on the way, every reason to skip, limits, retries, and lost workers."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from lingxi.app.rooms import METADATAS, PROJECTIONS
from lingxi.clock import FixedClock
from lingxi.config import ConsentSettings, MessagingSettings, Settings
from lingxi.errors import InvalidSetting
from lingxi.ingest.consent import consent_event
from lingxi.messaging import Message, Parcel, SkipReason, message_id, queue_messages
from lingxi.messaging.nouns import Accepted, Content, Deferred, Failed, Outcome, Unclear
from lingxi.messaging.sending.claim import claim_due
from lingxi.messaging.sending.judgement import Composed, SendCheck, Skip
from lingxi.messaging.sending.record import hide_addresses
from lingxi.messaging.sending.sender import Sender
from lingxi.messaging.tables import message as table
from lingxi.store import Store
from messaging.conftest import NOON, make_message

AddCustomer = Callable[..., int]


class Sink:
    """Counts what arrives, and answers what it is told to."""

    name, address_trait = "email", "email"

    def __init__(self) -> None:
        self.arrived: list[Parcel] = []
        self.answers: list[Outcome | Exception] = []
        self.closed = False

    def deliver(self, parcel: Parcel) -> Outcome:
        self.arrived.append(parcel)
        answer = self.answers.pop(0) if self.answers else Accepted("ok")
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        self.closed = True


class SimpleComposer:
    """The same text for everybody, or why there is none."""

    def __init__(self) -> None:
        self.skip: Skip | None = None

    def compose(self, *_: object) -> Composed | Skip:
        return self.skip or Composed(Content(subject="Hi", text="Hello"), 4)


class Bench:
    """A sender with its sink, on a store whose time stands still."""

    def __init__(self, store: Store, clock: FixedClock) -> None:
        self.store, self.clock = store, clock
        self.sink, self.composer = Sink(), SimpleComposer()
        self.senders: list[Sender] = []
        self.sender = self.make()

    def make(self, checks: Sequence[SendCheck] = ()) -> Sender:
        sender = Sender(self.store, {"email": self.sink}, self.composer, checks=checks)
        self.senders.append(sender)
        return sender

    def queue(self, *messages: Message) -> None:
        with self.store.write() as tx:
            queue_messages(self.store, tx, messages)

    def run(self, sender: Sender | None = None) -> dict[str, int]:
        return (sender or self.sender).run_once(self.clock.now())

    def row(self, message: Message) -> sa.RowMapping:
        with self.store.read() as tx:
            query = sa.select(table).where(table.c.id == message.id)
            return tx.execute(query).mappings().one()

    def names(self) -> list[str]:
        return [event.name for event in self.store.log.read() if event.source == "messaging"]


@pytest.fixture
def bench(store: Store, clock: FixedClock) -> Iterator[Bench]:
    made = Bench(store, clock)
    yield made
    for sender in made.senders:
        sender.close()


@pytest.fixture
def remake(tmp_path: Path, clock: FixedClock) -> Iterator[Callable[..., Bench]]:
    """A bench whose settings of messages are others."""
    made: list[Bench] = []

    def make(consent: str = "assumed", **changes: object) -> Bench:
        settings = Settings(
            folder=tmp_path,
            messaging=replace(MessagingSettings(), **changes),  # type: ignore[arg-type]
            consent=ConsentSettings(marketing=consent),
        )
        opened = Store.open(settings, clock, projections=PROJECTIONS, tables=METADATAS)
        made.append(Bench(opened, clock))
        return made[-1]

    yield make
    for each in made:
        each.sender.close()
        each.store.close()


def test_a_message_goes_out_once_and_the_log_tells_it(
    bench: Bench, add_customer: AddCustomer
) -> None:
    message = make_message(add_customer("ada", email="ada@example.org", first_name="Ada"))
    bench.queue(message)
    assert bench.run() == {"accepted": 1}
    assert bench.run() == {}
    [parcel] = bench.sink.arrived
    assert (parcel.message_id, parcel.attempt) == (message.id, 1)
    assert (parcel.recipient.address, parcel.recipient.name) == ("ada@example.org", "Ada")
    row = bench.row(message)
    assert (row["state"], row["reference"], row["template_version"]) == ("accepted", "ok", 4)
    assert (row["due_at"], row["sent_at"], row["ended_at"]) == (None, NOON, NOON)
    assert bench.names() == ["Message Queued", "Message Accepted"]


def test_the_state_sending_is_committed_before_the_channel_is_asked(
    bench: Bench, add_customer: AddCustomer, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = make_message(add_customer("ada", email="ada@example.org"))
    seen: list[str] = []

    def deliver(_parcel: Parcel) -> Outcome:
        seen.append(bench.row(message)["state"])
        return Accepted()

    monkeypatch.setattr(bench.sink, "deliver", deliver)
    bench.queue(message)
    bench.run()
    assert seen == ["sending"]


def test_nothing_is_sent_before_its_time(bench: Bench, add_customer: AddCustomer) -> None:
    message = make_message(
        add_customer("ada", email="a@example.org"), not_before=NOON + timedelta(minutes=5)
    )
    bench.queue(message)
    assert bench.run() == {}
    bench.clock.advance(timedelta(minutes=5))
    assert bench.run() == {"accepted": 1}


@pytest.mark.parametrize(
    ("changes", "traits", "reason"),
    [
        ({}, {}, SkipReason.NO_ADDRESS),
        ({"channel": "pigeon"}, {"email": "a@example.org"}, SkipReason.NO_CHANNEL),
        ({"customer": 999_999}, {"email": "a@example.org"}, SkipReason.NO_CUSTOMER),
        ({"send_before": NOON}, {"email": "a@example.org"}, SkipReason.TOO_LATE),
        (
            {"queued_at": NOON - timedelta(hours=73)},
            {"email": "a@example.org"},
            SkipReason.TOO_LATE,
        ),
    ],
)
def test_what_cannot_be_sent_is_skipped_with_its_reason(
    bench: Bench,
    add_customer: AddCustomer,
    changes: dict[str, object],
    traits: dict[str, str],
    reason: SkipReason,
) -> None:
    message = make_message(**{"customer": add_customer("ada", **traits), **changes})  # type: ignore[arg-type]
    bench.queue(message)
    assert bench.run() == {"skipped": 1}
    row = bench.row(message)
    assert (row["state"], row["reason"], row["due_at"]) == ("skipped", reason.value, None)
    assert bench.store.log.read()[-1].properties["reason"] == reason.value
    assert bench.sink.arrived == []


def test_a_text_with_a_hole_is_held_back(bench: Bench, add_customer: AddCustomer) -> None:
    message = make_message(add_customer("ada", email="a@example.org"))
    bench.composer.skip = Skip(SkipReason.UNRESOLVED, "coupon.code")
    bench.queue(message)
    bench.run()
    row = bench.row(message)
    assert (row["reason"], row["detail"]) == ("unresolved", "coupon.code")


def test_who_withdrew_consent_gets_what_the_order_needs_and_nothing_else(
    bench: Bench, add_customer: AddCustomer
) -> None:
    ada = add_customer("ada", email="a@example.org")
    bench.store.log.append(
        [consent_event(ada, "marketing", "email", granted=False, now=NOON, source="test")]
    )
    news = make_message(ada, "news")
    order = make_message(ada, "order", message_class="transactional")
    bench.queue(news, order)
    assert bench.run() == {"skipped": 1, "accepted": 1}
    assert bench.row(news)["reason"] == "no_consent"
    assert [parcel.message_id for parcel in bench.sink.arrived] == [order.id]


def test_silence_is_no_consent_where_the_shop_requires_it(
    remake: Callable[..., Bench], add_customer: AddCustomer
) -> None:
    bench = remake(consent="required")
    ada = add_customer("ada", email="a@example.org")
    bench.queue(make_message(ada, "1"))
    assert bench.run() == {"skipped": 1}
    bench.store.log.append(
        [consent_event(ada, "marketing", "*", granted=True, now=NOON, source="test")]
    )
    bench.queue(make_message(ada, "2"))
    assert bench.run() == {"accepted": 1}


def test_other_rooms_keep_messages_back_and_say_why(
    bench: Bench, add_customer: AddCustomer
) -> None:
    ada = add_customer("ada", email="a@example.org")
    checks = [
        SendCheck("stock", lambda _tx, _m, _now: SkipReason.OUT_OF_STOCK),
        SendCheck("never", lambda _tx, _m, _now: None, transactional=True),
    ]
    news, order = make_message(ada, "1"), make_message(ada, "2", message_class="transactional")
    bench.queue(news, order)
    assert bench.run(bench.make(checks)) == {"skipped": 1, "accepted": 1}
    assert (bench.row(news)["reason"], bench.row(news)["detail"]) == ("out_of_stock", "stock")


@pytest.mark.parametrize(
    ("caps", "reasons"),
    [
        (("all 2/day",), [None, None, "global_cap", "global_cap"]),
        (("channel:email 1/day",), [None, "channel_cap", "channel_cap", "channel_cap"]),
        (("category:promo 1/week",), [None, None, None, "category_cap"]),
        (("channel:sms 0/day", "all 3/week"), [None, None, None, "global_cap"]),
    ],
)
def test_limits_hold_within_one_batch(
    remake: Callable[..., Bench],
    add_customer: AddCustomer,
    caps: tuple[str, ...],
    reasons: list[str | None],
) -> None:
    bench = remake(caps=caps)
    ada = add_customer("ada", email="a@example.org")
    messages = [
        make_message(ada, str(n), category=category, queued_at=NOON - timedelta(minutes=9 - n))
        for n, category in enumerate(["news", "promo", "news", "promo"])
    ]
    bench.queue(*messages)
    bench.run()
    states = [bench.row(message) for message in messages]
    assert [row["reason"] for row in states] == reasons
    assert len(bench.sink.arrived) == reasons.count(None)


def test_a_new_day_of_the_customer_makes_room_and_a_failure_never_takes_any(
    remake: Callable[..., Bench], add_customer: AddCustomer
) -> None:
    bench = remake(caps=("all 1/day",), quiet_hours="")
    ada = add_customer("ada", email="a@example.org", timezone="Asia/Shanghai")  # 20:00 there
    bench.sink.answers = [Failed("bad_mailbox")]
    bench.queue(make_message(ada, "1"))
    assert bench.run() == {"failed": 1}
    bench.queue(make_message(ada, "2"))
    assert bench.run() == {"accepted": 1}
    bench.queue(make_message(ada, "3"))
    assert bench.run() == {"skipped": 1}
    bench.clock.advance(timedelta(hours=4))
    bench.queue(make_message(ada, "4", queued_at=bench.clock.now()))
    assert bench.run() == {"accepted": 1}


def test_quiet_hours_of_the_customer_make_a_message_wait_for_their_end(
    bench: Bench, add_customer: AddCustomer
) -> None:
    tokyo = add_customer("ada", email="a@example.org", timezone="Asia/Tokyo")  # 21:00 there
    news = make_message(tokyo, "1")
    late = make_message(tokyo, "2", send_before=NOON + timedelta(hours=3))
    order = make_message(tokyo, "3", message_class="transactional")
    bench.queue(news, late, order)
    assert bench.run() == {"skipped": 1, "waiting": 1, "accepted": 1}
    assert bench.row(late)["reason"] == "too_late"
    assert bench.row(news)["due_at"] == NOON + timedelta(hours=11)
    bench.clock.advance(timedelta(hours=11) - timedelta(seconds=1))
    assert bench.run() == {}
    bench.clock.advance(timedelta(seconds=1))
    assert bench.run() == {"accepted": 1}


def test_a_deferred_message_is_tried_again_later_and_later_until_it_is_too_late(
    bench: Bench, add_customer: AddCustomer
) -> None:
    message = make_message(
        add_customer("ada", email="a@example.org"), send_before=NOON + timedelta(minutes=8)
    )
    bench.sink.answers = [Deferred(0, "busy", "451 a@example.org")] * 9
    bench.queue(message)
    pauses: list[float] = []
    while bench.row(message)["state"] == "queued":
        before = bench.clock.now()
        bench.run()
        due: datetime | None = bench.row(message)["due_at"]
        if due is None:
            break
        pauses.append((due - before).total_seconds())
        bench.clock.advance(due - before)
    assert pauses == [60.0, 120.0, 240.0]
    row = bench.row(message)
    assert (row["state"], row["reason"], row["detail"]) == ("failed", "busy", "451 …")
    assert [parcel.attempt for parcel in bench.sink.arrived] == [1, 2, 3, 4]


def test_what_was_held_back_before_it_was_tried_waits_as_long_as_it_is_told(
    bench: Bench, add_customer: AddCustomer
) -> None:
    message = make_message(add_customer("ada", email="a@example.org"))
    bench.sink.answers = [Deferred(2, "rate", tried=False)] * 3
    bench.queue(message)
    for _ in range(3):
        assert bench.run() == {"deferred": 1}
        bench.clock.advance(timedelta(seconds=2))
    assert bench.run() == {"accepted": 1}
    assert bench.row(message)["attempts"] == 1


@pytest.mark.parametrize("answer", [Unclear("timeout"), OSError("gone")])
def test_of_an_unclear_end_marketing_is_unknown_and_transactional_goes_again(
    bench: Bench, add_customer: AddCustomer, answer: Outcome | Exception
) -> None:
    ada = add_customer("ada", email="a@example.org")
    news, order = make_message(ada, "1"), make_message(ada, "2", message_class="transactional")
    bench.sink.answers = [answer, answer]
    bench.queue(news, order)
    assert bench.run() == {"unknown": 1, "deferred": 1}
    bench.clock.advance(timedelta(days=1))
    assert bench.run() == {"accepted": 1}
    sent = [parcel.message_id for parcel in bench.sink.arrived]
    assert (sent.count(news.id), sent.count(order.id)) == (1, 2)
    assert bench.row(news)["state"] == "unknown"


def test_a_worker_that_dies_while_sending_leaves_marketing_unknown_and_loses_no_order(
    bench: Bench, add_customer: AddCustomer
) -> None:
    ada = add_customer("ada", email="a@example.org")
    news, order = make_message(ada, "1"), make_message(ada, "2", message_class="transactional")
    bench.queue(news, order)
    with bench.store.write() as tx:  # the worker is gone between its commit and the answer
        lease = NOON + timedelta(seconds=120)
        tx.execute(sa.update(table).values(state="sending", due_at=lease, fence=1, attempts=1))
    assert bench.run() == {}
    bench.clock.advance(timedelta(seconds=121))
    assert bench.run() == {"unknown": 1, "accepted": 1}
    assert [(p.message_id, p.attempt) for p in bench.sink.arrived] == [(order.id, 2)]
    assert bench.row(news)["reason"] == "interrupted"
    assert "Message Unknown" in bench.names()


def test_a_worker_that_dies_before_it_sends_delays_a_message_and_no_more(
    bench: Bench, add_customer: AddCustomer
) -> None:
    message = make_message(add_customer("ada", email="a@example.org"))
    bench.queue(message)
    claimed = claim_due(bench.store, "dead", NOON, 10)
    assert len(claimed.claims) == 1
    assert bench.run() == {}
    bench.clock.advance(timedelta(seconds=121))
    assert bench.run() == {"accepted": 1}


def test_a_worker_that_wakes_after_its_lease_neither_sends_nor_takes_anything_back(
    bench: Bench, add_customer: AddCustomer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other worker has sent it in the meantime."""
    order = make_message(add_customer("ada", email="a@example.org"), message_class="transactional")
    bench.queue(order)
    slow, fast = bench.make(), bench.make()
    deliver_one = slow._deliver_one

    def sleep_and_deliver(ready: object) -> object:
        bench.clock.advance(timedelta(seconds=121))
        assert bench.run(fast) == {"accepted": 1}
        return deliver_one(ready)  # type: ignore[arg-type]

    monkeypatch.setattr(slow, "_deliver_one", sleep_and_deliver)
    assert bench.run(slow) == {"stale": 1}
    assert len(bench.sink.arrived) == 1
    assert bench.row(order)["state"] == "accepted"


def test_an_answer_that_comes_late_settles_what_was_unknown(
    bench: Bench, add_customer: AddCustomer, monkeypatch: pytest.MonkeyPatch
) -> None:
    news = make_message(add_customer("ada", email="a@example.org"))
    bench.queue(news)
    other = bench.make()

    def deliver(_parcel: Parcel) -> Outcome:
        bench.clock.advance(timedelta(seconds=121))
        assert bench.run(other) == {"unknown": 1}
        return Accepted("late")

    monkeypatch.setattr(bench.sink, "deliver", deliver)
    assert bench.run() == {"accepted": 1}
    assert bench.row(news)["state"] == "accepted"
    assert bench.names() == ["Message Queued", "Message Unknown", "Message Accepted"]


def test_a_run_that_takes_a_message_back_while_it_is_prepared_wins(
    bench: Bench, add_customer: AddCustomer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lingxi.messaging import cancel_messages

    message = make_message(add_customer("ada", email="a@example.org"), journey="j", run="r")
    bench.queue(message)
    judge_all = bench.sender._judge_all

    def judge_and_cancel(*args: object) -> object:
        found = list(judge_all(*args))  # type: ignore[arg-type]
        with bench.store.write() as tx:
            assert cancel_messages(bench.store, tx, [("j", "r")], NOON) == 1
        return found

    monkeypatch.setattr(bench.sender, "_judge_all", judge_and_cancel)
    assert bench.run() == {}
    assert bench.sink.arrived == []
    assert bench.row(message)["reason"] == "cancelled"


def test_after_a_merge_the_message_goes_to_who_the_customer_is_now(
    bench: Bench, add_customer: AddCustomer
) -> None:
    from lingxi.store.tables import identity

    old, new = add_customer("old", email="old@example.org"), add_customer("new")
    bench.queue(make_message(old))
    with bench.store.write() as tx:
        tx.execute(sa.update(identity).where(identity.c.subject == old).values(customer=new))
    assert bench.run() == {"accepted": 1}


def test_a_batch_takes_no_more_than_its_size_the_longest_waiting_first(
    remake: Callable[..., Bench], add_customer: AddCustomer
) -> None:
    bench = remake(batch=2, caps=())
    ada = add_customer("ada", email="a@example.org")
    messages = [make_message(ada, str(n), queued_at=NOON - timedelta(minutes=n)) for n in range(5)]
    bench.queue(*messages)
    assert [sum(bench.run().values()) for _ in range(4)] == [2, 2, 1, 0]
    sent = [parcel.message_id for parcel in bench.sink.arrived]
    assert set(sent[:2]) == {messages[4].id, messages[3].id}


def test_addresses_and_numbers_never_stay_in_what_a_server_said() -> None:
    told = "550 5.1.1 <ada.b+x@example.org>: +44 20 7946 0018, token Xyz-1"
    assert hide_addresses(told, "Xyz-1") == "550 5.1.1 <…>: …, token …"


@pytest.mark.parametrize("caps", [("often",), ("all 2/month",), ("channel 1/day",)])
def test_limits_that_cannot_be_read_are_refused(
    remake: Callable[..., Bench], caps: tuple[str, ...]
) -> None:
    with pytest.raises(InvalidSetting, match=r"messaging\.caps"):
        remake(caps=caps)


def test_ids_are_the_causes_own() -> None:
    made = {message_id(run, node, epoch) for run in "ab" for node in ("a", "b") for epoch in (1, 2)}
    assert len(made) == 8
    assert message_id("a", "b1", 2) != message_id("ab", "1", 2)
