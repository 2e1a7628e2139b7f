"""The HTTP API: one file per noun; every answer is a view of ``lingxi.app.views``."""

from litestar import Router

from lingxi.server.api import (
    calendar,
    catalogue,
    customers,
    intake,
    items,
    journeys,
    lists,
    mail,
    messages,
    offers,
    people,
    placements,
    plan,
    rates,
    recommendations,
    recommender,
    runs,
    segments,
    shop,
    sources,
    templates,
)
from lingxi.server.api.machine import MACHINE
from lingxi.server.api.reference import ReferencePage, get_style

API = [
    Router(
        path="/",
        route_handlers=[
            *recommendations.ROUTES,
            *placements.ROUTES,
            *journeys.ROUTES,
            *calendar.ROUTES,
            *offers.ROUTES,
            *recommender.ROUTES,
            *customers.ROUTES,
            *items.ROUTES,
            *segments.ROUTES,
            *lists.ROUTES,
            *plan.ROUTES,
            *shop.ROUTES,
            *intake.ROUTES,
            *catalogue.ROUTES,
            *people.ROUTES,
            *mail.ROUTES,
            *sources.ROUTES,
            *rates.ROUTES,
            *runs.ROUTES,
            *templates.ROUTES,
            *messages.ROUTES,
        ],
    )
]
"""One router, so that the methods of one path are registered together."""

__all__ = ["API", "MACHINE", "ReferencePage", "get_style"]
