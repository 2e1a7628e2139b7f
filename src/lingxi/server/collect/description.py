"""How the collector's addresses are told in the API's description.

Litestar describes a body by the ``data`` of a route or of a dependency that the route could ask
for. Each route here has such a dependency and never asks for it: the body is described, and its
bytes are left to the door.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec
from litestar.di import Provide
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import (
    Example,
    OpenAPIMediaType,
    OpenAPIType,
    Operation,
    Parameter,
    RequestBody,
    Schema,
    SecurityScheme,
)
from litestar.params import JSONBody

from lingxi.server.collect.addresses import Address
from lingxi.server.collect.replies import Refusal
from lingxi.server.collect.shapes import (
    AliasMessage,
    CapturedBatch,
    CapturedEvent,
    GroupMessage,
    IdentifyMessage,
    MessageBatch,
    PageMessage,
    ScreenMessage,
    TrackMessage,
)

_BASIC, _HEADER = "write key", "write key in a header"
SECURITY = [{_BASIC: list[str]()}, {_HEADER: list[str]()}, {}]
SCHEMES = {
    _BASIC: SecurityScheme(
        type="http",
        scheme="basic",
        description="A source's write key as the user; or as 'writeKey' in the body or the query.",
    ),
    _HEADER: SecurityScheme(
        type="apiKey",
        name="X-Write-Key",
        security_scheme_in="header",
        description="A source's write key, as Jitsu's clients send it.",
    ),
}
_TEXT = "text/plain"


class Accepted(msgspec.Struct, frozen=True):
    """Everything the request brought is on disk."""

    success: bool


class Captured(msgspec.Struct, frozen=True):
    """Everything the request brought is on disk, in PostHog's words."""

    status: int


def _track(data: JSONBody[TrackMessage]) -> TrackMessage:
    return data


def _identify(data: JSONBody[IdentifyMessage]) -> IdentifyMessage:
    return data


def _page(data: JSONBody[PageMessage]) -> PageMessage:
    return data


def _screen(data: JSONBody[ScreenMessage]) -> ScreenMessage:
    return data


def _group(data: JSONBody[GroupMessage]) -> GroupMessage:
    return data


def _alias(data: JSONBody[AliasMessage]) -> AliasMessage:
    return data


def _batch(data: JSONBody[MessageBatch]) -> MessageBatch:
    return data


def _capture(data: JSONBody[CapturedEvent]) -> CapturedEvent:
    return data


def _captures(data: JSONBody[CapturedBatch]) -> CapturedBatch:
    return data


_VIEW = {"product_id": "mug-1", "price": 12.5, "currency": "EUR"}
_EXAMPLES: Mapping[str, tuple[Callable[..., msgspec.Struct], Mapping[str, object]]] = {
    "track": (
        _track,
        {"event": "Product Viewed", "userId": "u1", "messageId": "m1", "properties": _VIEW},
    ),
    "identify": (_identify, {"userId": "u1", "anonymousId": "a1", "traits": {"plan": "gold"}}),
    "page": (_page, {"anonymousId": "a1", "properties": {"path": "/mugs"}}),
    "screen": (_screen, {"anonymousId": "a1", "name": "Mugs"}),
    "group": (_group, {"userId": "u1", "groupId": "office"}),
    "alias": (_alias, {"previousId": "a1", "userId": "u1"}),
    "batch": (
        _batch,
        {
            "batch": [
                {"type": "identify", "userId": "u1", "anonymousId": "a1", "messageId": "m0"},
                {
                    "type": "track",
                    "event": "Product Viewed",
                    "userId": "u1",
                    "messageId": "m1",
                    "properties": _VIEW,
                },
            ]
        },
    ),
    "capture": (_capture, {"event": "Product Viewed", "distinct_id": "u1", "properties": _VIEW}),
    "captures": (
        _captures,
        {"batch": [{"event": "Product Viewed", "distinct_id": "u1", "properties": _VIEW}]},
    ),
}
_REFUSALS = {
    400: ResponseSpec(Refusal, description="Too large, or not readable."),
    401: ResponseSpec(Refusal, description="No source has this write key."),
    403: ResponseSpec(Refusal, description="The source takes nothing from this origin."),
    415: ResponseSpec(Refusal, description="A compression that is not read."),
    429: ResponseSpec(Refusal, description="Too fast; Retry-After says when to come back."),
    503: ResponseSpec(Refusal, description="Not stored; send the same again."),
}


def describe_body(address: Address) -> dict[str, Provide]:
    """What the body of an address holds, as a dependency that no route asks for."""
    if address.method == "GET":
        return {}
    return {"shape": Provide(_EXAMPLES[address.holds][0], sync_to_thread=False)}


def describe_answers(address: Address) -> dict[int, ResponseSpec]:
    """What an address answers, by status."""
    if address.content_type == b"image/gif":
        taken = ResponseSpec(
            bytes, generate_examples=False, description="Stored.", media_type="image/gif"
        )
    elif address.tool == "posthog":
        taken = ResponseSpec(Captured, description="Stored.")
    else:
        taken = ResponseSpec(Accepted, description="Stored.")
    return {200: taken, **_REFUSALS}


def make_operation(address: Address) -> type[Operation]:
    """The kind of OpenAPI operation that an address is, with its content types and examples."""
    example = _EXAMPLES[address.holds][1]

    @dataclass
    class Collecting(Operation):
        def __post_init__(self) -> None:
            if address.method == "GET":
                self.parameters = [*_describe_query(example)]
            elif isinstance(self.request_body, RequestBody):
                self.request_body = _add_text(self.request_body, example)

    return Collecting


def _describe_query(example: Mapping[str, object]) -> list[Parameter]:
    return [
        Parameter(
            name="data",
            param_in="query",
            schema=Schema(type=OpenAPIType.STRING),
            description="The message's JSON, bare or in base64; without it, the fields of the "
            "message are read from the query, such as 'properties.path'.",
            example=msgspec.json.encode(example).decode(),
        ),
        Parameter(
            name="writeKey",
            param_in="query",
            schema=Schema(type=OpenAPIType.STRING),
            description="The source's write key, for a page that cannot set headers.",
        ),
    ]


def _add_text(body: RequestBody, example: Mapping[str, object]) -> RequestBody:
    """The same JSON as text, which a browser may send to another site without asking first."""
    (told,) = body.content.values()
    as_text = Schema(
        type=OpenAPIType.STRING,
        content_media_type="application/json",
        content_schema=told.schema,
    )
    text = msgspec.json.encode(example).decode()
    return RequestBody(
        required=True,
        description="JSON under any content type, also compressed (Content-Encoding gzip or "
        "deflate), in base64, or in the field 'data' of a form. Unknown fields are kept; of a "
        "batch, a message that is not as described is set aside and the others are taken.",
        content={
            "application/json": OpenAPIMediaType(
                schema=told.schema, examples={"example": Example(value=dict(example))}
            ),
            _TEXT: OpenAPIMediaType(schema=as_text, examples={"example": Example(value=text)}),
        },
    )
