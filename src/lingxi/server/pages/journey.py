"""One journey: its graph, edited step by step, its findings, its versions."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery

from lingxi.app.journeys.known import find_known
from lingxi.app.journeys.outcome import Simulation
from lingxi.app.journeys.simulate import simulate
from lingxi.app.shop import Shop
from lingxi.errors import InvalidInput, UserError
from lingxi.journeys import Journey, parse_journey, render_journey
from lingxi.journeys.edit import delete_step, insert_step
from lingxi.journeys.finding import Known
from lingxi.journeys.graph import title_of
from lingxi.journeys.lint import is_publishable, lint
from lingxi.journeys.reading import STEP_KINDS
from lingxi.server.dependencies import AskShop, AskUser
from lingxi.server.pages.frame import AskFrame, Frame
from lingxi.server.pages.journey_form import FIELDS, Values, read_step, spell_step
from lingxi.server.pages.journey_panel import Panel, make_panel
from lingxi.server.pages.journey_picture import draw
from lingxi.server.pages.journey_report import make_report
from lingxi.server.pages.journey_settings import PARTS, raw_of
from lingxi.server.pages.journeys import READ, WRITE, FormData, may_change
from lingxi.server.pages.links import link
from lingxi.server.pages.session import see

_DONE = ("taken", "saved", "published", "paused", "resumed", "restored")


@dataclass(frozen=True)
class Look:
    """What of a journey is looked at: a step, a way on which a step is to be inserted, or a part
    of what stands around the steps."""

    step: str = ""
    source: str = ""
    port: str = ""
    values: Mapping[str, str] | None = None
    text: str = ""
    problem: str = ""
    done: str = ""
    trial: Simulation | None = None
    panel: Panel | None = None


@get("/journeys/{name:str}", opt=READ, sync_to_thread=True)
def get_journey(
    frame: AskFrame,
    shop: AskShop,
    name: FromPath[str],
    step: FromQuery[str] = "",
    source: FromQuery[str] = "",
    port: FromQuery[str] = "",
    part: FromQuery[str] = "",
    kind: FromQuery[str] = "",
    done: FromQuery[str] = "",
) -> Response[str]:
    """The journey's draft as a graph; with ``part`` a form of what stands around the steps."""
    panel = None
    if part in PARTS:
        raw = raw_of(shop.journeys.get_draft(name))
        panel = make_panel(shop, raw, part, kind=kind)
    look = Look(step, source, port, done=done if done in _DONE else "", panel=panel)
    return draw_journey(frame, shop, name, look)


@get("/journeys/{name:str}/report", opt=READ, sync_to_thread=True)
def get_report(frame: AskFrame, shop: AskShop, name: FromPath[str]) -> Response[str]:
    """What the journey brings and where its customers are; its own page asks for this part."""
    journey = shop.journeys.get_draft(name)
    report = make_report(frame.words, shop, journey)
    context = {
        "journey": journey,
        "called": title_of(journey, frame.words.reader.language),
        "report": report,
        "answer": frame.words.text("journey.report.wait"),
    }
    return frame.page("journey_report_page.html", context)


@post("/journeys/{name:str}", opt=WRITE, sync_to_thread=True, status_code=200)
def post_change(
    data: FormData, frame: AskFrame, shop: AskShop, user: AskUser, name: FromPath[str]
) -> Response[str]:
    """Change the draft by one step, or by its whole text."""
    values = {key: str(value) for key, value in data.items() if not key.startswith("_csrf")}
    step = values.get("step", "")
    try:
        journey = shop.journeys.get_draft(name)
        changed, step = _change(journey, values)
        if changed.name != name:
            raise InvalidInput(f"The text is of {changed.name!r}; this journey is {name!r}.")
        shop.journeys.save(changed, actor=user.actor, expected=values.get("seen"))
    except UserError as error:
        look = Look(
            step=step,
            source=values.get("source", ""),
            port=values.get("port", ""),
            values=values if values.get("action") == "change" else None,
            text=values.get("text", ""),
            problem=str(error),
        )
        return draw_journey(frame, shop, name, look, status=400)
    return see(link(f"/journeys/{name}", step=step, done="saved"))


@post("/journeys/{name:str}/try", opt=READ, sync_to_thread=True, status_code=200)
def post_trial(
    data: FormData, frame: AskFrame, shop: AskShop, name: FromPath[str]
) -> Response[str]:
    """Try the draft on the past; nothing is written."""
    days = str(data.get("days", ""))
    try:
        journey = shop.journeys.get_draft(name)
        number = int(days) if days.isdecimal() and len(days) < 4 else 0
        look = Look(trial=simulate(shop, journey, days=number))
    except UserError as error:
        return draw_journey(frame, shop, name, Look(problem=str(error)), status=400)
    return draw_journey(frame, shop, name, look)


@post("/journeys/{name:str}/publish", opt=WRITE, sync_to_thread=True, status_code=200)
def post_publish(
    data: FormData, frame: AskFrame, shop: AskShop, user: AskUser, name: FromPath[str]
) -> Response[str]:
    """Let new runs begin on the draft as it is."""
    try:
        shop.journeys.publish(name, actor=user.actor, note=str(data.get("note", ""))[:500])
    except InvalidInput as error:
        return draw_journey(frame, shop, name, Look(problem=str(error)), status=400)
    return see(link(f"/journeys/{name}", done="published"))


@post("/journeys/{name:str}/state", opt=WRITE, sync_to_thread=True, status_code=200)
def post_state(data: FormData, shop: AskShop, user: AskUser, name: FromPath[str]) -> Response[str]:
    """Pause the journey, or let it begin again."""
    paused = str(data.get("paused", "")) == "yes"
    shop.journeys.set_paused(name, paused, actor=user.actor)
    return see(link(f"/journeys/{name}", done="paused" if paused else "resumed"))


@post("/journeys/{name:str}/restore", opt=WRITE, sync_to_thread=True, status_code=200)
def post_restore(
    data: FormData, shop: AskShop, user: AskUser, name: FromPath[str]
) -> Response[str]:
    """Make a published version the draft again."""
    version = str(data.get("version", ""))
    number = int(version) if version.isdecimal() and len(version) < 10 else 0
    shop.journeys.restore(name, number, actor=user.actor)
    return see(link(f"/journeys/{name}", done="restored"))


@post("/journeys/{name:str}/remove", opt=WRITE, sync_to_thread=True, status_code=200)
def post_remove(shop: AskShop, user: AskUser, name: FromPath[str]) -> Response[str]:
    """Take the journey out of the shop."""
    shop.journeys.remove(name, actor=user.actor)
    return see(link("/journeys", done="removed"))


def _change(journey: Journey, values: Values) -> tuple[Journey, str]:
    """The journey after what the form asks for, and the step to look at then."""
    action, step = values.get("action", ""), values.get("step", "")
    if action == "insert":
        source, port = values.get("source", ""), values.get("port", "")
        return insert_step(journey, source, port, values.get("kind", ""))
    if action == "delete":
        return delete_step(journey, step), ""
    if action == "text":
        return parse_journey(values.get("text", ""), "the text"), ""
    if action != "change" or step not in journey.steps:
        raise InvalidInput(f"There is no step {step[:60]!r} to change.")
    steps = {**journey.steps, step: read_step(journey, step, values)}
    return msgspec.structs.replace(journey, steps=steps), step


def draw_journey(
    frame: Frame, shop: Shop, name: str, look: Look, *, status: int = 200
) -> Response[str]:
    """The page of one journey."""
    detail = shop.journeys.describe(name)
    journey = shop.journeys.get_draft(name)
    with shop.store.read() as tx:
        known = find_known(shop, tx)
        found = lint(journey, known)  # asks about rules: while the transaction lasts
    passed, waiting = shop.journeys.count_runs(name)
    words = frame.words.reader
    step = look.step if look.step in journey.steps else ""
    edited = bool(step or look.port or look.problem or look.trial or look.panel)
    context = {
        "detail": detail,
        "journey": journey,
        "called": title_of(journey, words.language),
        "shows_report": bool(detail.journey.published) and not edited,
        "drawing": draw(words, journey, found, passed, waiting),
        "publishable": is_publishable(found),
        "findings": found,
        "step": step,
        "fields": FIELDS[str(journey.steps[step].__struct_config__.tag)] if step else (),
        "edges": journey.edges(step) if step else (),
        "values": look.values or (spell_step(journey.steps[step]) if step else {}),
        "choices": _list_choices(known),
        "source": look.source,
        "port": look.port,
        "kinds": tuple(STEP_KINDS),
        "panel": look.panel,
        "journey_parts": PARTS,
        "text": look.text or render_journey(journey),
        "problem": look.problem,
        "done": look.done,
        "trial": look.trial,
        "may_change": may_change(frame),
        "answer": frame.words.text(
            f"journey.answer.{detail.journey.state}",
            version=detail.journey.published,
            holdout_share=journey.holdout,
        ),
    }
    return frame.page("journey.html", context, status=status)


def _list_choices(known: Known) -> dict[str, list[str]]:
    return {
        "templates": sorted(known.templates or ()),
        "offers": sorted(known.offers or ()),
        "channels": sorted(known.channels or ()),
    }


ROUTES = [
    get_journey,
    get_report,
    post_change,
    post_trial,
    post_publish,
    post_state,
    post_restore,
    post_remove,
]
