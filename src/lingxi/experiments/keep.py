"""Keeps designs, and reads them back as they were."""

from collections.abc import Mapping

import msgspec
import sqlalchemy as sa

from lingxi.errors import Conflict
from lingxi.experiments.design import Design
from lingxi.experiments.tables import experiment_design


def put_design(tx: sa.Connection, design: Design) -> Design:
    """Keep a design, if it is not the one in force already; as it is kept.

    The arms of an experiment never change: whoever was assigned would change sides. A holdout's
    share may, as a new version: who is held out stays so while it grows.

    Raises
    ------
    Conflict
        If the experiment runs with other arms or another unit.
    """
    latest = find_design(tx, design.name)
    if latest is not None:
        same_arms = list(latest.arms.items()) == list(design.arms.items())
        if same_arms and latest.unit == design.unit:
            return latest
        if not (latest.is_holdout and design.is_holdout and latest.unit == design.unit):
            raise Conflict(
                f"The experiment {design.name!r} runs with other arms since "
                f"{latest.started_at:%Y-%m-%d}. Give the new one another name."
            )
    kept = msgspec.structs.replace(design, version=1 if latest is None else latest.version + 1)
    row = {
        "name": kept.name,
        "version": kept.version,
        "arms": msgspec.json.encode(kept.arms).decode(),
        "unit": kept.unit,
        "started_at": kept.started_at,
    }
    tx.execute(sa.insert(experiment_design).values(row))
    return kept


def find_design(tx: sa.Connection, name: str) -> Design | None:
    """The design in force, if there is one of this name."""
    query = (
        sa.select(experiment_design)
        .where(experiment_design.c.name == name)
        .order_by(experiment_design.c.version.desc())
        .limit(1)
    )
    row = tx.execute(query).mappings().first()
    return None if row is None else _to_design(row)


def list_designs(tx: sa.Connection, name: str = "") -> list[Design]:
    """Every version of every experiment, or of one, in the order of name and version."""
    query = sa.select(experiment_design)
    if name:
        query = query.where(experiment_design.c.name == name)
    query = query.order_by(experiment_design.c.name, experiment_design.c.version)
    return [_to_design(row) for row in tx.execute(query).mappings()]


def _to_design(row: Mapping[str, object] | sa.RowMapping) -> Design:
    arms = msgspec.json.decode(str(row["arms"]), type=dict[str, float])
    values = {str(key): value for key, value in row.items()}
    return msgspec.convert({**values, "arms": arms}, Design)
