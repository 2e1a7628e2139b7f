"""A shop of forty items made by hand, and models fitted on what sixty customers did."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
from scipy.sparse import csr_array

from lingxi.profiles.read import CountColumns, Counts
from lingxi.recommend.baskets import Baskets
from lingxi.recommend.families import make_recipe
from lingxi.recommend.histories import Histories
from lingxi.recommend.item_table import Totals, build_table
from lingxi.recommend.kept import Told
from lingxi.recommend.model import fit_model
from lingxi.recommend.placements.context import Context, Met
from lingxi.recommend.placements.definition import Rule, Strategy, Variant
from lingxi.recommend.placements.knowledge import Knowledge
from lingxi.recommend.placements.listing import Listed
from lingxi.recommend.quick import QuickModel
from lingxi.schema import Item

NOW = datetime(2026, 6, 1, tzinfo=UTC)
N_KNOWN, N_NEW = 36, 4
CATEGORIES = ("Lamps", "Rugs", "Mugs", "Clocks")


def make_item(at: int) -> Item:
    """Item ``I00``, ``I01`` ... with everything a rule can ask for."""
    category = CATEGORIES[at % 4]
    price = 500 + 100 * at
    return Item(
        item_id=f"I{at:02d}",
        name=f"{category[:-1]} {at}",
        category=category,
        category_path=("Home", category),
        brand=f"Brand {at % 3}",
        price_cents=price,
        cost_cents=price // 2,
        margin_cents=price - price // 2,
        stock=10,
    )


def make_offer(at: int) -> Item:
    return Item(
        item_id=f"OFFER{at}",
        name=f"Offer {at}",
        category=CATEGORIES[at],
        category_path=("Home", CATEGORIES[at]),
        attributes={"kind": "offer"},
    )


def make_items() -> dict[str, Item]:
    items = {item.item_id: item for item in map(make_item, range(N_KNOWN + N_NEW))}
    return items | {item.item_id: item for item in map(make_offer, range(2))}


def make_knowledge(
    items: dict[str, Item], model: str = "rp3beta", *, quick: bool = True
) -> Knowledge:
    rng = np.random.default_rng(4)
    rows = np.repeat(np.arange(60), 8)
    taste = np.repeat(rng.integers(0, 4, 60), 8)
    own = (taste + 4 * rng.integers(0, 9, 480)) % N_KNOWN
    bought = np.where(rng.random(480) < 0.6, own, rng.integers(0, N_KNOWN, 480))
    taught = Histories.of_events(rows, bought, (60, N_KNOWN), moments=rng.integers(1, 10**9, 480))
    counts = np.bincount(bought, minlength=N_KNOWN).astype(np.float64)
    held = csr_array((np.ones(480), (rows, bought)), shape=(60, N_KNOWN))
    held.data[:] = 1.0
    both = (held.T @ held).toarray()
    np.fill_diagonal(both, 0)
    table = build_table(
        list(items),
        list(items.values()),
        n_known=N_KNOWN,
        popularity=counts / counts.max(),
        totals=Totals(counts * 5, counts),
        first_days={
            i: NOW.timestamp() / 86400 - 200 + at * 5 for at, i in enumerate(sorted(items))
        },
        stamp="1",
    )
    visitor = fit_model(make_recipe("item_cosine", {"k": 20}), taught)
    chosen = fit_model(make_recipe(model, {"k": 20}), taught)
    return Knowledge(
        table,
        chosen,
        visitor,
        counts / counts.max(),
        Baskets(csr_array(both.astype(np.float32)), counts.astype(np.int64), 60),
        {1000 + row: row for row in range(60)},
        QuickModel.of(chosen) if quick else None,
        QuickModel.of(visitor) if quick else None,
        counts / counts.max(),
    )


PAST = {
    "I00": Met(3, 1, 2, NOW - timedelta(days=3)),
    "I05": Met(1, 0, 0, NOW - timedelta(days=2)),
    "I08": Met(0, 0, 1, NOW - timedelta(days=40)),
}
SOMEBODY = Context(now=NOW, customer=5, past=PAST, unit="5")
VISITOR = Context(now=NOW)


def tell(known: Knowledge, *rows: Counts) -> Told:
    """What a profile of these rows tells."""
    return Told.read(CountColumns.of(rows), known.table.index, known.counted)


def ids(known: Knowledge, listed: Listed) -> list[str]:
    return [known.table.facts[entry.place].item_id for entry in listed.entries]


def change(known: Knowledge, **items: Item) -> Knowledge:
    """The same shop with some items otherwise."""
    places = {known.table.index[item_id]: item for item_id, item in items.items()}
    return replace(known, table=known.table.change(places, (), "2"))


PLAIN = Variant(strategy=Strategy.PERSONAL, fallbacks=(Strategy.POPULAR,), n=8)


def with_rules(*rules: Rule, base: Variant = PLAIN) -> Variant:
    """A variant with these rules."""
    return msgspec.structs.replace(base, rules=rules)
