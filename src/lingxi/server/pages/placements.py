"""Placements: what fills each, changed by a form, tried on customers before it counts."""

from typing import Annotated, Any

from litestar import Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath, FromQuery

from lingxi.access import Scope
from lingxi.app.answers import Answers
from lingxi.app.placements.request import Ask
from lingxi.app.placements.telling import describe, list_definitions
from lingxi.app.placements.views import DefinitionsView, PlacementView, PreviewView, WhyNotView
from lingxi.errors import Conflict, NotTrained, UserError
from lingxi.recommend.placements.definition import Placement
from lingxi.recommend.placements.file import read_placement
from lingxi.server.api.parameters import Filter, check_text
from lingxi.server.dependencies import AskAnswers, AskUser
from lingxi.server.pages.frame import AskFrame, Frame
from lingxi.server.pages.links import Address, link
from lingxi.server.pages.placement_form import (
    GROUPS,
    RULE_FIELDS,
    Values,
    explain,
    list_rules,
    spell,
    split_ids,
    tidy,
    understand,
)
from lingxi.server.pages.session import see
from lingxi.server.pages.words import Problem, Words

_READ = {"scope": Scope.RECOMMENDATIONS}
_WRITE = {"scope": Scope.PLACEMENTS_WRITE}
_DONE = ("saved", "restored", "removed")
_SAMPLE = 40
_SHOWN = 3
LOOK = ("customer", "history", "item", "cart", "category", "country", "missing")
"""What a reader says about whom the list is for; ``missing``: the item they miss in it."""

FormData = Annotated[dict[str, Any], Body(media_type=RequestEncodingType.URL_ENCODED)]


@get("/placements", opt=_READ, sync_to_thread=True)
def get_placements(
    frame: AskFrame, answers: AskAnswers, done: FromQuery[str] = ""
) -> Response[str]:
    """All placements."""
    view = list_definitions(answers.placements.book)
    context = {
        "view": view,
        "answer": answer_placements(frame.words, view),
        "may_change": _may_change(frame),
        "done": done if done in _DONE else "",
        "problem": None,
    }
    return frame.page("placements.html", context)


@post("/placements", opt=_WRITE, sync_to_thread=True, status_code=200)
def post_new(data: FormData, frame: AskFrame, answers: AskAnswers, user: AskUser) -> Response[str]:
    """Make a placement of the shop's own."""
    name = str(data.get("name", "")).strip()
    book = answers.placements.book
    try:
        if name in book.get().placements:
            raise Conflict(f"There is a placement {name!r} already.").says(
                "placements.problem.taken", name=name
            )
        book.put(name, read_placement(name, {}), actor=user.actor)
    except UserError as error:
        view = list_definitions(book)
        context = {
            "view": view,
            "answer": answer_placements(frame.words, view),
            "may_change": True,
            "done": "",
            "problem": frame.words.problem(error),
        }
        return frame.page("placements.html", context, status=400)
    return see(link(f"/placements/{name}", done="saved"))


@get("/placements/{name:str}", opt=_READ, sync_to_thread=True)
def get_placement(
    frame: AskFrame,
    answers: AskAnswers,
    name: FromPath[str],
    customer: Filter = "",
    history: Filter = "",
    item: Filter = "",
    cart: Filter = "",
    category: Filter = "",
    country: Filter = "",
    missing: Filter = "",
    done: FromQuery[str] = "",
) -> Response[str]:
    """One placement: its list for whoever is asked about, its definition, its versions."""
    given = (customer, history, item, cart, category, country, missing)
    look = {key: check_text(key, value).strip() for key, value in zip(LOOK, given, strict=True)}
    values = spell(name, answers.placements.book.get().get(name))
    return draw_placement(frame, answers, name, look, values, done=done if done in _DONE else "")


@post("/placements/{name:str}", opt=_WRITE, sync_to_thread=True, status_code=200)
def post_placement(
    data: FormData, frame: AskFrame, answers: AskAnswers, user: AskUser, name: FromPath[str]
) -> Response[str]:
    """Try what the form says, or make it so."""
    values = tidy({key: str(value) for key, value in data.items() if not key.startswith("_")})
    look = {key: values.pop(f"look.{key}", "").strip()[:200] for key in LOOK}
    book = answers.placements.book
    try:
        draft = read_placement(name, understand(values))
        if values.get("action") == "save":
            note = values.get("note", "").strip()[:200]
            book.put(name, draft, actor=user.actor, note=note, expected=values.get("seen"))
            return see(link(f"/placements/{name}", **look, done="saved"))
    except UserError as error:
        problem = explain(frame.words, name, error)
        return draw_placement(frame, answers, name, look, values, problem=problem, status=400)
    return draw_placement(frame, answers, name, look, values, draft=draft)


@post("/placements/{name:str}/restore", opt=_WRITE, sync_to_thread=True, status_code=200)
def post_restored(
    data: FormData, answers: AskAnswers, user: AskUser, name: FromPath[str]
) -> Response[str]:
    """Make the placement what it was in a version."""
    version = str(data.get("version", ""))
    number = int(version) if version.isdecimal() and len(version) < 19 else 0
    answers.placements.book.restore(name, number, actor=user.actor)
    return see(
        link("/placements" if _is_gone(answers, name) else f"/placements/{name}", done="restored")
    )


@post("/placements/{name:str}/remove", opt=_WRITE, sync_to_thread=True, status_code=200)
def post_removed(answers: AskAnswers, user: AskUser, name: FromPath[str]) -> Response[str]:
    """Back to what is built in; a placement of the shop's own is gone."""
    answers.placements.book.remove(name, actor=user.actor)
    return see(
        link("/placements" if _is_gone(answers, name) else f"/placements/{name}", done="removed")
    )


def draw_placement(
    frame: Frame,
    answers: Answers,
    name: str,
    look: dict[str, str],
    values: Values,
    *,
    draft: Placement | None = None,
    done: str = "",
    problem: Problem | None = None,
    status: int = 200,
) -> Response[str]:
    """The page of one placement, with a draft's effects or what is wrong with it."""
    view = describe(answers.placements.book, name)
    shown, missing, trial, trouble = _look(answers, name, look, draft)
    context = {
        "view": view,
        "look": look,
        "shown": shown,
        "missing": missing,
        "trial": trial,
        "trouble": frame.words.problem(trouble) if trouble else None,
        "draft": draft is not None,
        "groups": GROUPS,
        "rule_fields": RULE_FIELDS,
        "rule_numbers": list_rules(values),
        "values": values,
        "may_change": _may_change(frame),
        "done": done,
        "problem": problem,
        "answer": answer_placement(frame.words, view.definition),
    }
    address = Address(f"/placements/{name}", look)
    return frame.page("placement.html", {**context, "address": address}, status=status)


_Looked = tuple[PlacementView | None, WhyNotView | None, PreviewView | None, UserError | None]


def _look(answers: Answers, name: str, look: dict[str, str], draft: Placement | None) -> _Looked:
    """The list, the item missed in it, what a draft does, and what stood in the way of these."""
    desk = answers.placements
    ask = Ask(
        customer_id=look["customer"] or None,
        history=split_ids(look["history"]),
        item_id=look["item"] or None,
        cart=split_ids(look["cart"]),
        category=look["category"] or None,
        country=look["country"] or None,
    )
    try:
        if look["customer"]:
            answers.require_customer(look["customer"])
        shown = desk.recommend(name, ask, explain=True, log=False, draft=draft)
        missing = desk.why_not(name, ask, look["missing"]) if look["missing"] else None
        trial = desk.preview(name, draft, sample=_SAMPLE, show=_SHOWN) if draft else None
    except NotTrained:
        return None, None, None, None
    except UserError as error:
        return None, None, None, error
    return shown, missing, trial, None


def answer_placements(words: Words, view: DefinitionsView) -> str:
    """All placements in one sentence."""
    changed = sum(each.changed for each in view.placements)
    count = words.text("placements.answer", n=len(view.placements))
    if not changed:
        return words.join(count, words.text("placements.answer.built_in"))
    return words.join(count, words.text("placements.answer.changed", n=changed))


def answer_placement(words: Words, placement: Placement) -> str:
    """One placement in one sentence: what fills it."""
    steps = [words.word("placement.strategy", each) for each in placement.strategies]
    first, others = steps[0], steps[1:]
    said = words.text("placement.answer", n=placement.n, first=first)
    if others:
        said = words.join(said, words.text("placement.answer.then", others=words.listed(others)))
    return said


def _may_change(frame: Frame) -> bool:
    return frame.user is not None and frame.user.can(Scope.PLACEMENTS_WRITE)


def _is_gone(answers: Answers, name: str) -> bool:
    return name not in answers.placements.book.get().placements


ROUTES = [get_placements, post_new, get_placement, post_placement, post_restored, post_removed]
