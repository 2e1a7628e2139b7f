"""Sources: what each sends, how it fares, and how to connect another."""

from dataclasses import dataclass
from typing import Annotated

from litestar import Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromQuery

from lingxi.access import Scope
from lingxi.access.sources import SourceKind, create_source, disable_source, read_kind
from lingxi.app.collect_views import SourcesView
from lingxi.app.shop import Shop
from lingxi.errors import UserError
from lingxi.server.api.parameters import Filter, check_text
from lingxi.server.connect import CLIENTS, find_client, fitting
from lingxi.server.dependencies import AnyRequest, AskAnswers, AskShop, AskUser
from lingxi.server.pages.figures import spark_points
from lingxi.server.pages.frame import AskFrame, Frame
from lingxi.server.pages.links import Address
from lingxi.server.pages.session import see
from lingxi.server.pages.words import Problem, Words

_ADMIN = {"scope": Scope.ADMIN}
_DONE = ("created", "disabled")
_REFUSED = 10
_FILES = 20


@dataclass(frozen=True)
class SourceForm:
    """A source to be made, or to be switched off; ``origins`` one a line."""

    name: str
    kind: str = ""
    secret: str = ""
    origins: str = ""


SourceData = Annotated[SourceForm, Body(media_type=RequestEncodingType.URL_ENCODED)]


@get("/sources", opt={"scope": Scope.EVENTS}, sync_to_thread=True)
def get_sources(frame: AskFrame, shop: AskShop, done: FromQuery[str] = "") -> Response[str]:
    """The list of sources; ``done`` names what was just changed."""
    return draw_sources(frame, shop, done=done if done in _DONE else "")


@post("/sources", opt=_ADMIN, sync_to_thread=True, status_code=200)
def post_source(data: SourceData, frame: AskFrame, shop: AskShop, user: AskUser) -> Response[str]:
    """Make a source."""
    try:
        with shop.store.write() as tx:
            create_source(
                tx,
                shop.store.keyring,
                shop.clock.now(),
                data.name,
                read_kind(data.kind),
                actor=user.actor,
                secret=data.secret.strip(),
                allowed_origins=data.origins.split(),
            )
    except UserError as error:
        problem = frame.words.problem(error)
        return draw_sources(frame, shop, problem=problem, form=data, status=400)
    return see("/sources?done=created")


@post("/sources/disable", opt=_ADMIN, sync_to_thread=True, status_code=200)
def post_disabled(data: SourceData, frame: AskFrame, shop: AskShop, user: AskUser) -> Response[str]:
    """Switch a source off: what it sends is refused from now on."""
    try:
        with shop.store.write() as tx:
            disable_source(tx, shop.clock.now(), data.name, actor=user.actor)
    except UserError as error:
        return draw_sources(frame, shop, problem=frame.words.problem(error), status=400)
    return see("/sources?done=disabled")


def draw_sources(
    frame: Frame,
    shop: Shop,
    *,
    done: str = "",
    problem: Problem | None = None,
    form: SourceForm = SourceForm(""),
    status: int = 200,
) -> Response[str]:
    """The page of sources, with what a form has just done or why it could not; what was typed into
    a form that was refused stands in it, but for the secret."""
    view = shop.answers.sources()
    context = {
        "view": view,
        "files": shop.answers.files(n=_FILES),
        "sparks": {row.name: spark_points(row.by_hour) for row in view.sources},
        "kinds": [kind.value for kind in SourceKind],
        "may_change": frame.user is not None and frame.user.can(Scope.ADMIN),
        "done": done,
        "problem": problem,
        "answer": answer_sources(frame.words, view),
        "refused": shop.answers.refused_links(n=_REFUSED),
        "form": form,
        "waiting": shop.answers.waiting(n=1).by_reason if view.reasons else {},
        "waiting_lines": shop.answers.quality().quarantined_by_reason if view.reasons else {},
        "may_mend": frame.user is not None and frame.user.can(Scope.QUARANTINE),
        "may_see": frame.user is not None and frame.user.can(Scope.CUSTOMERS),
    }
    return frame.page("sources.html", context, status=status)


def answer_sources(words: Words, view: SourcesView) -> str:
    """The sources in one sentence."""
    stored = sum(row.stored for row in view.sources)
    dropped = sum(row.dropped for row in view.sources)
    if not view.sources:
        return words.text("sources.answer.none")
    if stored + dropped == 0:
        return words.text("sources.answer.silent")
    return words.text("sources.answer", n=stored, weight_share=dropped / (stored + dropped))


@get("/connect", opt={"scope": Scope.EVENTS}, sync_to_thread=True)
def get_connect(
    frame: AskFrame,
    answers: AskAnswers,
    request: AnyRequest,
    source: Filter = "",
    client: Filter = "",
) -> Response[str]:
    """What to paste where, and whether the first event has arrived."""
    view = answers.sources()
    shown = find_client(check_text("client", client))
    sources = fitting(view.sources, shown)
    wanted = check_text("source", source)
    named = [row for row in sources if row.name == wanted] or sources
    chosen = named[0] if named else None
    host = str(request.base_url).rstrip("/")
    context = {
        "sources": sources,
        "chosen": chosen,
        "without_key": view.without_key,
        "seen": chosen is not None and chosen.last_seen_at is not None,
        "clients": CLIENTS,
        "client": shown,
        "code": shown.render(
            host=host,
            write_key=chosen.write_key if chosen else "…",
            source=chosen.name if chosen else "…",
        ),
    }
    query = {"source": chosen.name if chosen else "", "client": shown.id}
    return frame.list_page("connect.html", context, Address("/connect", query))


ROUTES = [get_sources, post_source, post_disabled, get_connect]
