"""The HTTP API: one file per noun; every answer is a view of ``lingxi.app.views``."""

from lingxi.server.api import customers, intake, items, plan, recommendations, shop
from lingxi.server.api.machine import MACHINE
from lingxi.server.api.reference import ReferencePage, get_style

API = [
    *recommendations.ROUTES,
    *customers.ROUTES,
    *items.ROUTES,
    *plan.ROUTES,
    *shop.ROUTES,
    *intake.ROUTES,
]

__all__ = ["API", "MACHINE", "ReferencePage", "get_style"]
