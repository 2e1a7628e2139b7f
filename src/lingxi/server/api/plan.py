"""The marketing plan: a page of it, or all of it as a file."""

from pathlib import Path

from litestar.response import File

from lingxi.access.roles import Scope
from lingxi.app.views import PlanView
from lingxi.server.api.parameters import Cursor, Filter, Form, Rows, check_cursor, check_text
from lingxi.server.api.route import read
from lingxi.server.dependencies import AskAnswers

MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "parquet": "application/vnd.apache.parquet",
}


@read("/v1/plan", Scope.PLAN, "The marketing plan")
def get_plan(
    answers: AskAnswers,
    action: Filter = "",
    stage: Filter = "",
    cursor: Cursor = None,
    n: Rows = 50,
) -> PlanView:
    """What to do next for every customer, why, and what it is expected to bring."""
    return answers.plan(
        action=check_text("action", action),
        stage=check_text("stage", stage),
        cursor=check_cursor("cursor", cursor),
        n=n,
    )


@read("/v1/plan/export", Scope.PLAN_EXPORT, "The whole plan as a file")
def export_plan(answers: AskAnswers, form: Form = "csv") -> File:
    """Every line of the plan, to be downloaded."""
    path = Path(answers.plan_file(form))
    return File(path, filename=f"plan.{form}", media_type=MEDIA_TYPES[form])


ROUTES = [get_plan, export_plan]
