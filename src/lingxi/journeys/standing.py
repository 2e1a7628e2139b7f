"""What the runner must know of journeys before each look, read anew only where one has changed.

A shop publishes a few times a day and looks at its runs a hundred times a second: the rows that
change with every publishing, pause or removal are read each time, the definitions only when those
are others than before.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa

from lingxi.journeys.definition_tables import journey as definitions
from lingxi.journeys.definition_tables import journey_version as versions
from lingxi.journeys.versions import list_every, list_live
from lingxi.journeys.vocabulary import list_names
from lingxi.store.prepared import Prepared

_ROWS = Prepared(
    sa.select(definitions.c.name, definitions.c.published, definitions.c.paused).order_by(
        definitions.c.name
    )
)
_VERSIONS = Prepared(sa.select(sa.func.count()).select_from(versions))


@dataclass(frozen=True)
class Standing:
    """Journeys that stand still, the priorities of those that go on, and the names of all events
    that some version begins with, waits for or ends at."""

    paused: frozenset[str] = frozenset()
    priorities: Mapping[str, int] = field(default_factory=dict)
    names: frozenset[str] = frozenset()


class Lookout:
    """Remembers the last look."""

    def __init__(self) -> None:
        self._seen: object = None
        self._standing = Standing()

    def look(self, tx: sa.Connection) -> Standing:
        """How journeys stand in the state that this transaction sees; versions are never changed
        nor taken away, so their number says whether there are new ones."""
        rows = [tuple(row) for row in _ROWS.fetch(tx)]
        seen = rows, _VERSIONS.fetch(tx)[0][0]
        if seen != self._seen:
            self._standing = Standing(
                paused=frozenset(name for name, _, paused in rows if paused),
                priorities={live.name: live.journey.priority for live in list_live(tx)},
                names=frozenset(list_names(list_every(tx))),
            )
            self._seen = seen
        return self._standing
