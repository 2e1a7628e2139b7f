"""What a browser sees when something went wrong: what, whether anything is lost, what to do."""

from typing import Any
from urllib.parse import quote

from litestar import Request, Response
from litestar.enums import MediaType

from lingxi.i18n import Translator
from lingxi.server.dependencies import provide_csrf_token, provide_shop, provide_translator
from lingxi.server.pages.frame import Frame, make_frame
from lingxi.server.pages.links import local_path
from lingxi.server.pages.session import see
from lingxi.server.problems import Problem

_NOT_LOGGED_IN = 401
_COMMANDS = {"not_trained": "lingxi train", "not_enough_data": "lingxi import orders FILE"}


def draw_error(request: Request[Any, Any, Any], status: int, problem: Problem) -> Response[Any]:
    """A problem as a page; whoever is not logged in is sent to the login page instead."""
    if status == _NOT_LOGGED_IN:
        return _ask_for_login(request)
    request.scope["state"].setdefault("csrf_secret", "")
    shop = provide_shop(request.app.state)
    translator: Translator = provide_translator(request, request.app.state)
    frame = make_frame(request, shop, translator, provide_csrf_token(request))
    return error_page(frame, status, problem)


def error_page(frame: Frame, status: int, problem: Problem) -> Response[str]:
    """The page of a problem, its headline in the reader's language."""
    headline = frame.words.word("error", problem.code)
    if headline == problem.code:
        headline = frame.words.text(
            "error.invalid_input" if status < 500 else "error.internal_error"
        )
    why = frame.words.word("error.why", problem.code)
    return frame.page(
        "error.html",
        {
            "headline": headline,
            "why": "" if why == problem.code else why,
            "problem": problem,
            "status": status,
            "command": _COMMANDS.get(problem.code, ""),
            "lost": status >= 500,
        },
        status=status,
    )


def _ask_for_login(request: Request[Any, Any, Any]) -> Response[Any]:
    path = request.url.path
    if request.method != "GET":
        path = "/"
    elif request.url.query:
        path = f"{path}?{request.url.query}"
    address = "/login" if path == "/" else f"/login?back={quote(local_path(path), safe='/')}"
    if request.headers.get("hx-request") == "true":
        return Response(
            "", status_code=200, media_type=MediaType.HTML, headers={"HX-Redirect": address}
        )
    return see(address)
