"""What can be told about placements; amounts in minor units, as everywhere in ``app.views``."""

from datetime import datetime

import msgspec

from lingxi.i18n import Sentence
from lingxi.recommend.placements.definition import Placement


class CauseView(msgspec.Struct, frozen=True):
    """A part of a score: an item of the history, or "" for what belongs to the item alone.

    ``contribution`` is signed and in the score's unit; all of an item's sum to its score.
    """

    kind: str
    item_id: str
    name: str
    contribution: float


class StepView(msgspec.Struct, frozen=True):
    """What one step of the list's making did to an item, and the score after it."""

    kind: str
    score: float
    factor: float
    name: str
    sentence: Sentence


class SignalView(msgspec.Struct, frozen=True):
    """What a signal of a learnt model gives to the logit that orders the list, signed.

    ``model`` is the part that the signal tells of, "" for none; all signals of an item sum to its
    logit.
    """

    name: str
    model: str
    contribution: float
    sentence: Sentence


class PlacedItem(msgspec.Struct, frozen=True):
    """One place of a list.

    ``source``: the strategy that found the item; ``propensity``: the probability, before drawing,
    that this position shows it; ``causes``, ``steps`` and, of a learnt model, ``signals`` only
    where they were asked for.
    """

    position: int
    item_id: str
    name: str
    category: str | None
    price_cents: int | None
    image: str | None
    url: str | None
    score: float
    source: str
    model: str
    why: Sentence
    propensity: float = 1.0
    explored: bool = False
    pinned_by: str = ""
    causes: tuple[CauseView, ...] = ()
    steps: tuple[StepView, ...] = ()
    signals: tuple[SignalView, ...] = ()


class PlacementView(msgspec.Struct, frozen=True):
    """A list for a placement.

    ``list_id`` names it in the log; ``arm`` is that of ``experiment``, none without one or where
    nobody can be told apart. ``diversity_loss`` is the share of relevance that diversity cost.
    """

    placement: str
    list_id: str
    customer_id: str | None
    known: bool
    personalised: bool
    as_of: datetime
    currency: str
    experiment: str | None
    arm: str | None
    diversity_loss: float
    items: tuple[PlacedItem, ...]


class WhyNotView(msgspec.Struct, frozen=True):
    """Why an item is not in a list, or where it is.

    ``rank`` by score among the candidates of ``source``; ``needed``: the score of the last item
    that this source placed.
    """

    placement: str
    item_id: str
    name: str
    verdict: str
    reasons: tuple[str, ...]
    rules: tuple[str, ...]
    sentences: tuple[Sentence, ...]
    position: int | None = None
    rank: int | None = None
    source: str | None = None
    score: float | None = None
    needed: float | None = None


class VersionView(msgspec.Struct, frozen=True):
    """One state that a placement was in; ``restored`` is the version it was taken from again."""

    version: int
    at: datetime
    actor: str
    note: str
    text: str
    restored: int | None = None


class DefinitionView(msgspec.Struct, frozen=True):
    """One placement: its definition, where it comes from, and its version (0: none yet).

    ``mark`` names its state: who writes may send it as ``expected``.
    """

    name: str
    built_in: bool
    changed: bool
    version: int
    mark: str
    definition: Placement
    text: str
    versions: tuple[VersionView, ...] = ()


class DefinitionsView(msgspec.Struct, frozen=True):
    """All placements; ``problem`` is what is wrong with the file, in words."""

    placements: tuple[DefinitionView, ...]
    shop_rules: int
    problem: str


class Movement(msgspec.Struct, frozen=True):
    """An item that a change brings into lists, or out of them, and into how many."""

    item_id: str
    name: str
    lists: int


class SampleList(msgspec.Struct, frozen=True):
    """One customer's list before and after a change: item ids and names in order."""

    customer_id: str | None
    before: tuple[str, ...]
    after: tuple[str, ...]
    before_names: tuple[str, ...]
    after_names: tuple[str, ...]


class PreviewView(msgspec.Struct, frozen=True):
    """What a change of a placement would do to the lists of a sample of customers.

    ``changed``: lists with other items or another order; ``kept_share``: the share of the items
    of all lists that stay; ``shorter``: lists with fewer items than before.
    """

    placement: str
    sample: int
    changed: int
    shorter: int
    empty: int
    kept_share: float
    entering: tuple[Movement, ...]
    leaving: tuple[Movement, ...]
    lists: tuple[SampleList, ...]
