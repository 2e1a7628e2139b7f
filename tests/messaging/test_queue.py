"""Into the queue once, told to the log once, and taken back only while nobody sends it."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from lingxi.errors import InvalidInput
from lingxi.messaging import cancel_messages, forget, queue_message, queue_messages
from lingxi.messaging.queue import read_message
from lingxi.messaging.tables import message as table
from lingxi.store import Store
from messaging.conftest import NOON, make_message

AddCustomer = Callable[..., int]


def list_names(store: Store) -> list[str]:
    return [e.name for e in store.log.read()]


def test_a_message_is_queued_once_however_often_it_is_asked_for(
    store: Store, add_customer: AddCustomer
) -> None:
    message = make_message(add_customer("ada"))
    with store.write() as tx:
        assert queue_message(store, tx, message)
        assert not queue_message(store, tx, message)
    with store.write() as tx:
        assert queue_messages(store, tx, [message, message]) == 0
    assert list_names(store) == ["Message Queued"]


def test_what_is_read_is_what_was_queued(store: Store, add_customer: AddCustomer) -> None:
    message = make_message(
        add_customer("ada"),
        not_before=NOON + timedelta(hours=1),
        send_before=NOON + timedelta(days=1),
        context={"order": "A-1", "n": 2, "yes": True, "none": None},
        journey="welcome",
        run="7",
        node="mail",
        message_class="transactional",
        template_version=3,
    )
    with store.write() as tx:
        queue_message(store, tx, message)
        row = tx.execute(sa.select(table)).mappings().one()
    assert read_message(row) == message
    assert row["due_at"] == NOON + timedelta(hours=1)
    [event] = store.log.read()
    assert (event.subject, event.properties["journey"]) == (message.customer, "welcome")


def test_nothing_is_queued_when_the_callers_transaction_fails(
    store: Store, add_customer: AddCustomer
) -> None:
    message = make_message(add_customer("ada"))

    def queue_and_fail() -> None:
        with store.write() as tx:
            queue_message(store, tx, message)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        queue_and_fail()
    with store.write() as tx:
        assert queue_message(store, tx, message)
    assert list_names(store) == ["Message Queued"]


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "short"},
        {"id": "Z" * 32},
        {"message_class": "urgent"},
        {"template": ""},
        {"channel": "c" * 33},
        {"category": "c" * 65},
        {"queued_at": datetime(2026, 1, 1)},  # noqa: DTZ001
    ],
)
def test_what_cannot_be_kept_is_refused_before_anything_is_queued(
    store: Store, changes: dict[str, object]
) -> None:
    good, bad = make_message(1, "good"), make_message(1, "bad", **changes)
    with store.write() as tx, pytest.raises(InvalidInput):
        queue_messages(store, tx, [good, bad])
    assert list_names(store) == []


def test_a_run_takes_back_its_own_messages_and_no_others(
    store: Store, add_customer: AddCustomer
) -> None:
    ada = add_customer("ada")
    mine = make_message(ada, "1", journey="j", run="1")
    sent = make_message(ada, "2", journey="j", run="1")
    other = make_message(ada, "3", journey="j", run="2")
    with store.write() as tx:
        queue_messages(store, tx, [mine, sent, other])
        tx.execute(sa.update(table).where(table.c.id == sent.id).values(state="sending"))
        assert cancel_messages(store, tx, [("j", "1")], NOON) == 1
        assert cancel_messages(store, tx, [("j", "1")], NOON) == 0
        states = {row[0]: row[1] for row in tx.execute(sa.select(table.c.id, table.c.state))}
    assert states == {mine.id: "skipped", sent.id: "sending", other.id: "queued"}
    assert list_names(store)[-1] == "Message Skipped"


def test_an_erased_customers_messages_are_gone(store: Store, add_customer: AddCustomer) -> None:
    ada, bob = add_customer("ada"), add_customer("bob")
    with store.write() as tx:
        queue_messages(store, tx, [make_message(ada, "1"), make_message(bob, "2")])
        assert forget(tx, frozenset({ada})) == 1
        assert tx.execute(sa.select(table.c.customer)).scalars().all() == [bob]
