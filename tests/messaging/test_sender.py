"""The sender: every state on the way out, and what can never be sent."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from lingxi.messaging import Parcel, SkipReason, message_id
from lingxi.messaging.nouns import Accepted, Outcome
from lingxi.messaging.sending.judgement import Skip
from lingxi.messaging.sending.record import hide_addresses
from messaging.conftest import NOON, make_message
from messaging.sender_bench import Bench

AddCustomer = Callable[..., int]


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


def test_a_run_that_takes_a_message_back_while_it_is_prepared_wins(
    bench: Bench, add_customer: AddCustomer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lingxi.messaging import cancel_messages

    message = make_message(add_customer("ada", email="a@example.org"), journey="j", run="r")
    bench.queue(message)
    judge_all = bench.sender._judge_all

    def judge_and_cancel(*args: Any) -> object:
        found = list(judge_all(*args))
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


def test_ids_are_the_causes_own() -> None:
    made = {message_id(run, node, epoch) for run in "ab" for node in ("a", "b") for epoch in (1, 2)}
    assert len(made) == 8
    assert message_id("a", "b1", 2) != message_id("ab", "1", 2)
