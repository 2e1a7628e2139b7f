"""Tables of messages: what is to be sent and what came of it, templates and their versions."""

import sqlalchemy as sa

from lingxi.store.tables import NAMING, SUBJECT, Moment

metadata = sa.MetaData(naming_convention=NAMING)

message = sa.Table(
    "message",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("customer", SUBJECT, nullable=False),
    sa.Column("channel", sa.String(32), nullable=False),
    sa.Column("template", sa.String(64), nullable=False),
    sa.Column("template_version", sa.Integer, nullable=False),
    sa.Column("category", sa.String(64), nullable=False),
    sa.Column("message_class", sa.String(16), nullable=False),
    sa.Column("journey", sa.String(64), nullable=False),
    sa.Column("run", sa.String(64), nullable=False),
    sa.Column("node", sa.String(64), nullable=False),
    sa.Column("context", sa.Text, nullable=False),
    sa.Column("queued_at", Moment, nullable=False),
    sa.Column("not_before", Moment),
    sa.Column("send_before", Moment),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("due_at", Moment),
    sa.Column("worker", sa.String(64)),
    sa.Column("lease_until", Moment),
    sa.Column("fence", sa.Integer, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("sent_at", Moment),
    sa.Column("ended_at", Moment),
    sa.Column("reason", sa.String(64)),
    sa.Column("detail", sa.Text),
    sa.Column("reference", sa.String(255)),
    sa.Index(None, "customer", "queued_at"),
    sa.Index(None, "template", "queued_at"),
    sa.Index(None, "journey", "run"),
    sa.Index(None, "queued_at", "id"),
    sa.Index(
        "ix_message_due",
        "due_at",
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    ),
)
"""One row a message. ``due_at`` is when a worker next looks at it: the moment to send it while
``queued``, the end of the lease while ``sending``, nothing once it has ended. ``fence`` grows with
every claim: what a worker that lost its lease writes is not kept. ``context`` is JSON of ids."""

onsite = sa.Table(
    "onsite",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("customer", SUBJECT, nullable=False, index=True),
    sa.Column("slot", sa.String(64), nullable=False),
    sa.Column("ready_at", Moment, nullable=False),
    sa.Column("ends_at", Moment),
    sa.Column("shown_at", Moment),
    sa.Column("closed_at", Moment),
)
"""Messages that wait for their customer on the site; their text is made when they are fetched."""

template = sa.Table(
    "template",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("draft", sa.Text, nullable=False),
    sa.Column("published", sa.Integer, nullable=False),
    sa.Column("changed_at", Moment, nullable=False),
    sa.Column("changed_by", sa.String(200), nullable=False),
)
"""One row a template: its draft as JSON, and the version that is sent (0: none yet)."""

template_version = sa.Table(
    "template_version",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("definition", sa.Text, nullable=False),
    sa.Column("published_at", Moment, nullable=False),
    sa.Column("published_by", sa.String(200), nullable=False),
    sa.Column("note", sa.Text, nullable=False),
)
"""What was published, never changed."""
