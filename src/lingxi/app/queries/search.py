"""Search for anything: customers and items, by id or name."""

import sqlalchemy as sa

from lingxi.app.views import SearchHit, SearchView
from lingxi.catalogue.tables import item
from lingxi.ingest.tables import identifier
from lingxi.store import Store
from lingxi.store.tables import identity

_LONGEST = 100


def search(store: Store, text: str, *, n: int) -> SearchView:
    """Customers whose id begins with ``text``, then items whose id or name holds it."""
    wanted = text.strip()[:_LONGEST].replace("\x00", "")
    if not wanted:
        return SearchView(())
    with store.read() as tx:
        hits = [*_find_customers(tx, wanted, n), *_find_items(tx, wanted, n)]
    return SearchView(tuple(hits))


def _find_customers(tx: sa.Connection, text: str, n: int) -> list[SearchHit]:
    query = (
        sa.select(identifier.c.value)
        .join(identity, identity.c.subject == identifier.c.subject)
        .where(identity.c.known, identifier.c.kind == "user_id")
        .where(identifier.c.value.startswith(text, autoescape=True))
        .order_by(identifier.c.value)
        .limit(n)
    )
    return [SearchHit("customer", value, value) for value in tx.execute(query).scalars()]


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
