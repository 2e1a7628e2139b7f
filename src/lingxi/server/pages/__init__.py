"""The dashboard: pages drawn from the same answers that the API gives."""

from litestar import Router

from lingxi.server.pages import (
    calendar,
    campaign,
    consent,
    coupons,
    coverage,
    customers,
    deliverability,
    explorer,
    items,
    journey,
    journey_part,
    journeys,
    live,
    messages,
    models,
    neighbourhood,
    placements,
    plan,
    quality,
    quarantine,
    recommender,
    runs,
    search,
    segments,
    session,
    settings,
    sources,
    templates,
    today,
)
from lingxi.server.pages.errors import draw_error
from lingxi.server.pages.frame import FRAME

PAGES = [
    Router(
        path="/",
        route_handlers=[
            *session.ROUTES,
            *today.ROUTES,
            *customers.ROUTES,
            *segments.ROUTES,
            *plan.ROUTES,
            *items.ROUTES,
            *placements.ROUTES,
            *journeys.ROUTES,
            *journey.ROUTES,
            *journey_part.ROUTES,
            *runs.ROUTES,
            *calendar.ROUTES,
            *campaign.ROUTES,
            *coupons.ROUTES,
            *explorer.ROUTES,
            *recommender.ROUTES,
            *coverage.ROUTES,
            *neighbourhood.ROUTES,
            *quality.ROUTES,
            *live.ROUTES,
            *sources.ROUTES,
            *consent.ROUTES,
            *deliverability.ROUTES,
            *messages.ROUTES,
            *templates.ROUTES,
            *quarantine.ROUTES,
            *models.ROUTES,
            *search.ROUTES,
            *settings.ROUTES,
        ],
        dependencies=FRAME,
        include_in_schema=False,
    )
]
"""Every route of the dashboard."""

__all__ = ["PAGES", "draw_error"]
