"""A source of one's own: the sales of a till, from its SQLite database, by their number.

Run as it stands, it makes a till with three sales and prints what Lingxi would pull. As a plug-in
it is named in the ``pyproject.toml`` of its package::

    [project.entry-points."lingxi.sources"]
    till = "till_source:TillSource"

and in the shop's ``lingxi.toml``::

    [pull.till]
    kind = "till"
    path = "/srv/till/till.sqlite"
"""

import json
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from lingxi.errors import SourceUnavailable
from lingxi.ingest.pulling import Page


class TillSource:
    """Each sale is an order of the customer whose card was shown; the cursor is its number."""

    def __init__(self, path: str) -> None:
        self._path = path

    def pull(self, cursor: str, n: int, /) -> Page:
        """At most ``n`` sales past the number ``cursor``."""
        try:
            with closing(sqlite3.connect(self._path)) as till:
                rows = till.execute(
                    "select id, card, at, total from sale where id > ? order by id limit ?",
                    (int(cursor or 0), n),
                ).fetchall()
        except sqlite3.Error as error:
            raise SourceUnavailable(f"The till cannot be read: {error}.") from error
        messages = tuple(json.dumps(tell(*row)).encode() for row in rows)
        return Page(messages, str(rows[-1][0]) if rows else cursor, more=len(rows) == n)

    def close(self) -> None:
        """Each pull opens the database anew."""


def tell(number: int, card: str, at: str, total: float) -> dict[str, object]:
    """A sale as a message; ``messageId`` makes it count once."""
    return {
        "type": "track",
        "event": "Order Completed",
        "messageId": f"till-{number}",
        "userId": card,
        "timestamp": at,
        "properties": {"order_id": f"till-{number}", "total": total},
    }


def main() -> None:
    """Three sales, pulled two at a time."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "till.sqlite"
        with closing(sqlite3.connect(path)) as till:
            till.execute(
                "create table sale (id integer primary key, card text, at text, total real)"
            )
            sales = [("c1", "2026-01-02T10:00:00Z", 9.5), ("c2", "2026-01-02T11:00:00Z", 20.0)]
            till.executemany(
                "insert into sale (card, at, total) values (?, ?, ?)", [*sales, sales[0]]
            )
            till.commit()
        source, cursor, more = TillSource(str(path)), "", True
        while more:
            page = source.pull(cursor, 2)
            for message in page.messages:
                print(message.decode())
            cursor, more = page.cursor, page.more
        print(f"next time from {cursor}")


if __name__ == "__main__":
    main()
