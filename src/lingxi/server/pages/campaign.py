"""A new campaign from the calendar: one message to an audience at a moment, kept as a draft."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from litestar import Response, post

from lingxi.app.shop import Shop
from lingxi.errors import Conflict, InvalidInput, UnknownJourney, UserError
from lingxi.journeys import Journey, read_journey
from lingxi.server.dependencies import AskShop, AskUser
from lingxi.server.pages.calendar import draw_calendar, read_month
from lingxi.server.pages.frame import AskFrame
from lingxi.server.pages.journeys import WRITE, FormData
from lingxi.server.pages.links import link
from lingxi.server.pages.session import see

_FIELDS = ("name", "title", "template", "segment", "moment")


@post("/calendar", opt=WRITE, sync_to_thread=True, status_code=200)
def post_campaign(data: FormData, frame: AskFrame, shop: AskShop, user: AskUser) -> Response[str]:
    """Keep the draft; its page tries it, shows what lint finds, and publishes it."""
    values = {name: str(data.get(name, "")).strip()[:200] for name in _FIELDS}
    try:
        campaign = read_campaign(shop, values, frame.words.reader.language)
        shop.journeys.save(campaign, actor=user.actor, expected="")
    except UserError as error:
        today = frame.now.astimezone(shop.settings.zone).date()
        span = read_month("", today)
        return draw_calendar(
            frame, shop, span, today, values=values, problem=str(error), status=400
        )
    return see(link(f"/journeys/{campaign.name}", done="saved"))


def read_campaign(shop: Shop, values: Mapping[str, str], language: str) -> Journey:
    """The journey that the form says.

    Raises
    ------
    InvalidInput, Conflict
        If something is missing or will not do, or there is a journey of this name.
    """
    name = values["name"]
    for field in ("name", "template", "moment"):
        if not values[field]:
            raise InvalidInput(f"{field}: it is missing.")
    if _is_taken(shop, name):
        raise Conflict(f"There is a journey {name!r} already.")
    try:
        moment = datetime.fromisoformat(values["moment"])
    except ValueError:
        raise InvalidInput(f"moment: {values['moment'][:40]!r} is no day and time.") from None
    channels = {each.name: each.channel for each in shop.templates.list_all().templates}
    form: dict[str, Any] = {
        "campaign": name,
        "template": values["template"],
        "channel": channels.get(values["template"], "email"),
        "at": moment.replace(tzinfo=moment.tzinfo or shop.settings.zone).isoformat(),
        "purpose": "marketing",
        "goal": {"event": "Order Completed"},
    }
    if values["title"]:
        form["title"] = {language: values["title"]}
    if values["segment"]:
        form["segment"] = values["segment"]
    return read_journey(form)


def _is_taken(shop: Shop, name: str) -> bool:
    try:
        shop.journeys.get_draft(name)
    except UnknownJourney:
        return False
    return True


ROUTES = [post_campaign]
"""Addresses of campaigns."""
