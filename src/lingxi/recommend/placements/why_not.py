"""Why an item is not in a list: what barred it, or where it stands and what it lacks."""

from dataclasses import dataclass
from typing import cast

from lingxi.i18n import Sentence
from lingxi.recommend.expressions.nodes import Kind
from lingxi.recommend.expressions.vectorised import Words
from lingxi.recommend.placements.bars import Bar
from lingxi.recommend.placements.knowledge import Knowledge
from lingxi.recommend.placements.listing import Listed
from lingxi.recommend.placements.scored import Scored
from lingxi.recommend.placements.verdict import Verdict


@dataclass(frozen=True)
class Standing:
    """Where an item stands.

    ``bars``: everything that keeps it out; ``position`` in the list (from 1);
    ``rank`` by value among the candidates of the strategy that scored it; ``value`` and
    ``needed``, the value of the last item that this strategy placed; ``cap``: brand or category.
    """

    verdict: Verdict
    bars: tuple[Bar, ...] = ()
    position: int | None = None
    rank: int | None = None
    strategy: str | None = None
    value: float | None = None
    needed: float | None = None
    cap: str = ""

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """What to say, most important first."""
        if self.verdict is Verdict.BARRED:
            return tuple(
                Sentence(f"placement.not.{bar.reason}", {"rule": bar.rule} if bar.rule else {})
                for bar in self.bars
            )
        params: dict[str, str | float | int] = {}
        if self.position is not None:
            params["position"] = self.position
        if self.rank is not None:
            params["rank"] = self.rank
        if self.needed is not None and self.value:
            params["times"] = f"{self.needed / self.value:.3g}"
        if self.verdict is Verdict.OUTRANKED and "times" not in params:
            return (Sentence("placement.not.outranked_by_strategy", params),)
        if self.verdict is Verdict.CAPPED:
            return (Sentence(f"placement.not.capped_{self.cap}", params),)
        return (Sentence(f"placement.not.{self.verdict}", params),)


def find_standing(known: Knowledge, listed: Listed, item_id: str) -> Standing:
    """Where an item stands in view of a list that was made."""
    place = known.table.index.get(item_id)
    if place is None:
        return Standing(Verdict.UNKNOWN)
    for position, entry in enumerate(listed.entries, 1):
        if entry.place == place:
            return Standing(Verdict.SHOWN, position=position, value=entry.value, rank=entry.rank)
    bars = listed.compiled.find_bars(known.table.facts[place], listed.moment)
    own = listed.own.find(place)
    if own is not None:
        bars.append(Bar(own))
    if bars:
        return Standing(Verdict.BARRED, tuple(bars))
    return _find_rank(known, listed, place)


def _find_rank(known: Knowledge, listed: Listed, place: int) -> Standing:
    for tier in listed.tiers:
        value = _value_of(tier.scored, place) * float(listed.factors[place])
        if value <= 0:
            continue
        free = listed.compiled.open[tier.scored.places]
        values = tier.scored.values[free] * listed.factors[tier.scored.places[free]]
        rank = 1 + int((values > value).sum())
        placed = [e.value for e in listed.entries if e.strategy is tier.strategy and not e.explored]
        needed = min(placed, default=None)
        cap = _find_cap(known, listed, place)
        enough = needed is not None and value > needed
        verdict = Verdict.CAPPED if cap else Verdict.VARIED if enough else Verdict.OUTRANKED
        return Standing(
            verdict, (), None, rank, str(tier.strategy), value, None if enough else needed, cap
        )
    return Standing(Verdict.UNSCORED)


def _find_cap(known: Knowledge, listed: Listed, place: int) -> str:
    """The group of the item of which the list holds as many as it may, or nothing."""
    wanted = listed.variant.diversity
    for name, most in (("brand", wanted.most_per_brand), ("category", wanted.most_per_category)):
        codes = cast(Words, known.table.column(name, Kind.TEXT)).codes
        code = int(codes[place])
        same = sum(int(codes[entry.place]) == code for entry in listed.entries)
        if most and code >= 0 and same >= most:
            return name
    return ""


def _value_of(scored: Scored, place: int) -> float:
    found = scored.values[scored.places == place]
    return float(found[0]) if len(found) else 0.0
