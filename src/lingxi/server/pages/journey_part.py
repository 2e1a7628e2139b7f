"""A part of a journey is changed by its form: its beginning, who comes in, its goal, its rules."""

from collections.abc import Mapping
from typing import Any

from litestar import Response, post
from litestar.params import FromPath

from lingxi.app.shop import Shop
from lingxi.errors import InvalidInput, UserError
from lingxi.journeys import read_journey
from lingxi.journeys.reading import form_of
from lingxi.segments import read_rule
from lingxi.server.dependencies import AskShop, AskUser
from lingxi.server.pages.frame import AskFrame, Frame
from lingxi.server.pages.journey import Look, draw_journey
from lingxi.server.pages.journey_check import WrongField, check
from lingxi.server.pages.journey_panel import find_wrong, make_panel
from lingxi.server.pages.journey_settings import (
    AUDIENCE,
    ENTRY,
    EXIT,
    PARTS,
    Raw,
    Values,
    raw_of,
    understand,
)
from lingxi.server.pages.journeys import READ, WRITE, FormData
from lingxi.server.pages.links import link
from lingxi.server.pages.segment_form import as_group, change
from lingxi.server.pages.segment_form import understand as understand_rule
from lingxi.server.pages.session import see

_NEW_EXITS: Mapping[str, Raw] = {
    "event": {"happening": {"event": ""}},
    "rule": {"rule": {"all": []}},
}


@post("/journeys/{name:str}/part", opt=WRITE, sync_to_thread=True, status_code=200)
def post_part(
    data: FormData, frame: AskFrame, shop: AskShop, user: AskUser, name: FromPath[str]
) -> Response[str]:
    """Change the form's conditions, or keep the part as the form says it."""
    values = _tidy(data)
    part, action = values.get("part", ""), values.get("action", "")
    if part not in PARTS:
        raise InvalidInput(f"{part[:40]!r} is no part of a journey.")
    journey = shop.journeys.get_draft(name)
    said = understand(part, values, shop.settings.zone)
    raw = {**raw_of(journey), **said}
    if action != "save":
        _change(raw, action)
        return draw_journey(frame, shop, name, Look(panel=make_panel(shop, raw, part)))
    try:
        check(part, values)
        whole = {**form_of(journey), **said}
        changed = read_journey({key: each for key, each in whole.items() if each is not None})
        shop.journeys.save(changed, actor=user.actor, expected=values.get("seen"))
    except UserError as error:
        return _refuse(frame, shop, name, raw, part, error)
    return see(link(f"/journeys/{name}", part=part, done="saved"))


@post("/journey-audience", opt=READ, sync_to_thread=True, status_code=200)
def post_part_count(data: FormData, frame: AskFrame, shop: AskShop) -> Response[str]:
    """How many customers fulfil the rule in the form now."""
    values = _tidy(data)
    rule = understand_rule(values, ENTRY if values.get("part") == "entry" else AUDIENCE)
    counted, problem = None, ""
    if rule not in ({"all": []}, {"any": []}):
        try:
            counted = shop.segments.count(read_rule(rule))
        except UserError as error:
            problem = str(error)
    return frame.page("segment_count.html", {"counted": counted, "problem": problem})


def _refuse(
    frame: Frame, shop: Shop, name: str, raw: Raw, part: str, error: UserError
) -> Response[str]:
    """The form as it was typed, with what is wrong beside the field that it is about."""
    problem = str(error)
    if isinstance(error, WrongField):
        wrong = error.field
    else:
        wrong = find_wrong(problem, make_panel(shop, raw, part))
        problem = problem.removeprefix(f"journey {name!r}: ")
    panel = make_panel(shop, raw, part, problem=problem, wrong=wrong)
    return draw_journey(frame, shop, name, Look(panel=panel), status=400)


def _change(raw: Raw, action: str) -> None:
    """A condition added, taken out or turned; an exit added or taken out."""
    verb, _, rest = action.partition(":")
    root = rest.partition(":")[0].split(".")[0]
    if verb == "exit-add" and rest in _NEW_EXITS:
        raw["exits"] = [*(raw.get("exits") or ()), dict(_NEW_EXITS[rest])][:10]
    elif verb == "exit-remove" and rest.isdecimal():
        raw["exits"] = [each for n, each in enumerate(raw["exits"]) if n != int(rest[:4])]
    elif root == AUDIENCE:
        raw["trigger"]["audience"] = _changed(raw["trigger"].get("audience"), action)
    elif root == ENTRY:
        raw["entry"] = _changed(raw.get("entry"), action)
    elif root.startswith(EXIT) and root.removeprefix(EXIT).isdecimal():
        number = int(root.removeprefix(EXIT)[:4])
        if number < len(raw.get("exits") or ()):
            raw["exits"][number] = {"rule": _changed(raw["exits"][number].get("rule"), action)}


def _changed(rule: Mapping[str, Any] | None, action: str) -> dict[str, object]:
    return change(as_group(rule or {"all": []}), action)


def _tidy(data: Mapping[str, Any]) -> Values:
    return {key: str(value)[:2_000] for key, value in data.items() if not key.startswith("_")}


ROUTES = [post_part, post_part_count]
"""Addresses of a journey's parts."""
