"""Who a request comes from: a user of the dashboard, or a program with a secret key."""

from dataclasses import dataclass

from lingxi.access.roles import ROLE_SCOPES, Role, Scope


@dataclass(frozen=True)
class SessionUser:
    """A user of the dashboard who is logged in."""

    user_id: int
    name: str
    role: Role
    language: str | None = None
    session_id: str = ""
    """Hash of the session's token: names the session, opens nothing."""

    @property
    def scopes(self) -> frozenset[Scope]:
        """Everything the user's role allows."""
        return ROLE_SCOPES[self.role]

    @property
    def actor(self) -> str:
        """How the audit log names the user."""
        return f"user:{self.name}"

    @property
    def bucket(self) -> str:
        """What the rate limit counts: each login session alone."""
        return f"session:{self.session_id}"

    def can(self, scope: Scope) -> bool:
        """Whether the user's role holds ``scope``.

        >>> SessionUser(1, "ada", Role.VIEWER).can(Scope.PLAN_EXPORT)
        False
        """
        return scope in self.scopes


@dataclass(frozen=True)
class KeyHolder:
    """A program that came with a valid secret key."""

    key_id: str
    name: str
    scopes: frozenset[Scope]

    @property
    def actor(self) -> str:
        """How the audit log names the key."""
        return f"key:{self.key_id}"

    @property
    def bucket(self) -> str:
        """What the rate limit counts: each key alone."""
        return f"key:{self.key_id}"

    def can(self, scope: Scope) -> bool:
        """Whether the key carries ``scope``, or ``admin``, which stands for all.

        >>> KeyHolder("k", "till", frozenset({Scope.ADMIN})).can(Scope.PLAN)
        True
        """
        return scope in self.scopes or Scope.ADMIN in self.scopes


Principal = SessionUser | KeyHolder
