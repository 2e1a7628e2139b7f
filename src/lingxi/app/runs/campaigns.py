"""Campaigns: read from a file, counted, published."""

from dataclasses import dataclass
from datetime import datetime

from lingxi.app.journeys.views import PublishedView
from lingxi.app.runs.hands import make_hands
from lingxi.app.shop import Shop
from lingxi.errors import InvalidInput
from lingxi.forms import parse_form
from lingxi.journeys.campaign import is_campaign
from lingxi.journeys.graph import Journey
from lingxi.journeys.reading import read_journey
from lingxi.journeys.timetable import next_occasion
from lingxi.journeys.trigger import ScheduleTrigger


@dataclass(frozen=True)
class Campaign:
    """A campaign that is about to be published; ``audience`` is how many are in it now."""

    name: str
    journey: Journey
    audience: int
    when: str


def read_campaign(shop: Shop, text: str, file: str, at: str | None = None) -> Campaign:
    """The campaign of a file's text, at another moment than the file's if ``at`` names one.

    Without any moment it is now.

    Raises
    ------
    InvalidInput
        If the text is no campaign, or ``at`` is no moment.
    """
    form = parse_form(text, file)
    if not isinstance(form, dict) or not is_campaign(form):
        raise InvalidInput(
            f"{file} is no campaign: it begins with 'campaign: NAME'. A journey is published with "
            "'lingxi journey publish'."
        )
    now = shop.clock.now()
    form = dict(form)
    if at is not None or ("at" not in form and "time" not in form):
        moment = now if at is None else _read_moment(at)
        form = {k: v for k, v in form.items() if k not in ("time", "weekdays", "days", "local")}
        form["at"] = moment.isoformat()
    journey = read_journey(form)
    trigger = journey.trigger
    assert isinstance(trigger, ScheduleTrigger)
    hands = make_hands(shop)
    rule = None if trigger.audience is None else hands.read_rule(trigger.audience)
    coming = next_occasion(trigger, shop.settings.zone, now)
    when = "now" if coming is None else f"{coming:%Y-%m-%d %H:%M} UTC"
    return Campaign(journey.name, journey, len(hands.members(rule, now)), when)


def _read_moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(
            f"{text[:40]!r} is no moment; write it as 2026-11-27T09:00+00:00."
        ) from error
    if moment.tzinfo is None:
        raise InvalidInput(f"Write the moment with its offset: {text}+00:00, or {text}Z for UTC.")
    return moment


def publish_campaign(shop: Shop, campaign: Campaign, *, actor: str) -> PublishedView:
    """Publish it.

    Raises
    ------
    InvalidInput
        If lint finds an error in it.
    """
    shop.journeys.save(campaign.journey, actor=actor)
    return shop.journeys.publish(campaign.name, actor=actor)
