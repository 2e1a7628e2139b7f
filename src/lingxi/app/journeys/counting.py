"""Runs of a journey's version, counted by step."""

import sqlalchemy as sa

from lingxi.journeys.tables import run, step_count


def count_passed(tx: sa.Connection, name: str, version: int) -> dict[tuple[str, str], int]:
    """How many runs left each step by each of its ways: by (step, way)."""
    query = sa.select(step_count.c.node, step_count.c.port, step_count.c.n).where(
        step_count.c.journey == name, step_count.c.version == version
    )
    return {(node, port): n for node, port, n in tx.execute(query)}


def count_waiting(tx: sa.Connection, name: str, version: int) -> dict[str, int]:
    """How many runs are at each step now."""
    query = (
        sa.select(run.c.node, sa.func.count())
        .where(run.c.journey == name, run.c.version == version, run.c.ended_at.is_(None))
        .group_by(run.c.node)
    )
    return {str(node): int(n) for node, n in tx.execute(query)}
