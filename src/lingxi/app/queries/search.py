"""Search for anything: customers and items, by id or name."""

import sqlalchemy as sa

from lingxi.app.views import SearchHit, SearchView
from lingxi.catalogue.tables import item
from lingxi.ingest import search_customers
from lingxi.store import Store

_LONGEST = 100


def search(store: Store, text: str, *, n: int) -> SearchView:
    """Customers whose id begins with ``text``, then items whose id or name holds it."""
    wanted = text.strip()[:_LONGEST].replace("\x00", "")
    if not wanted:
        return SearchView(())
    with store.read() as tx:
        people = search_customers(store, tx, wanted, n=n).values()
        hits = [SearchHit("customer", each, each) for each in people] + _find_items(tx, wanted, n)
    return SearchView(tuple(hits))


def _find_items(tx: sa.Connection, text: str, n: int) -> list[SearchHit]:
    query = (
        sa.select(item.c.item_id, item.c.name)
        .where(
            sa.or_(
                item.c.item_id.istartswith(text, autoescape=True),
                item.c.name.icontains(text, autoescape=True),
            )
        )
        .order_by(item.c.item_id)
        .limit(n)
    )
    return [SearchHit("item", row[0], row[1] or row[0]) for row in tx.execute(query)]
