"""Exploration: stated propensities against frequencies, with a stated rate of false alarms."""

import numpy as np
import pytest
from scipy.stats import chi2

from lingxi.errors import InvalidInput
from lingxi.recommend.rerank import Exploring, explore

BEST = np.array([0, 1, 2, 3])
POOL = np.array([10, 11, 12, 13, 14])
DRAWS = 20_000
FALSE_ALARMS = 1e-6
"""Per place: a right sampler fails this test once in a million seeds; the seed is fixed."""


def draw_many(exploring: Exploring, fixed: np.ndarray, seed: int) -> tuple[np.ndarray, dict]:
    rng = np.random.default_rng(seed)
    lists = np.empty((DRAWS, len(BEST)), dtype=np.int64)
    stated: dict[tuple[int, int], float] = {}
    for at in range(DRAWS):
        found = explore(BEST, POOL, exploring, rng, fixed=fixed)
        lists[at] = found.items
        for place, item in enumerate(found.items.tolist()):
            p = float(found.propensities[place])
            assert stated.setdefault((place, item), p) == p
    return lists, stated


@pytest.mark.parametrize(
    ("exploring", "pinned"), [(Exploring(0.5), 1), (Exploring(0.3, first_place=1), 3)]
)
def test_stated_propensities_are_the_frequencies(exploring: Exploring, pinned: int) -> None:
    fixed = np.arange(4) == pinned
    lists, stated = draw_many(exploring, fixed, seed=11)
    for place in range(4):
        shown = {item: p for (at, item), p in stated.items() if at == place}
        assert sum(shown.values()) == pytest.approx(1.0)
        expected = np.array(list(shown.values())) * DRAWS
        seen = np.array([(lists[:, place] == item).sum() for item in shown])
        if len(shown) == 1:
            assert seen.tolist() == [DRAWS]
            continue
        statistic = float(((seen - expected) ** 2 / expected).sum())
        assert statistic < chi2.ppf(1 - FALSE_ALARMS, len(shown) - 1), place


def test_the_frequency_test_would_see_a_wrong_propensity() -> None:
    lists, _ = draw_many(Exploring(0.5), np.zeros(4, dtype=np.bool_), seed=11)
    wrong = {0: 0.53, **dict.fromkeys(POOL.tolist(), 0.47 / 5)}
    expected = np.array(list(wrong.values())) * DRAWS
    seen = np.array([(lists[:, 0] == item).sum() for item in wrong])
    assert float(((seen - expected) ** 2 / expected).sum()) > chi2.ppf(1 - FALSE_ALARMS, 5)


def test_the_propensity_of_the_list_is_its_frequency() -> None:
    rng = np.random.default_rng(3)
    best, pool = np.array([0, 1]), np.array([7, 8])
    counts: dict[tuple[int, ...], int] = {}
    logs: dict[tuple[int, ...], float] = {}
    for _ in range(DRAWS):
        found = explore(best, pool, Exploring(0.4), rng)
        key = tuple(found.items.tolist())
        counts[key] = counts.get(key, 0) + 1
        logs[key] = found.log_propensity
    assert sum(np.exp(list(logs.values()))) == pytest.approx(1.0)
    expected = np.exp(np.array([logs[key] for key in counts])) * DRAWS
    seen = np.array(list(counts.values()))
    assert float(((seen - expected) ** 2 / expected).sum()) < chi2.ppf(1 - FALSE_ALARMS, 6)


def test_the_same_state_gives_the_same_list() -> None:
    first = explore(BEST, POOL, Exploring(0.5), np.random.default_rng(5))
    again = explore(BEST, POOL, Exploring(0.5), np.random.default_rng(5))
    assert first.items.tolist() == again.items.tolist()


def test_the_share_of_explored_places_is_the_one_asked_for() -> None:
    rng = np.random.default_rng(1)
    exploring = Exploring(0.25, first_place=2)
    explored = [explore(BEST, POOL, exploring, rng).explored for _ in range(4000)]
    # binomial over 4000 lists of 4 places: standard error below 0.005, six of them allowed
    assert abs(np.mean(explored) - 0.25) < 0.03
    assert not np.array(explored)[:, :2].any()


def test_too_small_a_pool_means_no_exploration_and_certainty() -> None:
    found = explore(BEST, POOL[:3], Exploring(1.0), np.random.default_rng(0))
    assert found.items.tolist() == BEST.tolist()
    assert found.propensities.tolist() == [1.0] * 4
    assert found.log_propensity == 0.0


def test_everything_may_be_explored() -> None:
    found = explore(BEST, POOL, Exploring(1.0), np.random.default_rng(0))
    assert found.explored.all()
    assert found.propensities.tolist() == [0.2] * 4
    assert found.log_propensity == pytest.approx(-np.log(5 * 4 * 3 * 2))


@pytest.mark.parametrize("pool", [[3, 10], [10, 10]])
def test_a_pool_that_repeats_an_item_is_refused(pool: list[int]) -> None:
    with pytest.raises(InvalidInput, match="pool"):
        explore(BEST, np.array(pool), Exploring(0.5), np.random.default_rng(0))


@pytest.mark.parametrize("wrong", [{"share": 1.5}, {"share": -0.1}, {"first_place": -1}])
def test_settings_outside_of_their_range_are_refused(wrong: dict) -> None:
    with pytest.raises(InvalidInput):
        Exploring(**wrong)
