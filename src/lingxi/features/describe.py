"""From a scene to one row per customer: the single place where feature expressions meet."""

from collections.abc import Collection, Sequence

import ibis

from lingxi.features.feature import Feature, Grain
from lingxi.features.grains import GRAINS, Scene
from lingxi.features.registry import add_needed


def describe(scene: Scene, features: Sequence[Feature], tracked: Collection[str]) -> ibis.Table:
    """One row per customer of the scene: ``customer`` and one column per feature.

    ``tracked`` is what the shop has recorded at all: without it a count of nothing is unknown.
    """
    needed = add_needed(features)
    table = scene.rows.select("customer").distinct()
    filled: dict[str, ibis.Value] = {}
    for grain in GRAINS:
        mine = [feature for feature in needed if feature.grain is grain]
        if mine:
            rows = GRAINS[grain](scene)
            values = {feature.name: feature.expression(rows) for feature in mine}
            found = rows.group_by("customer").aggregate(values)
            table = table.left_join(found, "customer", rname=f"{{name}}_{grain}")
            filled.update({f.name: _fill(f, table[f.name], tracked) for f in mine})
    table = table.select("customer", **filled)
    derived = [feature for feature in needed if feature.grain is Grain.CUSTOMER]
    if derived:
        table = table.mutate({f.name: f.expression(table) for f in derived})
    columns = {f.name: table[f.name].cast(f.dtype) for f in features}
    return table.select("customer", **columns).order_by("customer")


def _fill(feature: Feature, value: ibis.Value, tracked: Collection[str]) -> ibis.Value:
    """The value of those without rows, and no zero where the shop cannot know it is one."""
    plain = value.cast(feature.dtype)
    if feature.tracks is not None and feature.tracks not in tracked:
        return plain.nullif(ibis.literal(0.0))
    return plain if feature.empty is None else ibis.coalesce(plain, float(feature.empty))
