"""Segments: all of them, and the builder of one with its live count, members and growth."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath, FromQuery

from lingxi.access import Scope
from lingxi.app.segments.views import CountView, GrowthView, SegmentView
from lingxi.app.shop import Shop
from lingxi.errors import UnknownSegment, UserError
from lingxi.ingest.consent import CHANNELS, PURPOSES
from lingxi.segments import read_rule, read_segment
from lingxi.server.dependencies import AskShop, AskUser
from lingxi.server.pages.figures import Cell, Row, Series, Table
from lingxi.server.pages.frame import AskFrame, Frame
from lingxi.server.pages.links import link
from lingxi.server.pages.segment_form import (
    KINDS,
    LABELLED,
    TESTS,
    as_group,
    change,
    spell,
    understand,
)
from lingxi.server.pages.session import see
from lingxi.server.pages.words import Words

_READ = {"scope": Scope.SEGMENTS}
_WRITE = {"scope": Scope.SEGMENTS_WRITE}
_DONE = ("saved", "deleted")
_START: dict[str, object] = {"all": [{"did": "Order Completed", "within_days": 90}]}
_SHOWN = 10
_GROWTH_DAYS = 30

FormData = Annotated[dict[str, Any], Body(media_type=RequestEncodingType.URL_ENCODED)]


@get("/segments", opt=_READ, sync_to_thread=True)
def get_segments(frame: AskFrame, shop: AskShop, done: FromQuery[str] = "") -> Response[str]:
    """All segments."""
    view = shop.segments.list()
    context = {
        "view": view,
        "answer": frame.words.text("segments.answer", n=len(view.segments)),
        "may_change": _may_change(frame),
        "done": done if done in _DONE else "",
    }
    return frame.page("segments.html", context)


@get("/segments/{name:str}", opt=_READ, sync_to_thread=True)
def get_segment(
    frame: AskFrame, shop: AskShop, name: FromPath[str], done: FromQuery[str] = ""
) -> Response[str]:
    """The builder of one segment; of a name that there is not yet, a new one."""
    view = _seek(shop, name)
    rule = view.rule if view is not None else _START
    title = view.segment.title if view is not None else ""
    counted, problem = _count(shop, rule)
    done = done if done in _DONE else ""
    return _draw(frame, shop, name, title, rule, counted=counted, problem=problem, done=done)


@post("/segments", opt=_WRITE, sync_to_thread=True, status_code=200)
def post_new(data: FormData) -> Response[str]:
    """Open the builder for a new name."""
    return see(link(f"/segments/{str(data.get('name', '')).strip()[:64] or 'segment'}"))


@post("/segments/{name:str}/count", opt=_READ, sync_to_thread=True, status_code=200)
def post_count(data: FormData, frame: AskFrame, shop: AskShop) -> Response[str]:
    """The live count of what the form says."""
    counted, problem = _count(shop, understand(_tidy(data)))
    return frame.page("segment_count.html", {"counted": counted, "problem": problem})


@post("/segments/{name:str}", opt=_WRITE, sync_to_thread=True, status_code=200)
def post_segment(
    data: FormData, frame: AskFrame, shop: AskShop, user: AskUser, name: FromPath[str]
) -> Response[str]:
    """Change the rule in the form, or keep it."""
    values = _tidy(data)
    rule, title = understand(values), values.get("title", "")
    action = values.get("action", "")
    if action == "save":
        try:
            given = read_segment({"name": name, "title": title, "rule": rule})
            expected = int(values["seen"]) if values.get("seen", "").isdecimal() else None
            shop.segments.put(given, actor=user.actor, expected=expected)
        except UserError as error:
            return _draw(frame, shop, name, title, rule, problem=str(error), status=400)
        return see(link(f"/segments/{name}", done="saved"))
    rule = change(rule, action)
    counted, problem = _count(shop, rule)
    return _draw(frame, shop, name, title, rule, counted=counted, problem=problem)


@post("/segments/{name:str}/delete", opt=_WRITE, sync_to_thread=True, status_code=200)
def post_deleted(
    frame: AskFrame, shop: AskShop, user: AskUser, name: FromPath[str]
) -> Response[str]:
    """Delete the segment, unless another names it."""
    try:
        shop.segments.delete(name, actor=user.actor)
    except UserError as error:
        view = shop.segments.get(name)
        return _draw(
            frame, shop, name, view.segment.title, view.rule, problem=str(error), status=409
        )
    return see(link("/segments", done="deleted"))


def _draw(
    frame: Frame,
    shop: Shop,
    name: str,
    title: str,
    rule: Mapping[str, object],
    *,
    counted: CountView | None = None,
    problem: str = "",
    done: str = "",
    status: int = 200,
) -> Response[str]:
    view = _seek(shop, name)
    others = shop.segments.list().segments
    context = {
        "name": name,
        "title": title,
        "view": view,
        "root": spell(as_group(rule)),
        "rule_json": msgspec.json.format(msgspec.json.encode(rule), indent=2).decode(),
        "counted": counted,
        "problem": problem,
        "done": done,
        "rules": {
            "kinds": (*KINDS, "any", "not"),
            "known_fields": LABELLED,
            "tests": TESTS,
            "options": list_options(shop, name),
        },
        "members": shop.segments.members(name, n=_SHOWN) if view is not None else None,
        "growth": _draw_growth(frame.words, shop.segments.growth(name, days=_GROWTH_DAYS))
        if view is not None
        else None,
        "overlap": _overlap(shop, name, [each.name for each in others if each.name != name])
        if view is not None
        else None,
        "may_change": _may_change(frame),
        "may_see": frame.user is not None and frame.user.can(Scope.CUSTOMERS),
        "answer": _answer(frame, view),
    }
    return frame.page("segment.html", context, status=status)


def _answer(frame: Frame, view: SegmentView | None) -> str:
    words = frame.words
    if view is None:
        return words.text("segment.answer.new")
    if not view.segment.current:
        return words.text("segment.answer.pending")
    share = view.segment.members / view.customers if view.customers else 0.0
    return words.text("segment.answer", n=view.segment.members, part_share=share)


def list_options(shop: Shop, name: str = "") -> dict[str, tuple[str, ...]]:
    """The choices of a rule's fields that have some; the segment ``name`` is no part of itself."""
    segments = tuple(s.name for s in shop.segments.list().segments if s.name != name)
    return {
        "which": ("", "first", "last"),
        "granted": ("", "false"),
        "consent": PURPOSES,
        "channel": CHANNELS,
        "aggregate": ("sum", "count", "average", "distinct"),
        "segment": ("", *segments),
        "list": ("", *(each.name for each in shop.lists.list().lists)),
        "score": tuple(shop.judge.scores),
    }


def _draw_growth(words: Words, view: GrowthView) -> Table:
    """The members day by day, with who entered and left beside them in the table."""
    series = (
        Series(words.text("segments.column.members")),
        Series(words.text("segment.column.entered"), tone=""),
        Series(words.text("segment.column.left"), tone=""),
    )
    return Table(
        head=words.text("segment.column.day", zone=str(words.reader.timezone)),
        series=series,
        rows=tuple(
            Row(
                words.day_name(day.day),
                tuple(Cell(words.num(n), n) for n in (day.members, day.entered, day.left)),
            )
            for day in view.days
        ),
    )


def _overlap(shop: Shop, name: str, others: list[str]) -> list[tuple[str, int, float]]:
    """How many members each other segment shares with this one, the most first."""
    found = []
    for other in others[:20]:
        pair = shop.segments.overlap((name, other)).pairs[0]
        found.append((other, pair.both, pair.share))
    return sorted(found, key=lambda row: -row[1])[:5]


def _count(shop: Shop, rule: Mapping[str, object]) -> tuple[CountView | None, str]:
    try:
        return shop.segments.count(read_rule(rule)), ""
    except UserError as error:
        return None, str(error)


def _seek(shop: Shop, name: str) -> SegmentView | None:
    try:
        return shop.segments.get(name)
    except UnknownSegment:
        return None


def _tidy(data: Mapping[str, Any]) -> dict[str, str]:
    return {key: str(value)[:2_000] for key, value in data.items() if not key.startswith("_")}


def _may_change(frame: Frame) -> bool:
    return frame.user is not None and frame.user.can(Scope.SEGMENTS_WRITE)


ROUTES = [get_segments, post_new, get_segment, post_count, post_segment, post_deleted]
