"""Who is not written to, why, and how they may be again."""

from datetime import UTC, datetime, timedelta

import pytest

from lingxi.errors import InvalidInput
from lingxi.messaging.email.suppression import (
    Reason,
    count_suppressed,
    get_suppressed,
    is_suppressed,
    list_suppressed,
    note_soft_bounce,
    release,
    suppress,
)
from lingxi.messaging.nouns import MARKETING, TRANSACTIONAL
from lingxi.store import Store

NOW = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.mark.parametrize("reason", list(Reason))
def test_a_reason_decides_what_may_still_be_sent(store: Store, reason: Reason) -> None:
    everything = reason in (Reason.HARD_BOUNCE, Reason.SOFT_BOUNCES, Reason.MANUAL)
    with store.write() as tx:
        assert suppress(tx, "a" * 64, reason, NOW, detail="x" * 500)
        assert is_suppressed(tx, "a" * 64, MARKETING)
        assert is_suppressed(tx, "a" * 64, TRANSACTIONAL) is everything
        assert not is_suppressed(tx, "b" * 64, MARKETING)


def test_a_weaker_reason_never_takes_a_stronger_ones_place(store: Store) -> None:
    with store.write() as tx:
        assert suppress(tx, "a", Reason.UNSUBSCRIBE, NOW)
        assert not suppress(tx, "a", Reason.COMPLAINT, NOW)
        assert suppress(tx, "a", Reason.HARD_BOUNCE, NOW)
        assert not suppress(tx, "a", Reason.UNSUBSCRIBE, NOW + timedelta(days=1))
        found = get_suppressed(tx, "a")
        assert found is not None
        assert (found.reason, found.at) == ("hard_bounce", NOW)


def test_they_are_listed_counted_and_released(store: Store) -> None:
    with store.write() as tx:
        for number, reason in enumerate(Reason):
            suppress(tx, f"{number}" * 64, reason, NOW)
        assert [row.reason for row in list_suppressed(tx, n=2)] == ["hard_bounce", "soft_bounces"]
        rest = list_suppressed(tx, after="1" * 64)
        assert [row.address_hash[0] for row in rest] == ["2", "3", "4"]
        assert [row.reason for row in list_suppressed(tx, reason="manual")] == ["manual"]
        assert count_suppressed(tx) == dict.fromkeys(sorted(Reason), 1)
        assert not release(tx, "0" * 64, reasons=[Reason.UNSUBSCRIBE])
        assert release(tx, "0" * 64)
        assert not release(tx, "0" * 64)
        with pytest.raises(InvalidInput, match="choose one of hard_bounce"):
            list_suppressed(tx, reason="boredom")


def test_soft_bounces_are_counted_by_message(store: Store) -> None:
    with store.write() as tx:
        counted = [note_soft_bounce(tx, "a", message, 1, NOW) for message in ("m1", "m2", "m2")]
        assert counted == [1, 2, 2]
        assert note_soft_bounce(tx, "b", "m1", 1, NOW) == 1
        release(tx, "a")
        assert note_soft_bounce(tx, "a", "m3", 1, NOW) == 1
