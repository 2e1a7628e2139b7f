"""What the log keeps up to date as it grows: the rooms' projections, without the rest of the rooms.

A server that starts again after a crash needs these before it can take an event, and nothing else.
"""

from collections.abc import Sequence

from lingxi import gorse, profiles
from lingxi.ingest.consent import ConsentProjection
from lingxi.store import Projection

PROJECTIONS: Sequence[Projection] = (
    *profiles.PROJECTIONS,
    *gorse.PROJECTIONS,
    ConsentProjection(),
)
