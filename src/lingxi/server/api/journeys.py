"""Journeys: drafts, versions, lint, the gallery, and trying one on the past."""

from typing import Annotated, Any

import msgspec
from litestar import delete, post, put
from litestar.params import JSONBody, PathParameter

from lingxi.access.roles import Scope
from lingxi.app.journeys.gallery import list_gallery, take_from_gallery
from lingxi.app.journeys.outcome import Difference, Simulation, compare
from lingxi.app.journeys.simulate import LONGEST_DAYS, simulate
from lingxi.app.journeys.views import (
    GalleryView,
    JourneyDetail,
    JourneysView,
    LintView,
    PublishedView,
)
from lingxi.errors import InvalidInput
from lingxi.journeys import read_journey
from lingxi.journeys.reading import form_of
from lingxi.server.api.parameters import LARGEST_NUMBER, check_text
from lingxi.server.api.route import read
from lingxi.server.api.write import write
from lingxi.server.dependencies import AnyRequest, AskShop, provide_principal

JourneyName = Annotated[str, PathParameter(description="The journey's name, such as welcome.")]
Number = Annotated[int, msgspec.Meta(ge=1, le=LARGEST_NUMBER)]


class JourneyDraft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A journey in its file's form, or a campaign's short one.

    ``expected`` is the ``mark`` of the draft that the writer has seen, empty where there was none;
    the write is refused where the draft is another.
    """

    definition: dict[str, Any]
    expected: str | None = None


class JourneyFromGallery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new journey ``name`` from the ready one ``ready``."""

    name: str
    ready: str


class JourneyNote(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why, for the list of versions."""

    note: str = ""


class JourneyVersion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The version to make the draft again."""

    version: Number


class JourneyLint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A journey to be looked at; nothing is kept."""

    definition: dict[str, Any]


class JourneyTrial(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A journey to be tried on the last ``days`` days, and another one to compare it with."""

    definition: dict[str, Any]
    days: Annotated[int, msgspec.Meta(ge=1, le=LONGEST_DAYS)] = 90
    against: dict[str, Any] | None = None


class TrialView(msgspec.Struct, frozen=True):
    """What a journey came to, what the other one did, and the figures that differ."""

    simulation: Simulation
    against: Simulation | None = None
    differences: tuple[Difference, ...] = ()


class AddedView(msgspec.Struct, frozen=True):
    """The new journey, and the templates, offers and segments that came with it."""

    journey: JourneyDetail
    added: tuple[str, ...]


class DefinitionOfVersion(msgspec.Struct, frozen=True):
    """A published version in the file's form."""

    name: str
    version: int
    definition: dict[str, Any]


@read("/v1/journeys", Scope.JOURNEYS, "All journeys")
def get_journeys(shop: AskShop) -> JourneysView:
    """Every journey of the shop with its state, drafts included."""
    return shop.journeys.list_all()


@read("/v1/journeys/{name:str}", Scope.JOURNEYS, "One journey")
def get_journey(shop: AskShop, name: JourneyName) -> JourneyDetail:
    """Its draft, what lint finds in it, and its versions."""
    return shop.journeys.describe(name)


@read("/v1/journeys/{name:str}/versions/{version:str}", Scope.JOURNEYS, "A published version")
def get_version(
    shop: AskShop,
    name: JourneyName,
    version: Annotated[str, PathParameter(description="The version's number.")],
) -> DefinitionOfVersion:
    """A version of a journey; it never changes."""
    number = int(version) if version.isdecimal() and len(version) < 10 else 0
    return DefinitionOfVersion(name, number, form_of(shop.journeys.get_version(name, number)))


@write(put, "/v1/journeys/{name:str}", Scope.JOURNEYS_WRITE, "Save a draft")
def put_journey(
    shop: AskShop, request: AnyRequest, name: JourneyName, data: JSONBody[JourneyDraft]
) -> JourneyDetail:
    """Make the journey's draft so; nothing that runs is changed until it is published."""
    journey = read_journey({**data.definition, "name": data.definition.get("name", name)})
    if journey.name != name:
        raise InvalidInput(f"The definition is of {journey.name!r}, the address of {name!r}.")
    actor = provide_principal(request).actor
    shop.journeys.save(journey, actor=actor, expected=data.expected)
    return shop.journeys.describe(name)


@write(delete, "/v1/journeys/{name:str}", Scope.JOURNEYS_WRITE, "Remove a journey")
def delete_journey(shop: AskShop, request: AnyRequest, name: JourneyName) -> JourneysView:
    """No new runs begin; those on their way go on, and the versions stay."""
    shop.journeys.remove(name, actor=provide_principal(request).actor)
    return shop.journeys.list_all()


@write(post, "/v1/journeys/{name:str}/publish", Scope.JOURNEYS_WRITE, "Publish the draft")
def post_publish(
    shop: AskShop, request: AnyRequest, name: JourneyName, data: JSONBody[JourneyNote]
) -> PublishedView:
    """Make the draft the version that new runs begin on; refused where lint finds an error."""
    actor = provide_principal(request).actor
    return shop.journeys.publish(name, actor=actor, note=check_text("note", data.note))


@write(post, "/v1/journeys/{name:str}/pause", Scope.JOURNEYS_WRITE, "Pause a journey")
def post_pause(shop: AskShop, request: AnyRequest, name: JourneyName) -> JourneyDetail:
    """Let the journey stand still: no run begins, and none on its way moves."""
    shop.journeys.set_paused(name, True, actor=provide_principal(request).actor)
    return shop.journeys.describe(name)


@write(post, "/v1/journeys/{name:str}/resume", Scope.JOURNEYS_WRITE, "Resume a journey")
def post_resume(shop: AskShop, request: AnyRequest, name: JourneyName) -> JourneyDetail:
    """Let runs begin again, and those on their way go on."""
    shop.journeys.set_paused(name, False, actor=provide_principal(request).actor)
    return shop.journeys.describe(name)


@write(post, "/v1/journeys/{name:str}/restore", Scope.JOURNEYS_WRITE, "Restore a version")
def post_restored(
    shop: AskShop, request: AnyRequest, name: JourneyName, data: JSONBody[JourneyVersion]
) -> JourneyDetail:
    """Make a published version the draft again."""
    shop.journeys.restore(name, data.version, actor=provide_principal(request).actor)
    return shop.journeys.describe(name)


@write(post, "/v1/journey-lint", Scope.JOURNEYS, "Lint a journey")
def post_lint(shop: AskShop, data: JSONBody[JourneyLint]) -> LintView:
    """What is wrong or doubtful about a journey in this shop; nothing is kept."""
    return shop.journeys.lint(read_journey(data.definition))


@write(post, "/v1/journey-simulation", Scope.JOURNEYS, "Try a journey on the past")
def post_simulation(shop: AskShop, data: JSONBody[JourneyTrial]) -> TrialView:
    """What a journey would have done in the last days; nothing is written. Takes seconds to
    minutes, by the length of the log."""
    journey = read_journey(data.definition)
    tried = simulate(shop, journey, days=data.days)
    if data.against is None:
        return TrialView(tried)
    before = simulate(shop, read_journey(data.against), days=data.days, until=tried.end)
    return TrialView(tried, before, compare(before, tried))


@read("/v1/journey-gallery", Scope.JOURNEYS, "Ready journeys")
def get_gallery() -> GalleryView:
    """Ready journeys, in the order of a customer's life."""
    return list_gallery()


@write(post, "/v1/journeys", Scope.JOURNEYS_WRITE, "Take a ready journey")
def post_journey(
    shop: AskShop, request: AnyRequest, data: JSONBody[JourneyFromGallery]
) -> AddedView:
    """Make a draft from a ready journey, with the templates, offers and segments it needs."""
    actor = provide_principal(request).actor
    added = take_from_gallery(shop, data.name, data.ready, actor=actor)
    return AddedView(shop.journeys.describe(data.name), added)


ROUTES = [
    get_journeys,
    get_journey,
    get_version,
    put_journey,
    delete_journey,
    post_publish,
    post_pause,
    post_resume,
    post_restored,
    post_lint,
    post_simulation,
    get_gallery,
    post_journey,
]
