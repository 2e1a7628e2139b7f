"""Today: how the shop is doing, who is leaving, and what to do about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from litestar import Response, get

from lingxi.access import Scope
from lingxi.app.views import OverviewView
from lingxi.server.dependencies import AskAnswers
from lingxi.server.pages.figures import (
    Cell,
    Change,
    Row,
    Series,
    Share,
    Table,
    compare,
    rank_shares,
    spark_points,
)
from lingxi.server.pages.frame import AskFrame
from lingxi.server.pages.links import link
from lingxi.server.pages.vocabulary import ACTIONS, LEAVE_ALONE, LEVELS, STAGE_GROUPS, STAGES
from lingxi.server.pages.words import Words

STALE_AFTER = timedelta(days=7)


@dataclass(frozen=True)
class Tile:
    """One figure of the last 30 days."""

    name: str
    value: str
    change: Change | None
    beside: str
    points: str


@dataclass(frozen=True)
class Todo:
    """One action of the plan: for how many customers, worth how much."""

    name: str
    tip: str
    count: int
    value: str
    link: str


@get("/", opt={"scope": Scope.OVERVIEW}, sync_to_thread=True)
def get_today(frame: AskFrame, answers: AskAnswers) -> Response[str]:
    """The first page."""
    view, words = answers.overview(), frame.words
    if view.customers == 0 and view.orders == 0 and not view.weeks:
        return frame.page("today_empty.html")
    return frame.page(
        "today.html",
        {
            "view": view,
            "answer": answer_today(words, view),
            "tiles": make_tiles(words, view),
            "revenue": revenue_table(words, view),
            "stages_over_time": stages_table(words, view),
            "stages": share_stages(words, view.stages),
            "levels": share_levels(words, view.churn_levels),
            "todo": list_todo(words, view),
            "left_alone": view.todo.get(LEAVE_ALONE, 0),
            "stale": view.data_to is not None and frame.now - view.data_to > STALE_AFTER,
        },
    )


def answer_today(words: Words, view: OverviewView) -> str:
    """The page in one sentence: what there is to do, else what is missing."""
    n = sum(count for action, count in view.todo.items() if action != LEAVE_ALONE)
    if not view.todo:
        return words.text("today.answer.no_plan")
    if n == 0:
        return words.text("today.answer.nothing")
    value = sum(v for action, v in view.todo_value_cents.items() if action != LEAVE_ALONE)
    return words.text("today.answer.todo", n=n, value=words.about(value, view.currency))


def make_tiles(words: Words, view: OverviewView) -> list[Tile]:
    """Orders, revenue and active customers of 30 days beside the 30 before."""
    weeks = view.weeks[-26:]
    rows: list[tuple[str, int, int, bool, list[float]]] = [
        ("orders", view.orders, view.orders_before, False, [w.orders for w in weeks]),
        (
            "revenue",
            view.revenue_cents,
            view.revenue_before_cents,
            True,
            [w.revenue_cents for w in weeks],
        ),
        (
            "active",
            view.active_customers,
            view.active_customers_before,
            False,
            [w.active_customers for w in weeks],
        ),
    ]
    tiles = []
    for code, now, before, is_money, points in rows:
        write = (lambda v: words.about(v, view.currency)) if is_money else words.num
        change = compare(words, now, before)
        beside = (
            words.text("today.tile.before", value=write(before))
            if change
            else words.text("today.tile.nothing_before")
        )
        name = words.text(f"today.tile.{code}")
        tiles.append(Tile(name, write(now), change, beside, spark_points(points)))
    at_risk = words.text(
        "today.tile.at_risk.value", value=words.about(view.at_risk_value_cents, view.currency)
    )
    known = bool(view.churn_levels)
    return [
        *tiles,
        Tile(
            words.text("today.tile.at_risk"),
            words.num(view.at_risk_customers) if known else "–",
            None,
            at_risk if known else words.text("today.tile.at_risk.unknown"),
            "",
        ),
    ]


def revenue_table(words: Words, view: OverviewView) -> Table:
    """Revenue, orders and active customers by week."""
    return Table(
        words.text("today.week"),
        (Series(words.text("today.revenue"), "1"),),
        tuple(
            Row(
                words.date(week.week),
                (Cell(words.money(week.revenue_cents, view.currency), week.revenue_cents / 100),),
            )
            for week in view.weeks
        ),
    )


def stages_table(words: Words, view: OverviewView) -> Table | None:
    """Customers by group of stages at the end of each week; nothing before any were computed."""
    weeks = [week for week in view.weeks if week.stages]
    if not weeks:
        return None
    series = tuple(
        Series(words.text(f"stage_group.{code}"), tone) for code, _, tone in STAGE_GROUPS
    )
    rows = []
    for week in weeks:
        counts = [sum(week.stages.get(s, 0) for s in stages) for _, stages, _ in STAGE_GROUPS]
        rows.append(Row(words.date(week.week), tuple(Cell(words.num(n), n) for n in counts)))
    return Table(words.text("today.week"), series, tuple(rows))


def share_stages(words: Words, stages: Mapping[str, int]) -> list[Share]:
    """Customers by stage now, each with the list behind it."""
    names = {stage: words.word("stage", stage) for stage in stages}
    known = [stage for stage in STAGES if stage in stages]
    codes = known + sorted(set(stages) - set(known))
    return [
        Share(share.name, share.count, share.share, code, link("/customers", stage=code))
        for code, share in zip(codes, rank_shares(stages, STAGES, names), strict=True)
    ]


def share_levels(words: Words, levels: Mapping[str, int]) -> list[Share]:
    """Customers by churn level."""
    names = {level: words.word("churn.level", level) for level in levels}
    known = [level for level in LEVELS if level in levels]
    codes = known + sorted(set(levels) - set(known))
    return [
        Share(share.name, share.count, share.share, code)
        for code, share in zip(codes, rank_shares(levels, LEVELS, names), strict=True)
    ]


def list_todo(words: Words, view: OverviewView) -> list[Todo]:
    """The plan's actions, the most valuable first."""
    actions = [a for a in view.todo if a != LEAVE_ALONE and view.todo[a]]
    actions.sort(
        key=lambda a: (-view.todo_value_cents.get(a, 0), ACTIONS.index(a) if a in ACTIONS else 99)
    )
    return [
        Todo(
            words.word("action", action),
            words.tip("action", action),
            view.todo[action],
            words.about(view.todo_value_cents[action], view.currency)
            if action in view.todo_value_cents
            else "–",
            link("/plan", action=action),
        )
        for action in actions
    ]


ROUTES = [get_today]
