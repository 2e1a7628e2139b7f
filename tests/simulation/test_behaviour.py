"""What the simulated people do follows from the truth they were given.

Where a statistic is tested, the chance that a right simulation fails is below 1e-6 by the stated
distribution; the seeds are fixed besides.
"""

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import datetime

import numpy as np
import pyarrow.compute as pc
import pytest
from scipy import stats

from lingxi.simulation import PRESETS, Simulated, SimulationSettings, simulate
from lingxi.simulation.assortment import Assortment, draw_assortment
from lingxi.simulation.baskets import REORDER_SHARE, Market, browse, call_back, live
from lingxi.simulation.choice import choose_categories, choose_items, utility
from lingxi.simulation.population import DAY, Population, draw_population
from lingxi.simulation.seasons import Seasons, make_seasons
from lingxi.simulation.visits import Visits, draw_visits, order_probabilities

ALPHA = 1e-6
World = tuple[Assortment, Population, Seasons]


@pytest.fixture(scope="module")
def world(settings: SimulationSettings) -> World:
    rng = np.random.default_rng(0)
    assortment = draw_assortment(settings, rng)
    seasons = make_seasons(settings.start, settings.days, assortment.n_categories)
    return assortment, draw_population(settings, seasons, assortment.n_categories, rng), seasons


def test_visits_are_poisson_at_each_persons_rate(world: World) -> None:
    """Sum of (seen - expected)² / expected over people with one expected visit or more."""
    _, population, seasons = world
    steady = replace(population, one_time=np.zeros(population.size, bool))
    end = len(seasons.demand) * DAY
    visits, _ = draw_visits(steady, seasons, end, np.random.default_rng(1))
    low, high = np.maximum(steady.arrivals, 0), np.minimum(steady.leaves, end)
    expected = steady.visits_per_day * seasons.between(low, high)
    seen = np.bincount(visits.people, minlength=steady.size) - (steady.arrivals >= 0)
    busy = (expected >= 1) & (steady.arrivals < 0)
    total = stats.norm.isf(ALPHA / 2) * np.sqrt(expected[busy].sum())
    assert abs(seen[busy].sum() - expected[busy].sum()) < total
    spread = ((seen - expected) ** 2 / expected)[busy]
    bound = stats.norm.isf(ALPHA / 2) * np.sqrt((2 + 1 / expected[busy]).sum())
    assert abs(spread.sum() - busy.sum()) < bound


def test_nobody_comes_after_leaving(world: World) -> None:
    _, population, seasons = world
    end = len(seasons.demand) * DAY
    visits, left = draw_visits(population, seasons, end, np.random.default_rng(1))
    assert (visits.moments < left[visits.people]).all()
    assert (left <= population.leaves).all()


def test_no_order_follows_the_recorded_leaving(shop: Simulated) -> None:
    left = dict(
        zip(
            shop.truth["customers"]["customer_id"].to_pylist(),
            shop.truth["customers"]["left_at"].to_pylist(),
            strict=True,
        )
    )
    last: dict[str, datetime] = {}
    for row in shop.truth["orders"].to_pylist():
        if row["customer_id"] is not None and row["goods_cents"] < 1_000_000:
            last[row["customer_id"]] = row["occurred_at"]
    late = [
        customer
        for customer, moment in last.items()
        if left[customer] is not None and (moment - left[customer]).total_seconds() > 3_600
    ]
    assert not late


def test_one_time_buyers_order_once(shop: Simulated) -> None:
    truth = shop.truth["customers"]
    once = set(truth.filter(truth["one_time"])["customer_id"].to_pylist())
    ordinary = shop.truth["orders"].filter(pc.less(shop.truth["orders"]["goods_cents"], 1_000_000))
    counts = Counter(ordinary["customer_id"].to_pylist())
    assert {counts[customer] for customer in once} == {0, 1}


def test_share_of_one_time_buyers_is_like_that_of_real_shops() -> None:
    """Band 0.38 to 0.52 around 0.45 for 4,100 buyers: 9 standard errors either way."""
    demo = simulate(PRESETS["demo"])
    counts = Counter(demo.truth["orders"]["customer_id"].drop_null().to_pylist())
    share = sum(n == 1 for n in counts.values()) / len(counts)
    assert 0.38 < share < 0.52


def test_more_active_customers_order_more(shop: Simulated) -> None:
    """Spearman's rank correlation, more than the bound that independence passes with ALPHA."""
    truth = shop.truth["customers"]
    counts = Counter(shop.truth["orders"]["customer_id"].to_pylist())
    orders = [counts[customer] for customer in truth["customer_id"].to_pylist()]
    activity = truth["visits_per_day"].to_numpy()
    steady = ~truth["one_time"].to_numpy(zero_copy_only=False)
    result = stats.spearmanr(activity[steady], np.array(orders)[steady])
    assert result.statistic > 0.25
    assert result.pvalue < ALPHA


def test_categories_are_chosen_by_taste_and_season(world: World) -> None:
    """Chi-square of 50,000 choices of one person on one day."""
    _, population, seasons = world
    person, day, n = 3, 120, 50_000
    people, days = np.full(n, person), np.full(n, day)
    chosen = choose_categories(population, seasons, people, days, np.random.default_rng(2))
    weights = population.tastes[person] * seasons.category_demand[day]
    expected = n * weights / weights.sum()
    seen = np.bincount(chosen, minlength=len(expected))
    likely = expected >= 5
    statistic = ((seen - expected) ** 2 / expected)[likely].sum()
    assert statistic < stats.chi2.isf(ALPHA, int(likely.sum()) - 1)


def test_tastes_can_be_recovered_from_purchases(shop: Simulated) -> None:
    """A buyer's most bought category is far more often the favourite than chance has it."""
    customers = shop.truth["customers"]
    tastes = [name for name in customers.column_names if name.startswith("taste_")]
    matrix = np.column_stack([customers[name].to_numpy() for name in tastes])
    favourite = dict(zip(customers["customer_id"].to_pylist(), matrix.argmax(axis=1), strict=True))
    category = dict(
        zip(shop.items["item_id"].to_pylist(), shop.items["category"].to_pylist(), strict=True)
    )
    bought: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in shop.orders.to_pylist():
        if row["customer_id"] and row["stock_code"] in category and row["quantity"] > 0:
            bought[row["customer_id"]][category[row["stock_code"]]] += 1
    hits = [
        tastes[favourite[customer]] == f"taste_{counts.most_common(1)[0][0]}"
        for customer, counts in bought.items()
        if counts.total() >= 8
    ]
    assert len(hits) > 300
    guess = max(np.bincount(list(favourite.values()))) / len(favourite)
    assert stats.binomtest(sum(hits), len(hits), 2 * guess, alternative="greater").pvalue < ALPHA


def test_utility_falls_with_price_and_rises_with_style(world: World) -> None:
    assortment, population, _ = world
    person, day = np.array([0]), np.array([10])
    items = np.arange(assortment.n_items)
    base = utility(assortment, population, person, items, day)
    dearer = replace(assortment, base_price_cents=assortment.base_price_cents.copy())
    dearer.base_price_cents[0] *= 2
    sensitivity = population.price_sensitivities[0]
    median_moves = assortment.categories == assortment.categories[0]
    change = utility(dearer, population, person, items, day) - base
    assert change[0] <= -0.5 * sensitivity * np.log(2)
    assert np.allclose(change[~median_moves], 0.0)
    fitting = replace(assortment, styles=assortment.styles.copy())
    fitting.styles[0] = 3 * population.styles[0]
    assert utility(fitting, population, person, items, day)[0] > base[0]


def test_items_are_not_chosen_before_their_launch(world: World) -> None:
    assortment, population, _ = world
    rng = np.random.default_rng(3)
    n = 40_000
    people, days = rng.integers(0, population.size, n), rng.integers(0, 400, n)
    categories = rng.integers(0, assortment.n_categories, n)
    items = choose_items(assortment, population, people, categories, days, rng)
    assert (assortment.launch_days[items] <= days).all()
    assert (assortment.categories[items] == categories).all()


def test_order_probability_is_a_logit_of_eagerness_and_occasion(world: World) -> None:
    _, population, seasons = world
    flat = replace(seasons, demand=np.ones_like(seasons.demand))
    eager = replace(population, eagerness=np.zeros(population.size))
    people, days = np.array([0, 1]), np.array([0, 5])
    chances = order_probabilities(eager, flat, people, days, np.array([0.0, np.log(3.0)]))
    assert chances.tolist() == pytest.approx([0.5, 0.75])


def test_used_up_goods_call_back_after_their_cycle(world: World) -> None:
    """Waits are log-normal around the cycle: the mean log ratio is 0 within 5 standard errors.

    Hours of the day blur a wait by up to a day, so only cycles of 30 days and more are here anyway.
    """
    assortment, population, seasons = world
    market = Market(assortment, replace(population, leaves=population.leaves * 0 + 10**9), seasons)
    rng = np.random.default_rng(4)
    people = np.flatnonzero(np.arange(population.size) < population.n_customers)
    n = len(people)
    used_up = np.flatnonzero(assortment.cycle_days > 0)
    none = np.zeros(n, bool)
    visits = Visits(people, np.full(n, 10 * DAY), ~none, none, np.full(n, -1))
    looks = replace(browse(visits, market, rng).take(np.arange(n)), visits=np.arange(n))
    looks = replace(looks, items=rng.choice(used_up, n), bought=~none)
    again = call_back(visits, looks, market.population.leaves, market, 400 * DAY, rng)
    assert abs(again.size - REORDER_SHARE * n) < stats.norm.isf(ALPHA / 2) * np.sqrt(n / 4)
    item_of = dict(zip(people, looks.items, strict=True))
    assert [item_of[person] for person in again.people] == again.wanted.tolist()
    waits = again.days - 10 + 0.5
    logs = np.log(waits / assortment.cycle_days[again.wanted])
    assert abs(logs.mean()) < 5 * 0.18 / np.sqrt(again.size)
    assert again.ordered.mean() > 0.75


def test_lasting_goods_call_nobody_back(world: World) -> None:
    assortment, population, seasons = world
    lasting = replace(assortment, cycle_days=np.zeros_like(assortment.cycle_days))
    market = Market(lasting, population, seasons)
    end = len(seasons.demand) * DAY
    visits, left = draw_visits(population, seasons, end, np.random.default_rng(1))
    every, looks = live(visits, left, market, end, np.random.default_rng(5))
    assert every.size == visits.size
    assert (np.bincount(looks.visits, minlength=every.size) >= 1).all()
    ordered = np.bincount(looks.visits[looks.bought], minlength=every.size) > 0
    assert (ordered == every.ordered).all()


def test_christmas_outsells_summer(shop: Simulated) -> None:
    months = Counter(moment.month for moment in shop.truth["orders"]["occurred_at"].to_pylist())
    assert months[12] > 1.3 * months[7]
