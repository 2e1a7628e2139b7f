"""Who may do what: scopes are single permissions, a role is a set of them."""

from enum import StrEnum


class Scope(StrEnum):
    """One permission; a secret key carries some, a role implies some."""

    OVERVIEW = "read:overview"
    RECOMMENDATIONS = "read:recommendations"
    CUSTOMERS = "read:customers"
    ITEMS = "read:items"
    PLAN = "read:plan"
    PLAN_EXPORT = "export:plan"
    QUALITY = "read:quality"
    QUARANTINE = "read:quarantine"
    EVENTS = "read:events"
    EVENTS_WRITE = "write:events"
    ITEMS_WRITE = "write:items"
    PLACEMENTS_WRITE = "write:placements"
    JOURNEYS = "read:journeys"
    JOURNEYS_WRITE = "write:journeys"
    CONSENT_WRITE = "write:consent"
    SEGMENTS = "read:segments"
    SEGMENTS_WRITE = "write:segments"
    MESSAGES = "read:messages"
    MESSAGES_WRITE = "write:messages"
    COUPONS = "read:coupons"
    COUPONS_WRITE = "write:coupons"
    CHECKOUT = "redeem:coupons"
    MODELS = "read:models"
    STATUS = "read:status"
    ADMIN = "admin"


class Role(StrEnum):
    """What a user of the dashboard is."""

    ADMINISTRATOR = "administrator"
    MARKETER = "marketer"
    VIEWER = "viewer"


_VIEWER = frozenset(
    {
        Scope.OVERVIEW,
        Scope.RECOMMENDATIONS,
        Scope.CUSTOMERS,
        Scope.ITEMS,
        Scope.PLAN,
        Scope.QUALITY,
        Scope.EVENTS,
        Scope.MESSAGES,
        Scope.COUPONS,
        Scope.MODELS,
        Scope.JOURNEYS,
        Scope.STATUS,
        Scope.SEGMENTS,
    }
)
_MARKETER = _VIEWER | {
    Scope.PLAN_EXPORT,
    Scope.QUARANTINE,
    Scope.ITEMS_WRITE,
    Scope.PLACEMENTS_WRITE,
    Scope.JOURNEYS_WRITE,
    Scope.CONSENT_WRITE,
    Scope.SEGMENTS_WRITE,
    Scope.MESSAGES_WRITE,
    Scope.COUPONS_WRITE,
}

ROLE_SCOPES: dict[Role, frozenset[Scope]] = {
    Role.ADMINISTRATOR: frozenset(Scope),
    Role.MARKETER: _MARKETER,
    Role.VIEWER: _VIEWER,
}
"""The scopes that each role implies; an administrator has them all."""


def who_can(scope: Scope) -> tuple[Role, ...]:
    """The roles that hold a scope, most powerful first.

    >>> [str(role) for role in who_can(Scope.PLAN_EXPORT)]
    ['administrator', 'marketer']
    """
    return tuple(role for role, scopes in ROLE_SCOPES.items() if scope in scopes)
