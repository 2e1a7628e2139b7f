"""Gorse's REST API under ``/gorse/api``: its own clients work unchanged with a secret key."""

from litestar import Router

from lingxi.server.gorse import feedback, health, items, lists, users
from lingxi.server.gorse.route import LARGEST_BODY

PREFIX = "/gorse/api"

GORSE = Router(
    path=PREFIX,
    request_max_body_size=LARGEST_BODY,
    route_handlers=[
        *health.ROUTES,
        *users.ROUTES,
        *items.ROUTES,
        *feedback.ROUTES,
        *lists.ROUTES,
    ],
)

__all__ = ["GORSE", "PREFIX"]
