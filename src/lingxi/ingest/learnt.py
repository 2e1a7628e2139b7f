"""What order lines say of items: how a code is spelled, the usual name, the latest price."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import sqlalchemy as sa
from sqlalchemy import Connection

from lingxi.ingest.lines import PRODUCT, Lines
from lingxi.ingest.tables import learnt_item
from lingxi.ingest.words import find_usual_names
from lingxi.store.keyed import select_by_keys, upsert
from lingxi.store.tables import from_micros

_BATCH = 5_000


@dataclass(frozen=True)
class LearntItem:
    """One item as order lines show it."""

    item_id: str
    name: str
    price_cents: int | None
    first_at: datetime
    last_at: datetime


def learn(lines: Lines, digits: int) -> list[LearntItem]:
    """The items of kept sale lines: most frequent name, price of the latest line."""
    use = (lines.part == PRODUCT) & ~lines.refund & ~lines.item.missing
    names = find_usual_names(lines).decode()
    places = np.flatnonzero(use)
    codes, micros = lines.item.codes[places], lines.micros[places]
    order = np.lexsort((lines.index[places], micros, codes))
    sorted_codes = codes[order]
    if len(order) == 0:
        return []
    starts = np.flatnonzero(np.append(True, sorted_codes[1:] != sorted_codes[:-1]))
    ends = np.append(starts[1:], len(order)) - 1
    found = []
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        last = int(places[order[end]])
        code = int(sorted_codes[start])
        found.append(
            LearntItem(
                item_id=lines.item.values[code],
                name=names[code] or lines.item.values[code],
                price_cents=round(float(lines.price[last]) * 10**digits),
                first_at=from_micros(int(micros[order[start]])),
                last_at=from_micros(int(lines.micros[last])),
            )
        )
    return found


def put_learnt(tx: Connection, items: Sequence[LearntItem]) -> int:
    """Keep what is new or newer. Rows written."""
    rows = []
    for start in range(0, len(items), _BATCH):
        part = items[start : start + _BATCH]
        query = select_by_keys(
            tx,
            [learnt_item.c.item_id],
            [(item.item_id,) for item in part],
            [learnt_item.c.item_id, learnt_item.c.first_at, learnt_item.c.last_at],
        )
        known = {row[0]: (row[1], row[2]) for row in tx.execute(query)}
        for item in part:
            first, last = known.get(item.item_id, (item.first_at, None))
            if last is None or item.last_at > last:
                rows.append(
                    {
                        "item_id": item.item_id,
                        "folded": item.item_id.casefold(),
                        "name": item.name,
                        "price_cents": item.price_cents,
                        "first_at": min(first, item.first_at),
                        "last_at": item.last_at,
                    }
                )
    upsert(tx, learnt_item, rows)
    return len(rows)


def read_learnt(tx: Connection) -> list[LearntItem]:
    """All items that order lines have shown."""
    columns = [learnt_item.c[name] for name in LearntItem.__dataclass_fields__]
    return [LearntItem(*row) for row in tx.execute(sa.select(*columns))]


def read_spelling(tx: Connection, codes: Iterable[str]) -> Callable[[str], str | None]:
    """The known spelling of case-folded item codes."""
    folded = list({code.casefold() for code in codes})
    known: dict[str, str] = {}
    for start in range(0, len(folded), _BATCH):
        query = select_by_keys(
            tx,
            [learnt_item.c.folded],
            [(code,) for code in folded[start : start + _BATCH]],
            [learnt_item.c.folded, learnt_item.c.item_id],
        )
        for code, item_id in tx.execute(query):
            known[code] = min(known.get(code, item_id), item_id)
    return known.get
