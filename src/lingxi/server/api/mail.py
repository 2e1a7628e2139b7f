"""E-mail: what became of it, who is not written to, double opt-in, and what comes back."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from litestar import post
from litestar.concurrency import sync_to_thread
from litestar.openapi.spec import OpenAPIMediaType, Operation, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import JSONBody

from lingxi.access.roles import Scope
from lingxi.app.mail.addresses import (
    SuppressionRequest,
    SuppressionRow,
    SuppressionView,
    add_address,
    list_addresses,
    remove_address,
)
from lingxi.app.mail.opt_ins import OptInRequest, OptInRow, list_opt_ins, request_opt_in
from lingxi.app.mail.views import Deliverability, Preflight, get_deliverability, run_preflight
from lingxi.app.mail.work import take_mail
from lingxi.errors import BodyTooLarge, InvalidInput
from lingxi.messaging.email.reports import LARGEST
from lingxi.server.api.parameters import Cursor, Days, Filter, Rows, check_text
from lingxi.server.api.route import KEY_SCHEME, read
from lingxi.server.api.write import write
from lingxi.server.dependencies import AnyRequest, AskShop, provide_principal


class Release(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An address to write to again, and why."""

    address: Annotated[str, msgspec.Meta(min_length=3, max_length=320)]
    why: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Released(msgspec.Struct, frozen=True):
    """Whether it had been left out."""

    released: bool


class OptIns(msgspec.Struct, frozen=True):
    """Requests, newest first."""

    rows: Sequence[OptInRow]


class TakenReport(msgspec.Struct, frozen=True):
    """What became of the message that was sent in; see ``lingxi mail bounces``."""

    outcome: str
    kind: str
    weight: str
    reason: str
    suppressed: bool


@read("/v1/mail/deliverability", Scope.OVERVIEW, "What became of e-mail")
def get_mail(shop: AskShop, days: Days = 28) -> Deliverability:
    """Messages by provider and day, the breaker of each worker, addresses left out by reason."""
    return get_deliverability(shop, days=days)


@read("/v1/mail/preflight", Scope.OVERVIEW, "What Gmail, Yahoo and Outlook ask for")
def get_preflight(shop: AskShop) -> Preflight:
    """The list before sending to many; asks DNS, and says where it cannot be reached."""
    return run_preflight(shop)


@read("/v1/mail/suppressions", Scope.CUSTOMERS, "Addresses that are not written to")
def get_suppressions(
    shop: AskShop, reason: Filter = "", n: Rows = 50, cursor: Cursor = None
) -> SuppressionView:
    """By keyed hash, each with its reason; pages by ``cursor``."""
    return list_addresses(
        shop, reason=check_text("reason", reason), n=n, cursor=(cursor or "")[:64]
    )


@write(post, "/v1/mail/suppressions", Scope.CONSENT_WRITE, "Write to an address no more")
def post_suppression(
    shop: AskShop, data: JSONBody[SuppressionRequest], request: AnyRequest
) -> SuppressionRow:
    """Reasons: hard_bounce, soft_bounces, complaint, unsubscribe, manual."""
    return add_address(shop, data, actor=provide_principal(request).actor)


@write(post, "/v1/mail/suppressions/release", Scope.CONSENT_WRITE, "Write to an address again")
def post_release(shop: AskShop, data: JSONBody[Release], request: AnyRequest) -> Released:
    """Noted in the audit log with the reason; what the customer agreed to is asked all the same."""
    actor = provide_principal(request).actor
    return Released(remove_address(shop, data.address, actor=actor, why=data.why))


@read("/v1/mail/opt-ins", Scope.CUSTOMERS, "Requests for double opt-in")
def get_opt_ins(shop: AskShop, customer_id: Filter = "", n: Rows = 50) -> OptIns:
    """Pending, confirmed and expired ones, newest first."""
    return OptIns(list_opt_ins(shop, customer_id=check_text("customer_id", customer_id), n=n))


@write(post, "/v1/mail/opt-ins", Scope.CONSENT_WRITE, "Ask a customer to confirm their address")
def post_opt_in(shop: AskShop, data: JSONBody[OptInRequest]) -> OptInRow:
    """Sends them one message; consent is given when they say yes on the page it leads to."""
    return request_opt_in(shop, data)


class _ReportOperation(Operation):
    def __post_init__(self) -> None:
        schema = Schema(type=OpenAPIType.STRING)
        self.request_body = RequestBody(
            required=True,
            content={"message/rfc822": OpenAPIMediaType(schema=schema)},
            description="The whole message as it arrived, header and body.",
        )


@post(
    "/v1/mail/reports",
    opt={"scope": Scope.CONSENT_WRITE},
    security=[{KEY_SCHEME: [Scope.CONSENT_WRITE.value]}],
    tags=["mail"],
    summary="A bounce or a complaint",
    status_code=200,
    operation_class=_ReportOperation,
    request_max_body_size=LARGEST,
)
async def post_report(shop: AskShop, request: AnyRequest) -> TakenReport:
    """Takes in one message that came back (RFC 3464, RFC 5965); believed only where it holds a
    return address or a link that this shop signed."""
    raw = await request.body()
    if not raw.strip():
        raise InvalidInput("Send the message itself as the body.")
    if len(raw) > LARGEST:
        raise BodyTooLarge("A message that came back has at most 2 MB.")
    (taken,) = await sync_to_thread(take_mail, shop, [raw])
    return TakenReport(taken.outcome, taken.kind, taken.weight, taken.reason, taken.suppressed)


ROUTES = [
    get_mail,
    get_preflight,
    get_suppressions,
    post_suppression,
    post_release,
    get_opt_ins,
    post_opt_in,
    post_report,
]
