"""The dirt of real web tracking, put in on purpose and counted."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lingxi.simulation.clickstream import CHECKOUT, VIEWED, Clicks
from lingxi.simulation.settings import SimulationSettings
from lingxi.simulation.vocabulary import BOTS, BROWSERS, CUSTOM_EVENTS

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


def soil_events(
    clicks: Clicks, settings: SimulationSettings, rng: np.random.Generator
) -> tuple[Clicks, NDArray[np.int64], dict[str, int]]:
    """Put in every kind of dirt, each row at most once.

    Returns
    -------
    clicks
        In order of time.
    messages
        The number of the message in each row; duplicates share theirs.
    counts
        Rows of each kind.
    """
    dirt, total = settings.dirt, len(clicks.names)
    rows = rng.permutation(np.flatnonzero(clicks.names == VIEWED))
    counts: dict[str, int] = {}

    def take(kind: str, share: float) -> NDArray[np.int64]:
        nonlocal rows
        taken = rows[: max(1, round(share * total)) if share > 0 else 0]
        rows = rows[len(taken) :]
        counts[kind] = len(taken)
        return taken

    timed, moments = clicks.timed.copy(), clicks.moments.copy()
    items, devices = clicks.items.copy(), clicks.devices.copy()
    known, names_as = clicks.known.copy(), clicks.names_as.copy()
    timed[take("missing_time", dirt.missing_time)] = False
    absurd = take("absurd_time", dirt.absurd_time)
    start = int(settings.start.timestamp())
    moments[absurd] = np.where(rng.random(len(absurd)) < 0.5, 0, 7_258_118_400) - start
    items[take("missing_product", dirt.missing_product)] = -1
    strange = take("unknown_product", dirt.unknown_product)
    items[strange] = settings.items + rng.integers(0, UNKNOWN_ITEMS, len(strange))
    lost = take("missing_identity", dirt.missing_identity)
    devices[lost], known[lost] = -1, False
    names_as[take("odd_name", dirt.odd_name)] = 1
    twice = take("duplicate_event", dirt.duplicate_event)
    own = _invent(clicks, take("custom_event", dirt.custom_event), settings.seconds, rng)
    copies = np.ones(total, np.int64)
    copies[twice] = 2
    dirty = replace(
        clicks,
        timed=timed,
        moments=moments,
        items=items,
        devices=devices,
        known=known,
        names_as=names_as,
    )
    crawls = _crawl(clicks, settings, rng)
    counts["bot"] = len(crawls.names)
    sent = np.concatenate((clicks.moments, own.moments, crawls.moments))
    copies = np.concatenate((copies, np.ones(len(sent) - total, np.int64)))
    rank = np.argsort(sent, kind="stable")
    messages = np.repeat(np.arange(len(rank)), copies[rank])
    return dirty.join(own).join(crawls).take(np.repeat(rank, copies[rank])), messages, counts
