"""The marketing plan: what to do for whom and why, and who is left alone."""

from dataclasses import dataclass

from litestar import Response, get

from lingxi.access import Scope
from lingxi.app.views import PlanView
from lingxi.errors import NotTrained
from lingxi.server.api.parameters import Cursor, Filter, check_cursor, check_text
from lingxi.server.dependencies import AskAnswers
from lingxi.server.pages.frame import AskFrame
from lingxi.server.pages.links import Address
from lingxi.server.pages.vocabulary import ACTIONS, LEAVE_ALONE, STAGES
from lingxi.server.pages.words import Words

_ROWS = 50
FORMS = ("csv", "json", "parquet")


@dataclass(frozen=True)
class ActionTotal:
    """One action of the plan: for how many customers, worth how much (if that can be known)."""

    code: str
    customers: int
    share: float
    expected_cents: int | None


@get("/plan", opt={"scope": Scope.PLAN}, sync_to_thread=True)
def get_plan(
    frame: AskFrame,
    answers: AskAnswers,
    action: Filter = "",
    stage: Filter = "",
    cursor: Cursor = None,
) -> Response[str]:
    """The plan."""
    filters = {"action": check_text("action", action), "stage": check_text("stage", stage)}
    try:
        view = answers.plan(**filters, cursor=check_cursor("cursor", cursor), n=_ROWS)
    except NotTrained:
        return frame.page("plan_empty.html")
    context = {
        "view": view,
        "filters": filters,
        "cursor": cursor,
        "totals": total_actions(view),
        "actions": ACTIONS,
        "stages": STAGES,
        "forms": FORMS,
        "may_export": frame.user is not None and frame.user.can(Scope.PLAN_EXPORT),
        "answer": answer_plan(frame.words, view),
        "left_alone": view.by_action.get(LEAVE_ALONE, 0),
    }
    return frame.list_page(
        "plan.html", context, Address("/plan", {**filters, "cursor": cursor or ""})
    )


def answer_plan(words: Words, view: PlanView) -> str:
    """The plan in one sentence."""
    n = sum(count for action, count in view.by_action.items() if action != LEAVE_ALONE)
    expected = sum(v for action, v in view.expected_by_action.items() if action != LEAVE_ALONE)
    value = words.about(expected, view.currency)
    return words.text("plan.answer", n=n, total=view.customers, value=value)


def total_actions(view: PlanView) -> list[ActionTotal]:
    """Each action with its customers, in the order of the customer's road."""
    codes = [a for a in ACTIONS if a in view.by_action]
    codes += sorted(set(view.by_action) - set(codes))
    return [
        ActionTotal(
            code,
            view.by_action[code],
            view.by_action[code] / view.customers if view.customers else 0.0,
            view.expected_by_action.get(code),
        )
        for code in codes
    ]


ROUTES = [get_plan]
