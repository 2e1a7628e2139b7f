"""Deliverability: what became of e-mail, whether the way out is open, what to put right."""

from datetime import datetime
from typing import Annotated

from litestar import Response, get
from litestar.params import QueryParameter

from lingxi.access import Scope
from lingxi.app.mail.views import Deliverability, get_deliverability, run_preflight
from lingxi.messaging.email.preflight import COMPLAINTS_BAD, LEAST
from lingxi.server.dependencies import AskShop
from lingxi.server.pages.frame import AskFrame
from lingxi.server.pages.words import Words

OUTCOMES = (
    "accepted", "deferred", "failed", "unknown", "hard", "soft", "blocked", "complained",
    "suppressed",
)  # fmt: skip
STATE_TONES = {"pass": "good", "warn": "warning", "fail": "bad", "unknown": "other"}
WAY_TONES = {"closed": "good", "half_open": "warning", "open": "bad"}
Check = Annotated[bool, QueryParameter(description="Ask DNS now.")]


@get("/deliverability", opt={"scope": Scope.OVERVIEW}, sync_to_thread=True)
def get_page(frame: AskFrame, shop: AskShop, check: Check = False) -> Response[str]:
    """The page; with ``check`` DNS is asked, which may take some seconds."""
    view = get_deliverability(shop)
    words = frame.words
    context = {
        "view": view,
        "answer": answer_mail(words, view),
        "outcomes": OUTCOMES,
        "days": [(_date(words, row.day), row.outcomes) for row in view.by_day],
        "bounce_rate": _rate(words, view.total.bounce_rate),
        "complaint_rate": _rate(words, view.total.complaint_rate),
        "preflight": run_preflight(shop) if check else None,
        "state_tones": STATE_TONES,
        "way_tones": WAY_TONES,
    }
    return frame.page("deliverability.html", context)


def answer_mail(words: Words, view: Deliverability) -> str:
    """How e-mail fares, in one sentence."""
    if view.ways and all(way.state == "open" for way in view.ways):
        return words.text("mail.answer.open")
    total = view.total
    if not total.accepted:
        return words.text("mail.answer.none", n=view.days)
    complaints = total.complaint_rate or 0.0
    said: dict[str, str | int] = {"n": view.days, "complaint_share": _rate(words, complaints)}
    if total.accepted >= LEAST and complaints >= COMPLAINTS_BAD:
        limit = _rate(words, COMPLAINTS_BAD)
        return words.text("mail.answer.complaints", limit_share=limit, **said)
    bounced = _rate(words, total.bounce_rate)
    return words.text("mail.answer.good", accepted=total.accepted, bounce_share=bounced, **said)


def _date(words: Words, day: str) -> str:
    zone = words.reader.timezone
    return words.reader.date(datetime.fromisoformat(day).replace(hour=12, tzinfo=zone))


def _rate(words: Words, rate: float | None) -> str:
    return "–" if rate is None else words.reader.percent(rate, 2)


ROUTES = [get_page]
