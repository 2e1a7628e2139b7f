"""The sender on PostgreSQL: what holds on SQLite holds there, to the letter of the same tests."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lingxi.app.rooms import METADATAS, PROJECTIONS
from lingxi.clock import FixedClock
from lingxi.config import Settings, StoreSettings
from lingxi.store import Store
from messaging.conftest import NOON
from messaging.kill_worker import make_settings
from messaging.test_killed import check_road
from messaging.test_queue import (
    test_a_message_is_queued_once_however_often_it_is_asked_for,
    test_what_is_read_is_what_was_queued,
)
from messaging.test_sender import (
    test_a_batch_takes_no_more_than_its_size_the_longest_waiting_first,
    test_a_message_goes_out_once_and_the_log_tells_it,
    test_a_run_that_takes_a_message_back_while_it_is_prepared_wins,
    test_after_a_merge_the_message_goes_to_who_the_customer_is_now,
    test_the_state_sending_is_committed_before_the_channel_is_asked,
    test_what_cannot_be_sent_is_skipped_with_its_reason,
)
from messaging.test_sender_interrupted import (
    test_a_deferred_message_is_tried_again_later_and_later_until_it_is_too_late,
    test_a_worker_that_dies_before_it_sends_delays_a_message_and_no_more,
    test_a_worker_that_dies_while_sending_leaves_marketing_unknown_and_loses_no_order,
    test_a_worker_that_wakes_after_its_lease_neither_sends_nor_takes_anything_back,
    test_an_answer_that_comes_late_settles_what_was_unknown,
    test_of_an_unclear_end_marketing_is_unknown_and_transactional_goes_again,
)
from messaging.test_sender_permits import (
    test_a_batch_of_many_reads_each_customer_as_they_are,
    test_an_address_barred_after_judging_is_not_written_to,
    test_consent_withdrawn_after_a_message_was_judged_still_keeps_it_back,
    test_limits_hold_within_one_batch,
    test_quiet_hours_of_the_customer_make_a_message_wait_for_their_end,
    test_who_withdrew_consent_gets_what_the_order_needs_and_nothing_else,
)

__all__ = [
    "test_a_batch_of_many_reads_each_customer_as_they_are",
    "test_a_batch_takes_no_more_than_its_size_the_longest_waiting_first",
    "test_a_deferred_message_is_tried_again_later_and_later_until_it_is_too_late",
    "test_a_message_goes_out_once_and_the_log_tells_it",
    "test_a_message_is_queued_once_however_often_it_is_asked_for",
    "test_a_run_that_takes_a_message_back_while_it_is_prepared_wins",
    "test_a_worker_that_dies_before_it_sends_delays_a_message_and_no_more",
    "test_a_worker_that_dies_while_sending_leaves_marketing_unknown_and_loses_no_order",
    "test_a_worker_that_wakes_after_its_lease_neither_sends_nor_takes_anything_back",
    "test_after_a_merge_the_message_goes_to_who_the_customer_is_now",
    "test_an_address_barred_after_judging_is_not_written_to",
    "test_an_answer_that_comes_late_settles_what_was_unknown",
    "test_consent_withdrawn_after_a_message_was_judged_still_keeps_it_back",
    "test_limits_hold_within_one_batch",
    "test_of_an_unclear_end_marketing_is_unknown_and_transactional_goes_again",
    "test_quiet_hours_of_the_customer_make_a_message_wait_for_their_end",
    "test_the_state_sending_is_committed_before_the_channel_is_asked",
    "test_what_cannot_be_sent_is_skipped_with_its_reason",
    "test_what_is_read_is_what_was_queued",
    "test_who_withdrew_consent_gets_what_the_order_needs_and_nothing_else",
]
pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.xdist_group("engines")]


@pytest.fixture(scope="module")
def new_tables(
    tmp_path_factory: pytest.TempPathFactory,
    fill_once: Callable[[Callable[[str], None]], tuple[str, Callable[[], str]]],
) -> Callable[[], str]:
    """Makes a database with all tables, which were made once, and nothing in them."""
    folder, clock = tmp_path_factory.mktemp("first"), FixedClock(NOON)

    def fill(address: str) -> None:
        settings = make_settings(folder, address)
        Store.open(settings, clock, projections=PROJECTIONS, tables=METADATAS).close()

    return fill_once(fill)[1]


@pytest.fixture
def settings(tmp_path: Path, new_tables: Callable[[], str]) -> Settings:
    return replace(Settings(folder=tmp_path), store=StoreSettings(url=new_tables()))


def test_it_is_postgresql(store: Store) -> None:
    assert store.engine.dialect.name == "postgresql"


def test_workers_killed_there_repeat_no_marketing_and_lose_no_order_either(
    tmp_path: Path, new_tables: Callable[[], str]
) -> None:
    counts = check_road(make_settings(tmp_path, new_tables()), n=200, workers=2, kills=1)
    assert counts["accepted"] > 0
