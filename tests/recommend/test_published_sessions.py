"""Session models beside published lists of the YooChoose 100k sample, event by event."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data" / "yoochoose_100k"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"needs the data set at {DATA}"),
]


@pytest.fixture(scope="module")
def found():
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        from published_sessions import compare_all

        return compare_all(DATA)
    finally:
        sys.path.remove(str(ROOT / "benchmarks"))


@pytest.mark.parametrize("name", ["ar", "sr"])
def test_rules_give_the_published_lists_but_for_the_order_of_equal_scores(found, name):
    assert found[name]["events"] >= 383  # the published SR lists are empty on four events
    assert found[name]["same_but_ties"] == 1.0
    assert found[name]["same_outcome"] == 1.0
    assert found[name]["overlap"] > 0.93


def test_session_neighbours_give_the_published_hits(found):
    """Equal similarities at the last neighbour's place are in another order: 3 in 100 differ."""
    assert found["vsknn"]["events"] == 387
    assert found["vsknn"]["same_outcome"] >= 0.99
    assert found["vsknn"]["overlap"] > 0.97
    assert abs(found["vsknn"]["our_hits"] - found["vsknn"]["published_hits"]) <= 1
