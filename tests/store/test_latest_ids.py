"""The latest messages are found by their ids, and take sixteen bytes each."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingxi.store import latest_ids
from lingxi.store.id_runs import digest, to_words
from lingxi.store.latest_ids import LatestIds


def put(latest: LatestIds, places: dict[str, int]) -> None:
    latest.put(places, list(map(digest, places)))


def ask(latest: LatestIds, ids: Sequence[str]) -> set[int]:
    return set(latest.find(ids, np.sort(to_words(map(digest, ids)))))


def test_each_message_past_the_last_few_takes_sixteen_bytes() -> None:
    """They were texts, numbers and places in a map, three hundred bytes each."""
    latest = LatestIds()
    n = 3 * latest_ids.FEW
    for start in range(0, n, 100):
        put(latest, {f"web:{number}": number + 1 for number in range(start, start + 100)})
    assert len(latest._places) == len(latest._digests) == len(latest._positions) < latest_ids.FEW
    assert latest.size_bytes == 16 * (len(latest) - len(latest._places))
    assert len(latest) == -(-n // 100) * 100
    asked = [f"web:{number}" for number in range(-5, n, 61)]
    assert ask(latest, asked) == {number + 1 for number in range(-5, n, 61) if number >= 0}
    words, positions = latest.take(n // 2)
    assert sorted(positions.tolist()) == list(range(1, n // 2 + 1))
    assert (np.diff(words.astype(object)) >= 0).all()
    assert latest.size_bytes == 16 * len(latest)
    assert ask(latest, asked) == {each + 1 for each in range(-5, n, 61) if each >= n // 2}


@settings(max_examples=30, deadline=None)
@given(
    batches=st.lists(st.sets(st.integers(0, 400), max_size=9), max_size=12),
    hashes=st.integers(1, 40),
    few=st.integers(1, 12),
)
def test_every_position_of_a_hash_is_told_and_none_without_a_reason(
    batches: list[set[int]], hashes: int, few: int
) -> None:
    """With few hashes many ids share one: then each of their positions may be the one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(latest_ids, "FEW", few)
        latest, last = LatestIds(), 0
        everything: dict[str, int] = {}

        def stand_for(number: int) -> bytes:
            return (number % hashes * 2**58).to_bytes(8, "little")

        for batch in batches:
            new = {f"web:{n}": p for p, n in enumerate(sorted(batch), last + 1)}
            new = {i: p for i, p in new.items() if i not in everything}
            latest.put(new, [stand_for(int(i[4:])) for i in new])
            everything |= new
            last += len(batch)
        all_found: set[int] = set()
        for number in range(0, 401, 7):
            found = set(latest.find([f"web:{number}"], to_words([stand_for(number)])))
            own = everything.get(f"web:{number}")
            same = {p for i, p in everything.items() if int(i[4:]) % hashes == number % hashes}
            assert found <= same
            assert own is None or own in found
            all_found |= found
        asked = range(0, 401, 7)  # so many are looked for all at once
        words = np.sort(to_words(map(stand_for, asked)))
        assert set(latest.find([f"web:{number}" for number in asked], words)) == all_found
