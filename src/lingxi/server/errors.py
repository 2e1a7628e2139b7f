"""Errors become answers here and nowhere else: a status, a code, a sentence, a request id."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from litestar import MediaType, Request, Response
from litestar.exceptions import HTTPException, ValidationException

from lingxi.errors import LingxiError, RateLimited
from lingxi.server.problems import (
    BUSY,
    BUSY_SECONDS,
    Problem,
    Problems,
    find_own_status,
)
from lingxi.server.requests import is_api_path, request_id
from lingxi.server.validation import explain_validation

_OWN_FAULT = "Something went wrong on our side. Try again; if it stays, quote the request id."
_HTTP_WORDS = {
    400: "The request cannot be read.",
    404: "There is nothing at this address.",
    405: "This address does not take that method.",
    413: "The request's body is too large.",
}


ErrorPage = Callable[[Request[Any, Any, Any], int, Problem], Response[Any]]
"""Draws a problem as a page, for a browser; given by the pages."""


def find_status(error: Exception) -> int:
    """The HTTP status of an error.

    >>> find_status(RateLimited("slower", retry_after_seconds=1)), find_status(ValueError("?"))
    (429, 500)
    """
    if isinstance(error, HTTPException):
        return error.status_code
    return find_own_status(error)


def answer_error(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """The answer to a request that failed: JSON for programs, a page for browsers."""
    status, problem, headers = describe_problem(error, request_id(request.scope))
    if isinstance(error, ValidationException) and status == HTTPStatus.BAD_REQUEST:
        words = explain_validation(request, error) or problem.message
        problem = msgspec.structs.replace(problem, message=words)
    response = _draw(request, status, problem)
    for name, value in headers.items():
        response.headers[name] = value
    return response


def describe_problem(error: Exception, name: str) -> tuple[int, Problem, dict[str, str]]:
    """The status, the words and the headers for an error; one of ours goes into the log as well.

    ``name`` is the id of the request.
    """
    status = find_status(error)
    problem = Problem(_code(error, status), _message(error, status), name)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        structlog.get_logger().error("request_failed", request_id=name, exc_info=error)
    return status, problem, _headers(error, status)


def _draw(request: Request[Any, Any, Any], status: int, problem: Problem) -> Response[Any]:
    draw: ErrorPage | None = request.app.state.get("error_page")
    accepts_pages = "text/html" in request.headers.get("accept", "")
    if draw is None or not accepts_pages or is_api_path(request.scope["path"]):
        return Response(Problems(problem), status_code=status, media_type=MediaType.JSON)
    return draw(request, status, problem)


def _code(error: Exception, status: int) -> str:
    if isinstance(error, LingxiError):
        return error.code
    if status == HTTPStatus.BAD_REQUEST:
        return "invalid_input"
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return "internal_error"
    return HTTPStatus(status).name.lower()


def _message(error: Exception, status: int) -> str:
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        return BUSY
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _OWN_FAULT
    if isinstance(error, LingxiError):
        return str(error)
    return _HTTP_WORDS.get(status, HTTPStatus(status).phrase + ".")


def _headers(error: Exception, status: int) -> dict[str, str]:
    if isinstance(error, RateLimited):
        return {"Retry-After": str(error.retry_after_seconds)}
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        return {"Retry-After": str(BUSY_SECONDS)}
    if status == HTTPStatus.UNAUTHORIZED:
        return {"WWW-Authenticate": 'Bearer realm="lingxi"'}
    if status == HTTPStatus.METHOD_NOT_ALLOWED and isinstance(error, HTTPException):
        return dict(error.headers or {})
    return {}
