"""Tables of what runs: runs, counts of steps, leases of lanes, and what triggers remember."""

import sqlalchemy as sa

from lingxi.journeys.definition_tables import metadata as metadata
from lingxi.store.tables import SUBJECT, Moment

run = sa.Table(
    "journey_run",
    metadata,
    sa.Column("id", SUBJECT, primary_key=True, autoincrement=False),
    sa.Column("journey", sa.String(60), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("customer", SUBJECT, nullable=False),
    sa.Column("subject", SUBJECT, nullable=False),
    sa.Column("key", sa.String(200), nullable=False),
    sa.Column("state", sa.SmallInteger, nullable=False),
    sa.Column("node", sa.String(40), nullable=False),
    sa.Column("epoch", sa.Integer, nullable=False),
    sa.Column("lane", sa.SmallInteger, nullable=False),
    sa.Column("due_at", sa.BigInteger),
    sa.Column("started_at", sa.BigInteger, nullable=False),
    sa.Column("entered_at", sa.BigInteger, nullable=False),
    sa.Column("ended_at", sa.BigInteger),
    sa.Column("outcome", sa.String(16)),
    sa.Column("context", sa.Text, nullable=False),
    sa.Column("path", sa.Text, nullable=False),
    sa.Index(None, "customer", "journey", "key"),
    sa.Index(None, "subject"),
    sa.Index(None, "journey", "started_at", "id"),
    sa.Index(
        "ix_journey_run_due",
        "lane",
        "due_at",
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    ),
)
"""One row a run; moments are microseconds since 1970. ``due_at`` is when a worker next looks at it:
nothing once it has ended, or while its journey is paused. ``epoch`` grows with every step: what a
worker has prepared from an older one is not kept. ``context`` is JSON of what later steps need (ids
only), ``path`` JSON of every step that was passed and why: the run's own history, written with the
row that changes anyway."""

step_count = sa.Table(
    "journey_step_count",
    metadata,
    sa.Column("journey", sa.String(60), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("node", sa.String(40), primary_key=True),
    sa.Column("port", sa.String(100), primary_key=True),
    sa.Column("n", sa.BigInteger, nullable=False),
)
"""How many runs left a step by each of its ways. Of nobody: it stays after an erasure."""

lane = sa.Table(
    "journey_lane",
    metadata,
    sa.Column("lane", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("owner", sa.String(64), nullable=False),
    sa.Column("until", Moment, nullable=False),
)
"""Which worker moves the runs of a lane, and for how long unless it says so again."""

worker = sa.Table(
    "journey_worker",
    metadata,
    sa.Column("owner", sa.String(64), primary_key=True),
    sa.Column("seen_at", Moment, nullable=False),
)
"""Workers that were there lately; lanes are shared among them."""

occurrence = sa.Table(
    "journey_occurrence",
    metadata,
    sa.Column("journey", sa.String(60), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("slot", sa.String(32), primary_key=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("after", SUBJECT, nullable=False),
    sa.Column("entered", sa.BigInteger, nullable=False),
    sa.Column("done_at", Moment),
)
"""Moments of a schedule, or days of a date: how far the audience has been let in, by customer id;
so that an interrupted one goes on where it stopped, and none happens twice."""

mark = sa.Table(
    "journey_mark",
    metadata,
    sa.Column("journey", sa.String(60), primary_key=True),
    sa.Column("customer", SUBJECT, primary_key=True, autoincrement=False),
    sa.Index(None, "customer"),
)
"""Customers beyond the level of a score's journey: only who was not is a crossing."""
