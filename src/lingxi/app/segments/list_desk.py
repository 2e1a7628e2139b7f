"""Lists of one shop that people keep by hand."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import sqlalchemy as sa

from lingxi.access.audit import record_audit
from lingxi.app.cursors import check_size, decode_cursor, encode_cursor
from lingxi.app.segments.views import ListChanged, ListedView, ListsView
from lingxi.errors import InvalidInput
from lingxi.ingest import customer_ids
from lingxi.ingest.identity import seek_customer
from lingxi.segments import add_to_list, remove_from_list
from lingxi.segments.lists import (
    CustomerList,
    delete_list,
    list_lists,
    members_of,
    put_list,
    require_list,
)

if TYPE_CHECKING:
    from lingxi.app.shop import Shop

MOST_AT_ONCE = 10_000
_PART = 100


class ListDesk:
    """What API, pages and CLI ask of lists by hand."""

    def __init__(self, shop: "Shop") -> None:
        self._shop = shop

    def list(self) -> ListsView:
        """All lists."""
        with self._shop.store.read() as tx:
            return ListsView(tuple(list_lists(tx)))

    def get(self, name: str, *, cursor: str | None = None, n: int = 50) -> ListedView:
        """A list with a page of its customers.

        Raises
        ------
        UnknownList
            If there is none of this name.
        """
        check_size(n)
        key = decode_cursor(cursor, 1)[0] if cursor is not None else 0
        if not isinstance(key, int):
            raise InvalidInput("cursor is not one that this list gave; begin without it.")
        members = members_of(name).subquery()
        (column,) = members.c
        query = sa.select(column).where(column > key).order_by(column).limit(n + 1)
        with self._shop.store.read() as tx:
            require_list(tx, name)
            rows = list(tx.execute(query).scalars())
            ids = customer_ids(tx, rows[:n])
            made = self._find(tx, name)
        page = tuple(ids.get(who, f"visitor-{who}") for who in rows[:n])
        return ListedView(made, page, encode_cursor([rows[n - 1]]) if len(rows) > n else None)

    def put(self, name: str, title: str, *, actor: str) -> CustomerList:
        """Make a list, or give it another title."""
        with self._shop.store.write(eager=True) as tx:
            put_list(tx, name, title, self._shop.clock.now())
            self._audit(tx, actor, "list.put", name)
            return self._find(tx, name)

    def delete(self, name: str, *, actor: str) -> None:
        """Remove a list.

        Raises
        ------
        UnknownList
            If there is none of this name.
        """
        with self._shop.store.write(eager=True) as tx:
            delete_list(tx, name)
            self._audit(tx, actor, "list.delete", name)

    def add(self, name: str, customer_ids: Sequence[str], *, actor: str) -> ListChanged:
        """Put customers on a list, each by an id of the shop, an address, a number or a label."""
        return self._change(name, customer_ids, actor, add_to_list, "list.add")

    def remove(self, name: str, customer_ids: Sequence[str], *, actor: str) -> ListChanged:
        """Take customers off a list."""
        return self._change(name, customer_ids, actor, remove_from_list, "list.remove")

    def _change(
        self,
        name: str,
        wanted: Sequence[str],
        actor: str,
        change: Callable[..., bool],
        action: str,
    ) -> ListChanged:
        if not 0 < len(wanted) <= MOST_AT_ONCE:
            raise InvalidInput(f"Name 1 to {MOST_AT_ONCE} customers at a time.")
        store, changed, unknown = self._shop.store, 0, []
        for start in range(0, len(wanted), _PART):
            with store.write() as tx:
                require_list(tx, name)
                for each in wanted[start : start + _PART]:
                    customer = seek_customer(tx, each, store=store)
                    if customer is None:
                        unknown.append(each)
                        continue
                    changed += change(tx, name, customer, self._shop.clock.now(), log=store.log)
        with store.write() as tx:
            self._audit(tx, actor, action, name)
            made = self._find(tx, name)
        same = len(wanted) - changed - len(unknown)
        return ListChanged(made, changed, same, tuple(unknown[:100]))

    def _find(self, tx: sa.Connection, name: str) -> CustomerList:
        return next(each for each in list_lists(tx) if each.name == name)

    def _audit(self, tx: sa.Connection, actor: str, action: str, name: str) -> None:
        record_audit(tx, self._shop.clock.now(), actor=actor, action=action, target=name)
