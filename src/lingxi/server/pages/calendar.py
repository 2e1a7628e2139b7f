"""The calendar: what is going to be sent, and what was, by the month or by the week."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from babel import dates
from litestar import Response, get

from lingxi.app.runs.calendar import show_calendar
from lingxi.app.shop import Shop
from lingxi.errors import InvalidInput
from lingxi.journeys.calendar import FIRST_YEAR, LAST_YEAR
from lingxi.journeys.planned import Calendar, Day, Planned, Sent
from lingxi.server.api.parameters import Filter, read_day
from lingxi.server.dependencies import AskShop
from lingxi.server.pages.frame import AskFrame, Frame
from lingxi.server.pages.journeys import READ, may_change
from lingxi.server.pages.links import link
from lingxi.server.pages.words import Words

_DAY, _WEEK = timedelta(days=1), timedelta(days=7)
_SHOWN = 3
"""Lines of plans, and of messages, in a day of a month; the week shows all."""


@dataclass(frozen=True)
class Span:
    """A month or a week: what is shown, what comes before and after."""

    kind: str
    first: date
    last: date
    before: str
    after: str
    other: str
    """The other view of the same days."""

    @property
    def days(self) -> tuple[date, date]:
        """The days of the grid: whole weeks, from Monday."""
        start = _monday(self.first)
        return start, _monday(self.last) + 6 * _DAY


@dataclass(frozen=True)
class Entry:
    """One line of a day: where it leads, what it says in short, and what there is to know."""

    address: str
    time: str
    name: str
    figure: str
    state: str
    tone: str
    facts: tuple[str, ...]
    hint: str


@dataclass(frozen=True)
class Cell:
    """One day of the grid."""

    day: date
    number: str
    label: str
    address: str
    inside: bool
    today: bool
    notes: tuple[str, ...]
    planned: tuple[Entry, ...]
    sent: tuple[Entry, ...]
    more: int

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to say of it."""
        return not (self.planned or self.sent or self.notes)


@get("/calendar", opt=READ, sync_to_thread=True)
def get_calendar(
    frame: AskFrame, shop: AskShop, month: Filter = "", week: Filter = ""
) -> Response[str]:
    """A month (``2026-03``), or the week of a day (``2026-03-02``)."""
    today = frame.now.astimezone(shop.settings.zone).date()
    span = _read_week(week) if week else read_month(month, today)
    return draw_calendar(frame, shop, span, today)


def draw_calendar(
    frame: Frame,
    shop: Shop,
    span: Span,
    today: date,
    *,
    values: Mapping[str, str] | None = None,
    problem: str = "",
    status: int = 200,
) -> Response[str]:
    """The page of a month or a week; ``values`` stand in the form of a new campaign."""
    words = frame.words
    first, last = span.days
    view = show_calendar(shop, first, last)
    cells = [_make_cell(words, view, day, span, today) for day in view.days]
    inside = [day for day in view.days if span.first <= day.day <= span.last]
    locale = words.reader.locale
    names = dates.get_day_names("abbreviated", locale=locale)
    context = {
        "view": view,
        "values": values or {},
        "problem": problem,
        "may_change": may_change(frame),
        "templates": [e for e in shop.templates.list_all().templates if e.published],
        "segments": shop.segments.list().segments,
        "span": span,
        "weeks": [cells[n : n + 7] for n in range(0, len(cells), 7)],
        "weekdays": [names[n] for n in range(7)],
        "called": _call(words, span),
        "answer": _answer(words, view, inside, span),
        "today": link("/calendar", **{span.kind: _spell(span.kind, today)}),
        "nothing": not any(day.planned or day.sent for day in inside) and not view.standing,
    }
    return frame.page("calendar.html", context, status=status)


def read_month(text: str, today: date) -> Span:
    """The span of a month; of the present one if no text names another."""
    first = read_day("month", f"{text}-01") if text else today.replace(day=1)
    _check(first)
    after = (first + 31 * _DAY).replace(day=1)
    before = (first - _DAY).replace(day=1)
    seen = today if first <= today < after else first
    return Span(
        "month",
        first,
        after - _DAY,
        link("/calendar", month=_spell("month", before)),
        link("/calendar", month=_spell("month", after)),
        link("/calendar", week=_spell("week", seen)),
    )


def _read_week(text: str) -> Span:
    first = _monday(_check(read_day("week", text)))
    return Span(
        "week",
        first,
        first + 6 * _DAY,
        link("/calendar", week=_spell("week", first - _WEEK)),
        link("/calendar", week=_spell("week", first + _WEEK)),
        link("/calendar", month=_spell("month", first + 3 * _DAY)),
    )


def _check(day: date) -> date:
    if not FIRST_YEAR < day.year < LAST_YEAR:
        raise InvalidInput(f"A calendar has days after {FIRST_YEAR} and before {LAST_YEAR}.")
    return day


def _monday(day: date) -> date:
    return day - day.weekday() * _DAY


def _spell(kind: str, day: date) -> str:
    return f"{day:%Y-%m}" if kind == "month" else day.isoformat()


def _call(words: Words, span: Span) -> str:
    locale = words.reader.locale
    if span.kind == "month":
        return dates.format_skeleton("yMMMM", span.first, locale=locale)
    return dates.format_interval(span.first, span.last, "yMMMd", locale=locale)


def _answer(words: Words, view: Calendar, days: Sequence[Day], span: Span) -> str:
    """What comes next, and what the days came to."""
    coming = [
        plan for day in days for plan in day.planned if plan.at > view.now and plan.state == "live"
    ]
    said = []
    if coming:
        plan = coming[0]
        names = {"journey": _name(words, plan), "moment": _moment(words, plan.at)}
        n = plan.customers
        code = "calendar.answer.next" if n is None else "calendar.answer.next_for"
        said.append(words.text(code, **names, **({} if n is None else {"n": n})))
    elif days[-1].day >= view.now.astimezone(ZoneInfo(view.timezone)).date():
        said.append(words.text(f"calendar.answer.none_{span.kind}"))
    sent = sum(each.accepted for day in days for each in day.sent)
    kept = sum(_kept(each) for day in days for each in day.sent)
    if sent or kept:
        said.append(words.text("calendar.answer.sent", n=sent, kept=kept))
    elif not said:
        said.append(words.text("calendar.answer.nothing"))
    return words.join(*said)


def _make_cell(words: Words, view: Calendar, day: Day, span: Span, today: date) -> Cell:
    by_name = {each.journey: each for each in day.sent}
    planned = tuple(
        _show_plan(words, view, day, plan, by_name.pop(plan.journey, None)) for plan in day.planned
    )
    sent = tuple(_show_sent(words, day, each) for each in by_name.values())
    label = dates.format_date(day.day, format="full", locale=words.reader.locale)
    if span.kind == "month":
        more = max(0, len(planned) - _SHOWN) + max(0, len(sent) - _SHOWN)
        planned, sent = planned[:_SHOWN], sent[:_SHOWN]
    else:
        more = 0
    return Cell(
        day=day.day,
        number=str(day.day.day),
        label=label,
        address=link("/calendar", week=day.day.isoformat()),
        inside=span.first <= day.day <= span.last,
        today=day.day == today,
        notes=tuple(_list_notes(words, day)),
        planned=planned,
        sent=sent,
        more=more,
    )


def _list_notes(words: Words, day: Day) -> Iterator[str]:
    if day.holiday:
        yield words.text("calendar.holiday")
    if day.hours != 24:
        yield words.text("calendar.clocks", hours=day.hours)


def _show_plan(words: Words, view: Calendar, day: Day, plan: Planned, sent: Sent | None) -> Entry:
    """A plan, with the messages of its journey on that day where there are any."""
    zone, locale = ZoneInfo(view.timezone), words.reader.locale
    time = dates.format_time(plan.at.astimezone(zone), "HH:mm", tzinfo=zone, locale=locale)
    log = link("/messages", journey=plan.journey, day=day.day.isoformat())
    held = plan.came_in is not None
    state = "missed" if plan.missed else "" if held or plan.state == "live" else plan.state
    became = _count_sent(words, sent) if sent else []
    facts = (*_list_facts(words, plan), *became)
    name = _name(words, plan)
    n = plan.customers if plan.came_in is None else plan.came_in
    people = "" if n is None else words.text("calendar.people", n=n)
    return Entry(
        address=log if held or plan.state == "removed" else link(f"/journeys/{plan.journey}"),
        time=time,
        name=name,
        figure=became[0] if became else people,
        state=words.text(f"calendar.state.{state}") if state else "",
        tone={"": "accent", "draft": "other", "paused": "warning", "missed": "bad"}[state],
        facts=facts,
        hint=words.listed([f"{time} {name}", *facts]),
    )


def _list_facts(words: Words, plan: Planned) -> Iterator[str]:
    if plan.local:
        yield words.text("calendar.local")
    if plan.came_in is not None:
        code = "calendar.came_in" if plan.finished else "calendar.coming_in"
        yield words.text(code, n=plan.came_in)
    elif plan.customers is not None:
        yield words.text("calendar.expected", n=plan.customers)
    if plan.came_in is None and plan.holdout and not plan.missed:
        yield words.text("calendar.holdout", part_share=plan.holdout)
    if plan.waits_until is not None:
        yield words.text("calendar.waits", moment=_moment(words, plan.waits_until))
    if plan.channels:
        yield words.listed([words.word("channel", each) for each in plan.channels])


def _show_sent(words: Words, day: Day, sent: Sent) -> Entry:
    facts = _count_sent(words, sent)
    name = _name(words, sent) if sent.journey else words.text("calendar.single")
    only_waiting = not (sent.accepted or _kept(sent))
    log = link(
        "/messages",
        journey=sent.journey,
        day="" if only_waiting else day.day.isoformat(),
        in_state="queued" if only_waiting else "",
    )
    return Entry(
        address=log,
        time="",
        name=name,
        figure=facts[0],
        state="",
        tone="other" if only_waiting else "good" if sent.accepted else "warning",
        facts=tuple(facts),
        hint=words.listed([name, *facts]),
    )


def _count_sent(words: Words, sent: Sent) -> list[str]:
    kept = _kept(sent)
    counts = (("sent", sent.accepted), ("kept", kept), ("waiting", sent.waiting))
    return [words.text(f"calendar.{code}", n=n) for code, n in counts if n]


def _kept(sent: Sent) -> int:
    return sent.skipped + sent.failed + sent.unknown


def _moment(words: Words, at: datetime) -> str:
    """Day of the week, day and minute."""
    zone, locale = words.reader.timezone, words.reader.locale
    day = dates.format_skeleton("yMMMEd", at, tzinfo=zone, locale=locale)
    hour = dates.format_time(at, "HH:mm", tzinfo=zone, locale=locale)
    return f"{day} {hour}"


def _name(words: Words, each: Planned | Sent) -> str:
    return each.title.get(words.reader.language) or each.title.get("en") or each.journey


ROUTES = [get_calendar]
"""Addresses of the calendar."""
