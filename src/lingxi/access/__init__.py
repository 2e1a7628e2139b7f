"""Who may come in: users and roles, login sessions, secret keys, limits, and who did what."""

from lingxi.access.audit import record_audit
from lingxi.access.erasure import forget
from lingxi.access.keys import create_key, find_key
from lingxi.access.login import log_in, log_out
from lingxi.access.principal import KeyHolder, Principal, SessionUser
from lingxi.access.roles import Role, Scope
from lingxi.access.tables import metadata
from lingxi.access.users import Credentials, ensure_administrator

__all__ = [
    "Credentials",
    "KeyHolder",
    "Principal",
    "Role",
    "Scope",
    "SessionUser",
    "create_key",
    "ensure_administrator",
    "find_key",
    "forget",
    "log_in",
    "log_out",
    "metadata",
    "record_audit",
]
