"""Placements: their lists, why an item is not in one, definitions, and what a change would do."""

from typing import Annotated

import msgspec
from litestar import delete, post, put
from litestar.params import JSONBody, PathParameter, QueryParameter

from lingxi.access.roles import Scope
from lingxi.app.placements.request import MOST_CANDIDATES, Ask
from lingxi.app.placements.telling import describe, list_definitions
from lingxi.app.placements.views import (
    DefinitionsView,
    DefinitionView,
    PlacementView,
    PreviewView,
    WhyNotView,
)
from lingxi.recommend.placements.file import read_placement
from lingxi.recommend.rules import MOST_HISTORY
from lingxi.server.api.parameters import (
    LARGEST_NUMBER,
    LONGEST_ID,
    MOST_RECOMMENDED,
    Log,
    check_text,
)
from lingxi.server.api.route import read
from lingxi.server.api.write import write
from lingxi.server.dependencies import AnyRequest, AskAnswers, provide_principal

PlacementName = Annotated[str, PathParameter(description="The placement's name, such as home.")]
Id = Annotated[
    str | None,
    QueryParameter(max_length=LONGEST_ID, description="The shop's own id."),
]
Browser = Annotated[
    str | None,
    QueryParameter(max_length=LONGEST_ID, description="The browser's id, as its events carry it."),
]
Ids = Annotated[
    list[str] | None,
    QueryParameter(max_items=MOST_HISTORY, description="Item ids, newest last; repeat."),
]
Candidates = Annotated[
    list[str] | None,
    QueryParameter(
        max_items=MOST_CANDIDATES,
        description="Item ids that a search found, best first; repeat the parameter.",
    ),
]
Category = Annotated[
    str | None,
    QueryParameter(max_length=200, description="Keep to this category: Lamps, or Home > Lamps."),
]
Country = Annotated[
    str | None, QueryParameter(max_length=2, description="Two letters of the visitor's country.")
]
Age = Annotated[
    int | None, QueryParameter(ge=0, le=130, description="The visitor is at least so old.")
]
Length = Annotated[
    int | None,
    QueryParameter(ge=1, le=MOST_RECOMMENDED, description="Another length than the placement's."),
]
Explain = Annotated[
    bool, QueryParameter(description="Give every cause and step of each item's score.")
]


class PlacementChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A placement to be made so: what ``definition`` leaves out is as built in.

    ``expected`` is the ``mark`` of the state that the writer has seen; the write is refused where
    it is in another.
    """

    definition: dict[str, object]
    note: str = ""
    expected: str | None = None


class PlacementRestore(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The version to go back to."""

    version: Annotated[int, msgspec.Meta(ge=1, le=LARGEST_NUMBER)]


class PlacementTrial(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A definition to be tried on these requests, or on a sample of so many customers."""

    definition: dict[str, object]
    requests: tuple[Ask, ...] = ()
    sample: Annotated[int, msgspec.Meta(ge=1, le=500)] = 50
    show: Annotated[int, msgspec.Meta(ge=0, le=50)] = 5


@read("/v1/placements", Scope.RECOMMENDATIONS, "All placements")
def get_placements(answers: AskAnswers) -> DefinitionsView:
    """Where lists stand and what fills them."""
    return list_definitions(answers.placements.book)


@read("/v1/placements/{name:str}", Scope.RECOMMENDATIONS, "One placement")
def get_placement(answers: AskAnswers, name: PlacementName) -> DefinitionView:
    """Its definition, and every version it was in."""
    return describe(answers.placements.book, name)


@write(put, "/v1/placements/{name:str}", Scope.PLACEMENTS_WRITE, "Define a placement")
def put_placement(
    answers: AskAnswers, request: AnyRequest, name: PlacementName, data: JSONBody[PlacementChange]
) -> DefinitionView:
    """Make the placement so, in the file and as a version."""
    book = answers.placements.book
    book.put(
        name,
        read_placement(name, data.definition),
        actor=provide_principal(request).actor,
        note=check_text("note", data.note),
        expected=data.expected,
    )
    return describe(book, name)


@write(delete, "/v1/placements/{name:str}", Scope.PLACEMENTS_WRITE, "Take a definition away")
def delete_placement(
    answers: AskAnswers, request: AnyRequest, name: PlacementName
) -> DefinitionsView:
    """Back to what is built in; a placement of the shop's own is gone. Versions stay."""
    book = answers.placements.book
    book.remove(name, actor=provide_principal(request).actor)
    return list_definitions(book)


@write(post, "/v1/placements/{name:str}/restore", Scope.PLACEMENTS_WRITE, "Restore a version")
def post_restored(
    answers: AskAnswers, request: AnyRequest, name: PlacementName, data: JSONBody[PlacementRestore]
) -> DefinitionView:
    """Make the placement what it was in a version; that is a new version."""
    book = answers.placements.book
    book.restore(name, data.version, actor=provide_principal(request).actor)
    return describe(book, name)


@write(post, "/v1/placements/{name:str}/preview", Scope.RECOMMENDATIONS, "Try a definition")
def post_preview(
    answers: AskAnswers, name: PlacementName, data: JSONBody[PlacementTrial]
) -> PreviewView:
    """What a definition would do to the lists of a sample of customers; nothing is changed."""
    return answers.placements.preview(
        name,
        read_placement(name, data.definition),
        asks=data.requests,
        sample=data.sample,
        show=data.show,
    )


@read("/v1/placements/{name:str}/recommendations", Scope.RECOMMENDATIONS, "A placement's list")
def get_list(
    answers: AskAnswers,
    name: PlacementName,
    customer_id: Id = None,
    anonymous_id: Browser = None,
    history: Ids = None,
    item_id: Id = None,
    cart: Ids = None,
    bought: Ids = None,
    category: Category = None,
    candidates: Candidates = None,
    country: Country = None,
    age: Age = None,
    n: Length = None,
    explain: Explain = False,
    log: Log = True,
) -> PlacementView:
    """The list for a customer, a browser or nobody in particular, in view of what is at hand."""
    ask = Ask(
        customer_id=customer_id or None,
        anonymous_id=anonymous_id or None,
        history=tuple(history or ()),
        item_id=item_id or None,
        cart=tuple(cart or ()),
        bought=tuple(bought or ()),
        category=category or None,
        candidates=tuple(candidates or ()),
        country=country or None,
        age=age,
        n=n,
    )
    return answers.placements.recommend(name, ask, explain=explain, log=log)


@write(
    post, "/v1/placements/{name:str}/recommendations", Scope.RECOMMENDATIONS, "A placement's list"
)
def post_list(
    answers: AskAnswers,
    name: PlacementName,
    data: JSONBody[Ask],
    explain: Explain = False,
    log: Log = True,
) -> PlacementView:
    """As GET, for requests too long for an address."""
    return answers.placements.recommend(name, data, explain=explain, log=log)


@read("/v1/placements/{name:str}/why-not", Scope.RECOMMENDATIONS, "Why not this item?")
def get_why_not(
    answers: AskAnswers,
    name: PlacementName,
    item_id: Annotated[str, QueryParameter(max_length=LONGEST_ID, description="The item.")],
    customer_id: Id = None,
    anonymous_id: Browser = None,
    history: Ids = None,
    looked_at: Id = None,
    cart: Ids = None,
    bought: Ids = None,
    category: Category = None,
    candidates: Candidates = None,
    country: Country = None,
    age: Age = None,
) -> WhyNotView:
    """Which rule keeps an item out of a list, or its rank and what it lacks."""
    ask = Ask(
        customer_id=customer_id or None,
        anonymous_id=anonymous_id or None,
        history=tuple(history or ()),
        item_id=looked_at or None,
        cart=tuple(cart or ()),
        bought=tuple(bought or ()),
        category=category or None,
        candidates=tuple(candidates or ()),
        country=country or None,
        age=age,
    )
    return answers.placements.why_not(name, ask, item_id)


ROUTES = [
    get_placements,
    get_placement,
    put_placement,
    delete_placement,
    post_restored,
    post_preview,
    get_list,
    post_list,
    get_why_not,
]
