"""The stateful rooms, gathered: their tables, their projections, and how each forgets."""

from collections.abc import Callable, Sequence

import sqlalchemy as sa

from lingxi import (
    access,
    catalogue,
    coupons,
    experiments,
    gorse,
    ingest,
    journeys,
    lifecycle,
    messaging,
    policy,
    profiles,
    recommend,
    segments,
)
from lingxi.access.tables import metadata as access_metadata
from lingxi.app.folds import PROJECTIONS
from lingxi.catalogue.tables import metadata as catalogue_metadata
from lingxi.coupons.tables import metadata as coupons_metadata
from lingxi.experiments.tables import metadata as experiments_metadata
from lingxi.gorse.tables import metadata as gorse_metadata
from lingxi.ingest.tables import metadata as ingest_metadata
from lingxi.journeys.tables import metadata as journeys_metadata
from lingxi.lifecycle.tables import metadata as lifecycle_metadata
from lingxi.messaging.email.tables import metadata as email_metadata
from lingxi.messaging.tables import metadata as messaging_metadata
from lingxi.policy.tables import metadata as policy_metadata
from lingxi.profiles.tables import metadata as profiles_metadata
from lingxi.recommend.placements.tables import metadata as recommend_metadata
from lingxi.segments.tables import metadata as segments_metadata
from lingxi.store.tables import metadata as store_metadata

METADATAS: Sequence[sa.MetaData] = (
    store_metadata,
    ingest_metadata,
    catalogue_metadata,
    profiles_metadata,
    experiments_metadata,
    segments_metadata,
    gorse_metadata,
    recommend_metadata,
    lifecycle_metadata,
    coupons_metadata,
    policy_metadata,
    messaging_metadata,
    journeys_metadata,
    email_metadata,
    access_metadata,
)

Forget = Callable[[sa.Connection, frozenset[int]], int]

FORGETTERS: dict[str, Forget] = {
    "journeys": journeys.forget,
    "policy": policy.forget,
    "messaging": messaging.forget,
    "coupons": coupons.forget,
    "access": access.forget,
    "recommend": recommend.forget,
    "lifecycle": lifecycle.forget,
    "gorse": gorse.forget,
    "experiments": experiments.forget,
    "segments": segments.forget,
    "profiles": profiles.forget,
    "catalogue": catalogue.forget,
    "ingest": ingest.forget,
}
"""From the top of the house down; identity (``ingest``) comes last, then the store itself."""

__all__ = ["FORGETTERS", "METADATAS", "PROJECTIONS", "Forget"]
