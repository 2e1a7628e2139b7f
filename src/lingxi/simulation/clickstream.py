"""The web tracking: what the shop's pages report of each visit."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingxi.schema import Name
from lingxi.simulation.baskets import Looks, Market
from lingxi.simulation.columns import Columns
from lingxi.simulation.settings import SimulationSettings
from lingxi.simulation.visits import Visits
from lingxi.simulation.vocabulary import BROWSERS, CATEGORIES, CUSTOM_EVENTS

EVENT_NAMES = (
    Name.PRODUCTS_SEARCHED.value,
    Name.PRODUCT_VIEWED.value,
    Name.SIGNED_UP.value,
    Name.PRODUCT_ADDED.value,
    Name.PRODUCT_REMOVED.value,
    Name.CHECKOUT_STARTED.value,
    *CUSTOM_EVENTS,
)
SEARCHED, VIEWED, SIGNED_UP, ADDED, REMOVED, CHECKOUT = range(6)
SEARCH_SHARE = 0.16
REMOVE_SHARE = 0.2
ABANDON_SHARE = 0.35
LOGGED_IN_SHARE = 0.8
QUERIES = tuple(text.lower() for words in CATEGORIES for text in (*words.nouns, words.name))


@dataclass(frozen=True)
class Clicks(Columns):
    """Web events: ``people`` is an index or -1 for bots; ``sessions`` a number unique to a visit;
    ``devices`` a number unique to a browser, -1 for none; ``items`` -1 for none and beyond the
    catalogue for unknown ones; ``queries`` -1 for none; ``known`` says that the user id is sent;
    ``names_as`` 1 writes the name in lower case, ``timed`` false leaves the time out."""

    names: NDArray[np.int64]
    moments: NDArray[np.int64]
    people: NDArray[np.int64]
    sessions: NDArray[np.int64]
    devices: NDArray[np.int64]
    agents: NDArray[np.int64]
    items: NDArray[np.int64]
    queries: NDArray[np.int64]
    quantities: NDArray[np.int64]
    known: NDArray[np.bool_]
    names_as: NDArray[np.int64]
    timed: NDArray[np.bool_]


@dataclass(frozen=True)
class _Steps(Columns):
    """What happens on visits, before it is known who sends it."""

    names: NDArray[np.int64]
    moments: NDArray[np.int64]
    visits: NDArray[np.int64]
    items: NDArray[np.int64]
    queries: NDArray[np.int64]
    quantities: NDArray[np.int64]


def _make_steps(
    name: int,
    moments: NDArray[np.int64],
    visits: NDArray[np.int64],
    items: NDArray[np.int64] | None = None,
    queries: NDArray[np.int64] | None = None,
    quantities: NDArray[np.int64] | None = None,
) -> _Steps:
    none = np.full(len(visits), -1)
    return _Steps(
        names=np.full(len(visits), name),
        moments=moments,
        visits=visits,
        items=none if items is None else items,
        queries=none if queries is None else queries,
        quantities=none if quantities is None else quantities,
    )


def _name_queries(market: Market) -> NDArray[np.int64]:
    """For each item the index in QUERIES of what people type to find it: its noun."""
    wide = len(CATEGORIES[0].nouns) + 1
    found = []
    for name, category in zip(market.assortment.names, market.assortment.categories, strict=True):
        nouns = CATEGORIES[category].nouns
        place = next((i for i, noun in enumerate(nouns) if noun in name), wide - 1)
        found.append(int(category) * wide + place)
    return np.array(found)


def _search(looks: Looks, market: Market, rng: np.random.Generator) -> _Steps:
    rows = np.flatnonzero(rng.random(len(looks.items)) < SEARCH_SHARE)
    items = looks.items[rows]
    broad = rng.random(len(rows)) < 0.3
    wide = len(CATEGORIES[0].nouns) + 1
    whole = market.assortment.categories[items] * wide + wide - 1
    queries = np.where(broad, whole, _name_queries(market)[items])
    return _make_steps(SEARCHED, looks.moments[rows] - 6, looks.visits[rows], queries=queries)


def _cart(looks: Looks, rng: np.random.Generator) -> _Steps:
    add = np.flatnonzero(looks.added)
    drop = add[~looks.bought[add] & (rng.random(len(add)) < REMOVE_SHARE)]
    steps = [
        _make_steps(
            name,
            looks.moments[rows] + later,
            looks.visits[rows],
            items=looks.items[rows],
            quantities=looks.quantities[rows],
        )
        for name, rows, later in ((ADDED, add, 4), (REMOVED, drop, 20))
    ]
    return steps[0].join(steps[1])


def _check_out(visits: Visits, looks: Looks, rng: np.random.Generator) -> _Steps:
    last = np.zeros(visits.size, np.int64)
    np.maximum.at(last, looks.visits, looks.moments)
    filled = np.bincount(looks.visits[looks.added], minlength=visits.size) > 0
    begun = visits.ordered | (filled & (rng.random(visits.size) < ABANDON_SHARE))
    rows = np.flatnonzero(begun)
    return _make_steps(CHECKOUT, last[rows] + 30, rows)


def record_clicks(
    visits: Visits,
    looks: Looks,
    market: Market,
    settings: SimulationSettings,
    rng: np.random.Generator,
) -> Clicks:
    """The clean web events of the period, in order of time; no orders among them.

    A customer's user id is sent only when logged in and not before signing up, so some of what
    customers do is left to their device's anonymous id.
    """
    opened = looks.moments[looks.places == 0]
    joined = np.flatnonzero(visits.first)
    steps = _search(looks, market, rng)
    steps = steps.join(_make_steps(VIEWED, looks.moments, looks.visits, items=looks.items))
    steps = steps.join(_make_steps(SIGNED_UP, opened[joined] + 3, joined))
    steps = steps.join(_cart(looks, rng)).join(_check_out(visits, looks, rng))
    seen = ~visits.ordered | visits.first | (rng.random(visits.size) < settings.tracked_share)
    steps = steps.take(seen[steps.visits] & (steps.moments < settings.seconds))
    steps = steps.take(np.argsort(steps.moments, kind="stable"))
    return _sign(steps, visits, opened, market, rng)


def _sign(
    steps: _Steps,
    visits: Visits,
    opened: NDArray[np.int64],
    market: Market,
    rng: np.random.Generator,
) -> Clicks:
    """Say for each step who sends it, from which browser."""
    registered = visits.people < market.population.n_customers
    logged_in = visits.ordered | visits.first | (rng.random(visits.size) < LOGGED_IN_SHARE)
    since = np.where(visits.first, opened + 3, -1)
    known = (registered & logged_in)[steps.visits] & (steps.moments >= since[steps.visits])
    second = rng.random(visits.size) < 0.2
    devices = visits.people * 2 + second
    order = np.empty(visits.size, np.int64)
    order[np.argsort(visits.moments, kind="stable")] = np.arange(visits.size)
    n = len(steps.names)
    return Clicks(
        names=steps.names,
        moments=steps.moments,
        people=visits.people[steps.visits],
        sessions=order[steps.visits],
        devices=devices[steps.visits],
        agents=(devices * 7 % 11 % len(BROWSERS))[steps.visits],
        items=steps.items,
        queries=steps.queries,
        quantities=steps.quantities,
        known=known,
        names_as=np.zeros(n, np.int64),
        timed=np.ones(n, bool),
    )
