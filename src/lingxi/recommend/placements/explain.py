"""Why an item stands where it stands: the causes of its score, and what each step did to it."""

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from lingxi.i18n import Sentence
from lingxi.recommend.makeup import Signal
from lingxi.recommend.placements.definition import Strategy
from lingxi.recommend.placements.knowledge import Knowledge
from lingxi.recommend.placements.listing import Entry, Listed
from lingxi.recommend.placements.scored import Cause, Largest, Scored


class StepKind(StrEnum):
    """What can happen to an item on its way into a list."""

    SCORE = "score"
    GOAL = "goal"
    BOOST = "boost"
    DIVERSITY = "diversity"
    PIN = "pin"
    EXPLORE = "explore"


class Step(msgspec.Struct, frozen=True, gc=False):
    """One step: what it multiplied the value by, and the value after it.

    ``name`` is a rule's, or the model's that gave the score; ``rank`` the place by value alone.
    """

    kind: StepKind
    value: float
    factor: float = 1.0
    name: str = ""
    rank: int | None = None


class Explained(msgspec.Struct, frozen=True):
    """One entry with its causes, largest first, and steps; the causes sum to ``value``.

    ``signals``: of a learnt model, what each gave to the logit, the largest first.

    A cause's share of the value before boosts is its share after them, since every factor belongs
    to the item.
    """

    entry: Entry
    value: float
    causes: tuple[Cause, ...]
    steps: tuple[Step, ...]
    signals: tuple[Signal, ...] = ()
    support: float = 0.0
    """The sum of all causes that speak for it, also of those that are not among ``causes``."""


def explain_entry(known: Knowledge, listed: Listed, entry: Entry) -> Explained:
    """The causes and steps of one entry of a list."""
    scored = _find_scored(listed, entry)
    raw = scored.explain(entry.place) if scored is not None else ()
    support = sum(each.value for each in raw if each.value > 0)
    found = _explain(known, listed, entry, sum(each.value for each in raw), support, raw)
    if scored is None or scored.signals is None or entry.place >= known.n_known:
        return found
    return msgspec.structs.replace(found, signals=tuple(scored.signals(entry.place)))


def explain_briefly(known: Knowledge, listed: Listed, most: int) -> list[Explained]:
    """All entries of a list, each with no more than its largest causes, and no steps."""
    by_strategy: dict[Strategy | None, list[int]] = {}
    for entry in listed.entries:
        by_strategy.setdefault(entry.strategy, []).append(entry.place)
    found: dict[int, Largest] = {}
    for tier in listed.tiers:
        places = by_strategy.get(tier.strategy)
        if places:
            causes = tier.scored.explain_largest(places, most)
            found.update(zip(places, causes, strict=True))
    return [
        _explain_briefly(known, listed, entry, *found.get(entry.place, (0.0, 0.0, [])))
        for entry in listed.entries
    ]


def _explain_briefly(
    known: Knowledge,
    listed: Listed,
    entry: Entry,
    total: float,
    support: float,
    raw: Sequence[Cause],
) -> Explained:
    """As ``_explain``."""
    if len(raw) > 1:
        raw = sorted(raw, key=lambda cause: (-cause.value, cause.item_id))
    base = total if raw else entry.base
    factor = _multiply(known, listed, entry.place) if base > 0 else 1.0
    if factor == 1.0:
        return Explained(entry, base, tuple(raw), (), support=support if base > 0 else 0.0)
    causes = [Cause(cause.kind, cause.item_id, cause.value * factor) for cause in raw]
    return Explained(entry, base * factor, tuple(causes), (), support=support * factor)


def _multiply(known: Knowledge, listed: Listed, place: int) -> float:
    """What goals and boosts multiply an item's score by."""
    factor = float(listed.compiled.goals[place])
    if listed.compiled.boosts:
        for boost in listed.compiled.list_boosts(known.table.facts[place], listed.moment):
            factor *= boost.by
    return factor


def _find_scored(listed: Listed, entry: Entry) -> Scored | None:
    return next((t.scored for t in listed.tiers if t.strategy is entry.strategy), None)


def _explain(
    known: Knowledge,
    listed: Listed,
    entry: Entry,
    total: float,
    support: float,
    raw: Sequence[Cause],
) -> Explained:
    """``total`` is the sum of all causes, of which ``raw`` may be the largest, and ``support`` of
    those that speak for the item."""
    facts, scored = known.table.facts[entry.place], _find_scored(listed, entry)
    base = total if raw else entry.base
    steps = []
    if entry.strategy is not None:
        name = scored.model if scored is not None else str(entry.strategy)
        steps.append(Step(StepKind.SCORE, base, name=name, rank=entry.rank))
    value, factor = base, float(listed.compiled.goals[entry.place])
    if factor != 1.0 and base > 0:
        value *= factor
        steps.append(Step(StepKind.GOAL, value, factor))
    for boost in listed.compiled.list_boosts(facts, listed.moment) if base > 0 else ():
        value *= boost.by
        steps.append(Step(StepKind.BOOST, value, boost.by, boost.rule))
    whole = value / base if base > 0 else 0.0
    causes = (Cause(cause.kind, cause.item_id, cause.value * whole) for cause in raw)
    ordered = sorted(causes, key=lambda cause: (-cause.value, cause.item_id))
    said = _finish(steps, entry, value)
    return Explained(entry, value, tuple(ordered), said, support=support * whole)


def _finish(steps: list[Step], entry: Entry, value: float) -> tuple[Step, ...]:
    if entry.moved:
        steps.append(Step(StepKind.DIVERSITY, value, rank=entry.rank))
    if entry.pin:
        steps.append(Step(StepKind.PIN, value, name=entry.pin))
    if entry.explored:
        steps.append(Step(StepKind.EXPLORE, value, factor=entry.propensity))
    return tuple(steps)


_SMALLEST_TOLD = 0.005
"""A share below it would be written as 0 %."""
_BY_ITEM_ALONE = {
    "demand": "popular",
    "age": "new",
    "clicks": "clicked",
    "unseen": "unseen",
    "model": "model",
}


def say_why(explained: Explained, item_id: str, names: dict[str, str]) -> Sentence:
    """One sentence for an entry, which is this item; ``names`` of the items of its causes."""
    entry, causes = explained.entry, explained.causes
    if entry.explored:
        return Sentence("placement.why.explored", {"chance_share": entry.propensity})
    if entry.pin:
        return Sentence("placement.why.pinned", {"rule": entry.pin})
    if not causes or explained.value <= 0:
        return Sentence("placement.why.popular")
    first, support = causes[0], explained.support
    if first.item_id == item_id:
        return Sentence("placement.why.itself")
    if not first.item_id:
        return Sentence(f"placement.why.{_BY_ITEM_ALONE.get(first.kind, 'query')}")
    params: dict[str, str | float] = {
        "item": names.get(first.item_id) or first.item_id,
        "part_share": first.value / support,
    }
    others = [c for c in causes[1:] if c.item_id and c.value >= _SMALLEST_TOLD * support]
    if first.kind == "history" and others:
        params["other"] = names.get(others[0].item_id) or others[0].item_id
        params["other_share"] = others[0].value / support
        return Sentence("placement.why.history_two", params)
    return Sentence(f"placement.why.{first.kind}", params)


def say_signal(signal: Signal) -> Sentence:
    """What a signal tells of, in words."""
    return Sentence(f"signal.{signal.name}", {"model": signal.model} if signal.model else {})


def say_step(step: Step) -> Sentence:
    """What one step did, in a sentence."""
    params: dict[str, str | float | int] = {"score": f"{step.value:.3g}"}
    match step.kind:
        case StepKind.SCORE:
            params["model"] = step.name
        case StepKind.BOOST:
            params |= {"rule": step.name, "factor": f"{step.factor:.3g}"}
        case StepKind.GOAL:
            params["factor"] = f"{step.factor:.3g}"
        case StepKind.PIN:
            params["rule"] = step.name
        case StepKind.EXPLORE:
            params["chance_share"] = step.factor
        case StepKind.DIVERSITY:
            params["rank"] = step.rank or 0
    return Sentence(f"placement.step.{step.kind}", params)
