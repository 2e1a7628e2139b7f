"""Deferred, unclear and late answers; workers that die or wake after their lease."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from lingxi.messaging import Parcel
from lingxi.messaging.nouns import Accepted, Deferred, Outcome, Unclear
from lingxi.messaging.sending.claim import claim_due
from lingxi.messaging.tables import message as table
from messaging.conftest import NOON, make_message
from messaging.sender_bench import Bench

AddCustomer = Callable[..., int]


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

    def sleep_and_deliver(ready: Any) -> object:
        bench.clock.advance(timedelta(seconds=121))
        assert bench.run(fast) == {"accepted": 1}
        return deliver_one(ready)

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
