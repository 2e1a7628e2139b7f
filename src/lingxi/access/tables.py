"""The tables of access: users, login sessions, keys, counters, and who did what."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

from lingxi.store.tables import NAMING, Moment

metadata = MetaData(naming_convention=NAMING)

user_table = Table(
    "access_user",
    metadata,
    Column("user_id", Integer, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("role", String(16), nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("language", String(8)),
    Column("created_at", Moment, nullable=False),
    Column("password_at", Moment, nullable=False),
)

session_table = Table(
    "access_session",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("user_id", ForeignKey("access_user.user_id"), nullable=False, index=True),
    Column("created_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False, index=True),
)

key_table = Table(
    "access_key",
    metadata,
    Column("key_id", String(16), primary_key=True),
    Column("name", String(64), nullable=False),
    Column("secret_hash", String(64), nullable=False),
    Column("scopes", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("created_by", String(80), nullable=False),
    Column("used_at", Moment),
    Column("revoked_at", Moment),
)

window_table = Table(
    "access_window",
    metadata,
    Column("bucket", String(160), primary_key=True),
    Column("start_at", Moment, nullable=False),
    Column("count", Integer, nullable=False),
    Column("expires_at", Moment, nullable=False, index=True),
)
"""One counter of a fixed window: requests of a key or session, failed logins of an account."""

source_table = Table(
    "source",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("write_key", String(64), nullable=False, unique=True),
    Column("secret", LargeBinary),
    Column("allowed_origins", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("disabled_at", Moment),
)
"""Where events come from. The write key is public; the secret is sealed."""

audit_table = Table(
    "access_audit",
    metadata,
    Column("audit_id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("at", Moment, nullable=False),
    Column("actor", String(80), nullable=False),
    Column("action", String(48), nullable=False),
    Column("target", String(200), nullable=False),
    Column("address", String(64)),
    Index("access_audit_at", "at"),
)
