"""From a scene to one row per customer: the single place where feature expressions meet."""

from collections.abc import Sequence

import ibis

from lingxi.features.feature import Feature, Grain
from lingxi.features.grains import GRAINS, Scene
from lingxi.features.registry import add_needed


def describe(scene: Scene, features: Sequence[Feature]) -> ibis.Table:
    """One row per customer of the scene: ``customer`` and one column per feature.

    What the shop has never recorded at all (flags of ``scene.moment``) has no known zero.
    """
    needed = add_needed(features)
    table = scene.rows.select("customer").distinct().cross_join(scene.moment)
    filled: dict[str, ibis.Value] = {}
    for grain in GRAINS:
        mine = [feature for feature in needed if feature.grain is grain]
        if mine:
            rows = GRAINS[grain](scene)
            values = {feature.name: feature.expression(rows) for feature in mine}
            found = rows.group_by("customer").aggregate(values)
            table = table.left_join(found, "customer", rname=f"{{name}}_{grain}")
            filled.update({f.name: _fill(f, table) for f in mine})
    table = table.select("customer", **filled)
    derived = [feature for feature in needed if feature.grain is Grain.CUSTOMER]
    if derived:
        table = table.mutate({f.name: f.expression(table) for f in derived})
    columns = {f.name: table[f.name].cast(f.dtype) for f in features}
    return table.select("customer", **columns).order_by("customer")


def _fill(feature: Feature, table: ibis.Table) -> ibis.Value:
    """The value of those without rows, and no zero where the shop cannot know it is one."""
    value: ibis.Value = table[feature.name].cast(feature.dtype)
    if feature.empty is not None:
        value = ibis.coalesce(value, float(feature.empty))
    if feature.tracks is not None:
        value = ibis.ifelse(table[feature.tracks], value, value.nullif(ibis.literal(0.0)))
    return value
