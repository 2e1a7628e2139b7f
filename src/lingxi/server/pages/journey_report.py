"""A journey in numbers: what it brought against its holdout, and where its customers are."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from lingxi.app.messages.views import OutcomeView
from lingxi.app.runs.desk import RunDesk
from lingxi.app.runs.views import CountsView
from lingxi.app.shop import Shop
from lingxi.journeys.graph import Journey
from lingxi.journeys.words import tell_port, tell_step
from lingxi.server.pages.words import Words

DAYS = 30
_FARTHEST = timedelta(days=730)
FEWEST = 100
"""Customers in the smaller group below which the page says that the figures are few."""


@dataclass(frozen=True)
class StepLine:
    """One step of the published version: who is there, who went on, and by which ways."""

    step: str
    words: str
    here: int
    left: int
    ways: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Report:
    """The numbers of a journey's published version, and its outcome if anyone has come in."""

    counts: CountsView
    steps: tuple[StepLine, ...]
    outcome: OutcomeView | None
    verdict: str
    few: str


def make_report(words: Words, shop: Shop, journey: Journey) -> Report | None:
    """The report of the published version; nothing where none is published."""
    name = journey.name
    detail = shop.journeys.describe(name)
    version = detail.journey.published
    if not version:
        return None
    published = shop.journeys.get_version(name, version)
    counts = RunDesk(shop).count(name, version)
    steps = []
    for row in counts.steps:
        ways = tuple((_name_way(words, way), n) for way, n in sorted(row.left.items()))
        said = tell_step(words.reader, published.steps[row.step])
        steps.append(StepLine(row.step, said, row.here, sum(row.left.values()), ways))
    outcomes = shop.messages.report(journey=name, days=DAYS).outcomes
    outcome = outcomes[0] if outcomes else None
    since = detail.versions[-1].published_at
    verdict, few = _judge(words, outcome, since) if outcome else ("", "")
    return Report(counts, tuple(steps), outcome, verdict, few)


def _name_way(words: Words, way: str) -> str:
    """A way out of a step, or how runs ended there."""
    ended = words.word("journeys.outcome", way)
    return ended if ended != way else tell_port(words.reader, way)


def _judge(words: Words, outcome: OutcomeView, since: datetime) -> tuple[str, str]:
    """What the difference means in plain words, and how far it can be relied on."""
    treated, held = outcome.arms
    least = min(treated.customers, held.customers)
    few = _tell_few(words, least, since) if least < FEWEST else ""
    found = outcome.buyers_share
    if found is None:
        return words.text("journey.report.nobody"), few
    kind = "better" if found.low > 0 else "worse" if found.high < 0 else "unclear"
    sentence = words.text(
        f"journey.report.{kind}",
        more=words.num(abs(found.value) * 100, 1),
        low=words.num(found.low * 100, 1),
        high=words.num(found.high * 100, 1),
    )
    return sentence, few


def _tell_few(words: Words, least: int, since: datetime) -> str:
    """That the smaller group is small, and when it will be large enough at the rate so far."""
    few = words.text("journey.report.few", n=least, least=FEWEST)
    ran = words.now - since
    if not least or ran < timedelta(days=1):
        return words.join(few, words.text("journey.report.no_rate"))
    left = ran * ((FEWEST - least) / least)
    if left > _FARTHEST:
        return words.join(few, words.text("journey.report.too_slow", least=FEWEST))
    return words.join(few, words.text("journey.report.enough_on", day=words.date(words.now + left)))
