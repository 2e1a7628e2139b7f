"""The dirt of real web tracking, put in on purpose and counted."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lingxi.simulation.clickstream import CHECKOUT, VIEWED, Clicks
from lingxi.simulation.pool import Pool
from lingxi.simulation.settings import SimulationSettings
from lingxi.simulation.vocabulary import BOTS, BROWSERS, CUSTOM_EVENTS

LONG_PAST = 0
FAR_FUTURE = 7_258_118_400
UNKNOWN_ITEMS = 20
VIEWS_PER_CRAWL = 40


def _crawl(clicks: Clicks, settings: SimulationSettings, rng: np.random.Generator) -> Clicks:
    """Views by crawlers, one a second, each crawl from a browser of its own."""
    crawls = round(settings.dirt.bot * len(clicks.names) / VIEWS_PER_CRAWL)
    crawls = max(1, crawls) if settings.dirt.bot > 0 else 0
    n = crawls * VIEWS_PER_CRAWL
    of = np.repeat(np.arange(crawls), VIEWS_PER_CRAWL)
    begins = rng.integers(0, settings.seconds - 2 * VIEWS_PER_CRAWL, crawls)
    none = np.full(n, -1)
    return Clicks(
        names=np.full(n, VIEWED),
        moments=begins[of] + np.tile(np.arange(VIEWS_PER_CRAWL), crawls),
        people=none,
        sessions=int(clicks.sessions.max(initial=0)) + 1 + of,
        devices=int(clicks.devices.max(initial=0)) + 1 + of,
        agents=len(BROWSERS) + rng.integers(0, len(BOTS), crawls)[of],
        items=rng.integers(0, settings.items, n),
        queries=none,
        quantities=none,
        known=np.zeros(n, bool),
        names_as=np.zeros(n, np.int64),
        timed=np.ones(n, bool),
    )


def _invent(clicks: Clicks, rows: NDArray[np.int64], end: int, rng: np.random.Generator) -> Clicks:
    """Events of the shop's own making, ten seconds after a look."""
    own = clicks.take(rows)
    none = np.full(len(rows), -1)
    names = CHECKOUT + 1 + rng.integers(0, len(CUSTOM_EVENTS), len(rows))
    return replace(own, names=names, moments=np.minimum(own.moments + 10, end - 1), items=none)


def _spoil(
    clicks: Clicks, pool: Pool, settings: SimulationSettings, rng: np.random.Generator
) -> Clicks:
    """Times, products, identities and names gone wrong."""
    dirt = settings.dirt
    timed, moments = clicks.timed.copy(), clicks.moments.copy()
    items, devices = clicks.items.copy(), clicks.devices.copy()
    known, names_as = clicks.known.copy(), clicks.names_as.copy()
    timed[pool.take("missing_time", dirt.missing_time)] = False
    absurd = pool.take("absurd_time", dirt.absurd_time)
    epochs = np.where(rng.random(len(absurd)) < 0.5, LONG_PAST, FAR_FUTURE)
    moments[absurd] = epochs - int(settings.start.timestamp())
    items[pool.take("missing_product", dirt.missing_product)] = -1
    strange = pool.take("unknown_product", dirt.unknown_product)
    items[strange] = settings.items + rng.integers(0, UNKNOWN_ITEMS, len(strange))
    lost = pool.take("missing_identity", dirt.missing_identity)
    devices[lost], known[lost] = -1, False
    names_as[pool.take("odd_name", dirt.odd_name)] = 1
    return replace(
        clicks,
        timed=timed,
        moments=moments,
        items=items,
        devices=devices,
        known=known,
        names_as=names_as,
    )


def soil_events(
    clicks: Clicks, settings: SimulationSettings, rng: np.random.Generator
) -> tuple[Clicks, NDArray[np.int64], dict[str, int]]:
    """Put in every kind of dirt, each row at most once.

    Returns
    -------
    clicks
        In the order in which they came, which absurd times do not change.
    messages
        The number of the message in each row; duplicates share theirs.
    counts
        Rows of each kind.
    """
    total = len(clicks.names)
    pool = Pool(np.flatnonzero(clicks.names == VIEWED), total, rng)
    dirty = _spoil(clicks, pool, settings, rng)
    twice = pool.take("duplicate_event", settings.dirt.duplicate_event)
    source = pool.take("custom_event", settings.dirt.custom_event)
    own = _invent(clicks, source, settings.seconds, rng)
    crawls = _crawl(clicks, settings, rng)
    came = np.concatenate((clicks.moments, own.moments, crawls.moments))
    copies = np.ones(len(came), np.int64)
    copies[twice] = 2
    rank = np.argsort(came, kind="stable")
    messages = np.repeat(np.arange(len(rank)), copies[rank])
    every = dirty.join(own).join(crawls).take(np.repeat(rank, copies[rank]))
    return every, messages, pool.counts | {"bot": len(crawls.names)}
