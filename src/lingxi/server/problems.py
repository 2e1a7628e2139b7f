"""What an error is over HTTP: its status and its words, for doors that know no framework."""

from http import HTTPStatus

import msgspec

from lingxi.errors import (
    Conflict,
    EncodingUnsupported,
    LingxiError,
    NotAuthenticated,
    NotEnoughData,
    NotTrained,
    PermissionDenied,
    RateLimited,
    StoreBusy,
    StoreUnavailable,
    UnknownCoupon,
    UnknownCustomer,
    UnknownEvent,
    UnknownItem,
    UnknownJourney,
    UnknownList,
    UnknownMessage,
    UnknownModel,
    UnknownOffer,
    UnknownPlacement,
    UnknownRun,
    UnknownSegment,
    UnknownTemplate,
    UserError,
)

STATUSES: dict[type[LingxiError], HTTPStatus] = {
    UnknownCustomer: HTTPStatus.NOT_FOUND,
    UnknownEvent: HTTPStatus.NOT_FOUND,
    UnknownItem: HTTPStatus.NOT_FOUND,
    UnknownModel: HTTPStatus.NOT_FOUND,
    UnknownJourney: HTTPStatus.NOT_FOUND,
    UnknownMessage: HTTPStatus.NOT_FOUND,
    UnknownRun: HTTPStatus.NOT_FOUND,
    UnknownTemplate: HTTPStatus.NOT_FOUND,
    UnknownPlacement: HTTPStatus.NOT_FOUND,
    UnknownSegment: HTTPStatus.NOT_FOUND,
    UnknownList: HTTPStatus.NOT_FOUND,
    UnknownOffer: HTTPStatus.NOT_FOUND,
    UnknownCoupon: HTTPStatus.NOT_FOUND,
    NotTrained: HTTPStatus.CONFLICT,
    NotEnoughData: HTTPStatus.CONFLICT,
    Conflict: HTTPStatus.CONFLICT,
    EncodingUnsupported: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    NotAuthenticated: HTTPStatus.UNAUTHORIZED,
    PermissionDenied: HTTPStatus.FORBIDDEN,
    RateLimited: HTTPStatus.TOO_MANY_REQUESTS,
    StoreBusy: HTTPStatus.SERVICE_UNAVAILABLE,
    StoreUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    UserError: HTTPStatus.BAD_REQUEST,
    LingxiError: HTTPStatus.INTERNAL_SERVER_ERROR,
}
"""Status of each error; a class that is not listed has the status of the nearest one above it."""

BUSY = "The shop's data cannot be reached at the moment. Try again in a few seconds."
BUSY_SECONDS = 2


class Problem(msgspec.Struct, frozen=True):
    """What went wrong, for the one who asked."""

    code: str
    message: str
    request_id: str


class Problems(msgspec.Struct, frozen=True):
    """The body of every answer that is not a success."""

    error: Problem


def find_own_status(error: Exception) -> int:
    """The HTTP status of an error of ours; 500 for any other.

    >>> find_own_status(UnknownItem("no such item")), find_own_status(ValueError("?"))
    (404, 500)
    """
    for kind in type(error).__mro__:
        if kind in STATUSES:
            return int(STATUSES[kind])
    return 500
