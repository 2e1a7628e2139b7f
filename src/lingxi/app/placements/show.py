"""Lists and verdicts in the form in which they are told."""

from lingxi.app.placements.views import CauseView, PlacedItem, SignalView, StepView, WhyNotView
from lingxi.recommend.placements.definition import Strategy
from lingxi.recommend.placements.explain import (
    Explained,
    explain_briefly,
    explain_entry,
    say_signal,
    say_step,
    say_why,
)
from lingxi.recommend.placements.knowledge import Knowledge
from lingxi.recommend.placements.listing import Listed
from lingxi.recommend.placements.why_not import Standing

_SAID = 2
"""Causes that a sentence names."""


def name_of(known: Knowledge, item_id: str) -> str:
    """What an item is called, or "" where nobody has said."""
    place = known.table.index.get(item_id)
    item = None if place is None else known.table.facts[place].item
    return item.name if item is not None else ""


def show_items(known: Knowledge, listed: Listed, *, explain: bool) -> tuple[PlacedItem, ...]:
    """All places of a list; with ``explain`` every cause and step of each."""
    if explain:
        found = [explain_entry(known, listed, entry) for entry in listed.entries]
    else:
        found = explain_briefly(known, listed, _SAID)
    models = {tier.strategy: tier.scored.model for tier in listed.tiers}
    return tuple(
        _show_item(known, each, position, models, explain=explain)
        for position, each in enumerate(found, 1)
    )


def _show_item(
    known: Knowledge,
    found: Explained,
    position: int,
    models: dict[Strategy, str],
    *,
    explain: bool,
) -> PlacedItem:
    entry = found.entry
    facts = known.table.facts[entry.place]
    item = facts.item
    names = {cause.item_id: name_of(known, cause.item_id) for cause in found.causes[:_SAID]}
    causes: tuple[CauseView, ...] = ()
    steps: tuple[StepView, ...] = ()
    if explain:
        causes = tuple(
            CauseView(c.kind, c.item_id, name_of(known, c.item_id), c.value) for c in found.causes
        )
        steps = tuple(
            StepView(step.kind.value, step.value, step.factor, step.name, say_step(step))
            for step in found.steps
        )
    return PlacedItem(
        position=position,
        item_id=facts.item_id,
        name=item.name if item else "",
        category=item.category if item else None,
        price_cents=item.price_cents if item else None,
        image=item.image if item else None,
        url=item.url if item else None,
        score=found.value,
        source=str(entry.strategy) if entry.strategy else "",
        model=models.get(entry.strategy, "") if entry.strategy else "",
        why=say_why(found, facts.item_id, names),
        propensity=entry.propensity,
        explored=entry.explored,
        pinned_by=entry.pin,
        causes=causes,
        steps=steps,
        signals=tuple(
            SignalView(each.name, each.model, each.value, say_signal(each))
            for each in found.signals
        ),
    )


def show_standing(name: str, known: Knowledge, item_id: str, standing: Standing) -> WhyNotView:
    """Why an item is not in a list, told."""
    return WhyNotView(
        placement=name,
        item_id=item_id,
        name=name_of(known, item_id),
        verdict=standing.verdict.value,
        reasons=tuple(bar.reason.value for bar in standing.bars),
        rules=tuple(bar.rule for bar in standing.bars if bar.rule),
        sentences=standing.sentences,
        position=standing.position,
        rank=standing.rank,
        source=standing.strategy,
        score=standing.value,
        needed=standing.needed,
    )
