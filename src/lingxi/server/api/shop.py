"""The shop as a whole: its figures, its data, its models, its machinery."""

from lingxi.access.roles import Scope
from lingxi.app.model_views import ModelsView
from lingxi.app.views import OverviewView, QualityView, QuarantineView, StatusView
from lingxi.server.api.parameters import Cursor, Filter, Rows, check_cursor, check_text
from lingxi.server.api.route import read
from lingxi.server.dependencies import AskAnswers


@read("/v1/overview", Scope.OVERVIEW, "The shop at a glance")
def get_overview(answers: AskAnswers) -> OverviewView:
    """The last 30 days beside the 30 before, stages by week, and what to do today."""
    return answers.overview()


@read("/v1/quality", Scope.QUALITY, "Data quality")
def get_quality(answers: AskAnswers) -> QualityView:
    """Every import: lines in, kept and set aside by reason, columns before and after."""
    return answers.quality()


@read("/v1/quarantine", Scope.QUARANTINE, "Lines set aside")
def list_quarantine(
    answers: AskAnswers, reason: Filter = "", cursor: Cursor = None, n: Rows = 50
) -> QuarantineView:
    """Lines that cleaning set aside, as they were, with the step and the reason."""
    wanted = check_text("reason", reason)
    return answers.quarantine(reason=wanted, cursor=check_cursor("cursor", cursor), n=n)


@read("/v1/models", Scope.MODELS, "The models")
def get_models(answers: AskAnswers) -> ModelsView:
    """Every kept version: what it was trained on, when, and its quality beside its baselines."""
    return answers.models()


@read("/v1/status", Scope.STATUS, "The state of the machinery")
def get_status(answers: AskAnswers) -> StatusView:
    """Events, customers, items, what lags behind the log and by how much."""
    return answers.status()


ROUTES = [get_overview, get_quality, list_quarantine, get_models, get_status]
