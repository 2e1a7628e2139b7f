"""What a customer chooses holds for what is sent, as words of consent with where and when."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from lingxi.errors import InvalidInput
from lingxi.ingest.consent import list_consent
from lingxi.messaging.email import Reason, is_suppressed, suppress
from lingxi.messaging.email.double_opt_in import ask_opt_in, confirm, find_request, list_requests
from lingxi.messaging.email.preferences import (
    TEXT_VERSION,
    allows,
    put_preferences,
    read_preferences,
    unsubscribe,
)
from lingxi.messaging.email.tokens import Purpose, Ticket, tag_of
from lingxi.store import Store

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
ADDRESS = "mei@customer.example"
Add = Callable[..., int]


@pytest.fixture
def ticket(store: Store, add_customer: Add) -> Ticket:
    customer = add_customer("mei", email=ADDRESS, phone="+447700900123", language="zh")
    tag = tag_of(store.keyring.blind(ADDRESS))
    return Ticket(Purpose.PREFERENCES, "ab" * 16, customer, tag)


def _allowed(store: Store, ticket: Ticket) -> set[tuple[str, str]]:
    with store.read() as tx:
        return {
            (category, channel)
            for category in ("offers", "news", "reminders", "")
            for channel in ("email", "sms")
            if allows(tx, store.settings.consent, ticket.customer, channel, category)
        }


def _suppressed(store: Store) -> bool:
    with store.read() as tx:
        return is_suppressed(tx, store.keyring.blind(ADDRESS), "marketing")


def test_each_category_and_channel_is_chosen_by_itself(store: Store, ticket: Ticket) -> None:
    wanted = {("offers", "email"): True, ("reminders", "sms"): True}
    kept = put_preferences(store, store.settings, ticket, wanted, NOW)
    assert kept is not None
    assert kept.channels == ("email", "sms")
    assert {choice for choice, yes in kept.choices.items() if yes} == set(wanted)
    assert _allowed(store, ticket) == {*wanted, ("", "email"), ("", "sms")}
    with store.read() as tx:
        said = list_consent(tx, ticket.customer)
    assert {(w.purpose, w.channel, w.granted) for w in said} == {
        ("marketing/news", "email", False),
        ("marketing/reminders", "email", False),
        ("marketing/news", "sms", False),
        ("marketing/offers", "sms", False),
    }
    assert {(w.source, w.text_version) for w in said} == {("preference_centre", TEXT_VERSION)}


def test_the_same_choice_again_says_nothing_new(store: Store, ticket: Ticket) -> None:
    wanted = {("offers", "email"): True}
    put_preferences(store, store.settings, ticket, wanted, NOW)
    position = store.log.position()
    put_preferences(store, store.settings, ticket, wanted, NOW + timedelta(days=1))
    assert store.log.position() == position


def test_nothing_at_all_is_a_goodbye_and_can_be_taken_back(store: Store, ticket: Ticket) -> None:
    put_preferences(store, store.settings, ticket, {}, NOW)
    assert _allowed(store, ticket) == set()
    assert _suppressed(store)
    later = NOW + timedelta(days=1)
    kept = put_preferences(store, store.settings, ticket, {("news", "email"): True}, later)
    assert kept is not None
    assert kept.choices["news", "email"]
    assert not _suppressed(store)
    assert _allowed(store, ticket) == {("news", "email"), ("", "email")}


def test_unsubscribing_ends_what_advertises_by_email_and_nothing_else(
    store: Store, ticket: Ticket
) -> None:
    assert unsubscribe(store, store.settings, ticket, NOW, source="one_click")
    assert {channel for _, channel in _allowed(store, ticket)} == {"sms"}
    position = store.log.position()
    assert unsubscribe(store, store.settings, ticket, NOW, source="one_click")
    assert store.log.position() == position
    with store.read() as tx:
        assert is_suppressed(tx, store.keyring.blind(ADDRESS), "marketing")
        assert not is_suppressed(tx, store.keyring.blind(ADDRESS), "transactional")
        known = read_preferences(store, tx, store.settings, ticket)
    assert known is not None
    assert not any(yes for (_, channel), yes in known.choices.items() if channel == "email")


def test_an_old_ticket_of_another_address_leaves_the_new_one_alone(
    store: Store, ticket: Ticket
) -> None:
    other = Ticket(Purpose.UNSUBSCRIBE, ticket.message_id, ticket.customer, "00" * 5)
    assert unsubscribe(store, store.settings, other, NOW, source="one_click")
    assert not _suppressed(store)  # the person's word counts, the address is another
    assert {channel for _, channel in _allowed(store, ticket)} == {"sms"}


def test_nobody_is_asked_about_nobody(store: Store) -> None:
    gone = Ticket(Purpose.PREFERENCES, "ab" * 16, 999_999, "00" * 5)
    assert put_preferences(store, store.settings, gone, {}, NOW) is None
    assert not unsubscribe(store, store.settings, gone, NOW, source="x")


def test_a_dead_address_stays_dead_whatever_is_chosen(store: Store, ticket: Ticket) -> None:
    with store.write() as tx:
        suppress(tx, store.keyring.blind(ADDRESS), Reason.HARD_BOUNCE, NOW)
    kept = put_preferences(store, store.settings, ticket, {("news", "email"): True}, NOW)
    assert kept is not None
    assert kept.suppressed == "hard_bounce"
    assert _suppressed(store)


def test_only_the_customers_own_yes_counts(store: Store, ticket: Ticket) -> None:
    unsubscribe(store, store.settings, ticket, NOW, source="one_click")
    with store.write() as tx:
        asked = ask_opt_in(
            store, tx, ticket.customer, NOW, category="news", source="footer", text_version="v3"
        )
        again = ask_opt_in(store, tx, ticket.customer, NOW, category="news")
    assert (asked.state, again.id) == ("pending", asked.id)  # nobody is asked twice at once
    assert ("news", "email") not in _allowed(store, ticket)
    link = Ticket(Purpose.OPT_IN, asked.id, ticket.customer, ticket.tag)
    later = NOW + timedelta(days=2)
    done = confirm(store, link, later, days=7)
    assert done is not None
    assert (done.state, done.confirmed_at) == ("confirmed", later)
    assert ("news", "email") in _allowed(store, ticket)
    assert not _suppressed(store)
    with store.read() as tx:
        said = [w for w in list_consent(tx, ticket.customer) if w.granted]
    assert {(w.source, w.text_version) for w in said} == {("double_opt_in", "v3")}
    position = store.log.position()
    again_done = confirm(store, link, later, days=7)
    assert again_done is not None
    assert store.log.position() == position


def test_a_request_expires_and_belongs_to_its_address(store: Store, ticket: Ticket) -> None:
    with store.write() as tx:
        asked = ask_opt_in(store, tx, ticket.customer, NOW)
    late = NOW + timedelta(days=8)
    link = Ticket(Purpose.OPT_IN, asked.id, ticket.customer, ticket.tag)
    found = confirm(store, link, late, days=7)
    assert found is not None
    assert found.state == "expired"
    with store.read() as tx:
        assert [each.state for each in list_requests(tx, late, days=7)] == ["expired"]
        other = Ticket(Purpose.OPT_IN, asked.id, ticket.customer, "00" * 5)
        assert find_request(tx, other, NOW, days=7) is None


def test_who_cannot_be_written_to_is_not_asked(store: Store, add_customer: Add) -> None:
    nobody, dead = add_customer("ann"), add_customer("bo", email="bo@customer.example")
    with store.write() as tx:
        suppress(tx, store.keyring.blind("bo@customer.example"), Reason.HARD_BOUNCE, NOW)
        with pytest.raises(InvalidInput, match="no e-mail address"):
            ask_opt_in(store, tx, nobody, NOW)
        with pytest.raises(InvalidInput, match="hard_bounce"):
            ask_opt_in(store, tx, dead, NOW)
