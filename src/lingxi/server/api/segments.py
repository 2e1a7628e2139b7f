"""Segments: who fulfils a rule; defined, counted, looked into."""

from typing import Annotated

import msgspec
from litestar import delete, post, put
from litestar.params import JSONBody, PathParameter, QueryParameter

from lingxi.access.roles import Scope
from lingxi.app.segments.views import (
    CountView,
    ExplainView,
    GrowthView,
    MembersView,
    OverlapView,
    SegmentsView,
    SegmentView,
)
from lingxi.segments import read_rule, read_segment
from lingxi.server.api.parameters import LARGEST_NUMBER, LONGEST_ID, Cursor, Rows
from lingxi.server.api.route import read
from lingxi.server.api.write import write
from lingxi.server.dependencies import AnyRequest, AskShop, provide_principal

SegmentName = Annotated[str, PathParameter(description="The segment's name, such as vip.")]
Names = Annotated[
    list[str] | None,
    QueryParameter(max_items=8, description="Names of 2 to 8 segments; repeat the parameter."),
]
GrowthDays = Annotated[int, QueryParameter(ge=1, le=730, description="How many days, with today.")]
Whom = Annotated[
    str, QueryParameter(min_length=1, max_length=LONGEST_ID, description="The customer's id.")
]


class SegmentChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A segment to be made so; ``rule`` as in ``docs/segments.md``.

    ``expected`` is the version that the writer has seen, 0 for none; the write is refused where it
    is another.
    """

    rule: dict[str, object]
    title: str = ""
    expected: Annotated[int, msgspec.Meta(ge=0, le=LARGEST_NUMBER)] | None = None


class RuleToCount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rule, whether or not any segment has it."""

    rule: dict[str, object]


@read("/v1/segments", Scope.SEGMENTS, "All segments")
def get_segments(shop: AskShop) -> SegmentsView:
    """Every segment with its number of members."""
    return shop.segments.list()


@write(post, "/v1/segments/count", Scope.SEGMENTS, "Count a rule")
def post_count(shop: AskShop, data: JSONBody[RuleToCount]) -> CountView:
    """How many customers fulfil a rule now, by everything that has happened."""
    return shop.segments.count(read_rule(data.rule))


@read("/v1/segments/overlap", Scope.SEGMENTS, "Compare segments")
def get_overlap(shop: AskShop, name: Names = None) -> OverlapView:
    """How many customers each two of some segments share."""
    return shop.segments.overlap(tuple(name or ()))


@read("/v1/segments/{name:str}", Scope.SEGMENTS, "One segment")
def get_segment(shop: AskShop, name: SegmentName) -> SegmentView:
    """Its rule, its members, and what has changed in a week."""
    return shop.segments.get(name)


@write(put, "/v1/segments/{name:str}", Scope.SEGMENTS_WRITE, "Define a segment")
def put_segment(
    shop: AskShop, request: AnyRequest, name: SegmentName, data: JSONBody[SegmentChange]
) -> SegmentView:
    """Keep the rule; a changed one is a new version, and its members are found by the worker."""
    given = read_segment({"name": name, "title": data.title, "rule": data.rule}, "segment")
    actor = provide_principal(request).actor
    return shop.segments.put(given, actor=actor, expected=data.expected)


@write(delete, "/v1/segments/{name:str}", Scope.SEGMENTS_WRITE, "Delete a segment")
def delete_segment(shop: AskShop, request: AnyRequest, name: SegmentName) -> SegmentsView:
    """Remove it with its memberships, unless another segment names it."""
    shop.segments.delete(name, actor=provide_principal(request).actor)
    return shop.segments.list()


@read("/v1/segments/{name:str}/members", Scope.CUSTOMERS, "Members of a segment")
def get_members(
    shop: AskShop, name: SegmentName, cursor: Cursor = None, n: Rows = 50
) -> MembersView:
    """A page of members, with the moment each entered."""
    return shop.segments.members(name, cursor=cursor, n=n)


@read("/v1/segments/{name:str}/growth", Scope.SEGMENTS, "Growth of a segment")
def get_growth(shop: AskShop, name: SegmentName, days: GrowthDays = 90) -> GrowthView:
    """Who entered and left on each day, and how many there were at its end."""
    return shop.segments.growth(name, days=days)


@read("/v1/segments/{name:str}/explain", Scope.CUSTOMERS, "Why somebody is in a segment")
def get_explained(shop: AskShop, name: SegmentName, customer_id: Whom) -> ExplainView:
    """Each condition of the rule, and whether it holds of a customer now."""
    return shop.segments.explain(name, customer_id)


ROUTES = (
    get_segments,
    post_count,
    get_overlap,
    get_segment,
    put_segment,
    delete_segment,
    get_members,
    get_growth,
    get_explained,
)
