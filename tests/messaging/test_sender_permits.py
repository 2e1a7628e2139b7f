"""Consent, barred addresses, other rooms' objections, limits and quiet hours at send time."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from lingxi.errors import InvalidSetting
from lingxi.ingest.consent import consent_event
from lingxi.messaging import SkipReason
from lingxi.messaging.email.suppression import Reason, suppress
from lingxi.messaging.nouns import Failed
from lingxi.messaging.sending.judgement import SendCheck
from messaging.conftest import NOON, make_message
from messaging.sender_bench import Bench

AddCustomer = Callable[..., int]


def after_judging(bench: Bench, monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Let something happen between the judgement of a batch and the moment it is sent."""
    judge_all = bench.sender._judge_all

    def judge_and_act(*args: Any) -> object:
        found = list(judge_all(*args))
        act()
        return found

    monkeypatch.setattr(bench.sender, "_judge_all", judge_and_act)


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
        SendCheck("stock", lambda _tx, ms, _now: {m.id: SkipReason.OUT_OF_STOCK for m in ms}),
        SendCheck("never", lambda _tx, _ms, _now: {}, transactional=True),
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


@pytest.mark.parametrize("caps", [("often",), ("all 2/month",), ("channel 1/day",)])
def test_limits_that_cannot_be_read_are_refused(
    remake: Callable[..., Bench], caps: tuple[str, ...]
) -> None:
    with pytest.raises(InvalidSetting, match=r"messaging\.caps"):
        remake(caps=caps)


def test_consent_withdrawn_after_a_message_was_judged_still_keeps_it_back(
    bench: Bench, add_customer: AddCustomer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read for a batch is old by the time it is sent: it is asked again with the lock."""
    ada, bob = (add_customer(name, email=f"{name}@example.org") for name in ("ada", "bob"))
    news, order = make_message(ada, "1"), make_message(ada, "2", message_class="transactional")
    promo, other = make_message(ada, "3", category="promo"), make_message(bob, "4")
    bench.queue(news, order, promo, other)
    words = [
        consent_event(
            ada, "marketing", "email", granted=False, now=NOON, source="test", category="news"
        )
    ]
    after_judging(bench, monkeypatch, lambda: bench.store.log.append(words))
    assert bench.run() == {"skipped": 1, "accepted": 3}
    assert bench.row(news)["reason"] == "preferences"
    assert news.id not in [parcel.message_id for parcel in bench.sink.arrived]
    assert "Message Skipped" in bench.names()


def test_all_consent_withdrawn_after_judging_keeps_back_whatever_advertises(
    bench: Bench, add_customer: AddCustomer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = add_customer("ada", email="a@example.org")
    news, order = make_message(ada, "1"), make_message(ada, "2", message_class="transactional")
    bench.queue(news, order)
    words = [consent_event(ada, "marketing", "*", granted=False, now=NOON, source="test")]
    after_judging(bench, monkeypatch, lambda: bench.store.log.append(words))
    assert bench.run() == {"skipped": 1, "accepted": 1}
    assert bench.row(news)["reason"] == "no_consent"


@pytest.mark.parametrize(
    ("reason", "kept"), [(Reason.COMPLAINT, {"news"}), (Reason.HARD_BOUNCE, {"news", "order"})]
)
def test_an_address_barred_after_judging_is_not_written_to(
    bench: Bench,
    add_customer: AddCustomer,
    monkeypatch: pytest.MonkeyPatch,
    reason: Reason,
    kept: set[str],
) -> None:
    ada = add_customer("ada", email="A@example.org")
    messages = {
        "news": make_message(ada, "1"),
        "order": make_message(ada, "2", message_class="transactional"),
    }
    bench.queue(*messages.values())

    def bar() -> None:
        with bench.store.write() as tx:
            suppress(tx, bench.store.keyring.blind("a@example.org"), reason, NOON)

    after_judging(bench, monkeypatch, bar)
    bench.run()
    states = {name: bench.row(message)["reason"] for name, message in messages.items()}
    assert {name for name, said in states.items() if said == "suppressed"} == kept


def test_a_batch_of_many_reads_each_customer_as_they_are(
    bench: Bench, add_customer: AddCustomer
) -> None:
    """More customers than are read at once, each with their own traits and words."""
    people = [
        add_customer(f"c{n}", email=f"c{n}@example.org", first_name=f"N{n}") for n in range(60)
    ]
    refused = set(people[::7])
    bench.store.log.append(
        [
            consent_event(each, "marketing", "email", granted=False, now=NOON, source="test")
            for each in sorted(refused)
        ]
    )
    messages = {each: make_message(each, str(each)) for each in people}
    bench.queue(*messages.values())
    bench.run()
    arrived = {p.customer: (p.recipient.address, p.recipient.name) for p in bench.sink.arrived}
    wanted = {
        each: (f"c{n}@example.org", f"N{n}") for n, each in enumerate(people) if each not in refused
    }
    assert arrived == wanted
    assert {bench.row(messages[each])["reason"] for each in refused} == {"no_consent"}
