"""Rules: what is never shown, each by name, whatever its score."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from lingxi.schema import Item

LONGEST_HISTORY = 2000
"""Items of one customer that are looked at, the latest."""
MOST_HISTORY = 100
"""Items that one request may name as what somebody met just now."""


@dataclass(frozen=True)
class Candidate:
    """An item about to be recommended: what the catalogue and the customer's history say of it.

    ``item`` is nothing where the catalogue does not know it; ``given`` says that the caller named
    it as what the visitor looks at just now.
    """

    item_id: str
    item: Item | None = None
    orders: int = 0
    last_at: datetime | None = None
    given: bool = False


@dataclass(frozen=True)
class RuleSettings:
    """``repurchase_after``: an item bought longer ago may be recommended again; nothing: never.

    ``now`` is needed for it only. ``off`` names rules that are not applied.
    """

    repurchase_after: timedelta | None = None
    now: datetime | None = None
    off: frozenset[str] = frozenset()


Rule = Callable[[Candidate, RuleSettings], bool]


def already_bought(candidate: Candidate, settings: RuleSettings) -> bool:
    """The customer has bought it, and not so long ago that it may be needed again.

    >>> already_bought(Candidate("a", orders=1), RuleSettings())
    True
    """
    if candidate.orders == 0:
        return False
    if settings.repurchase_after is None or settings.now is None or candidate.last_at is None:
        return True
    return settings.now - candidate.last_at < settings.repurchase_after


def in_given_history(candidate: Candidate, _settings: RuleSettings) -> bool:
    """The visitor has it before their eyes or in the cart."""
    return candidate.given


def out_of_stock(candidate: Candidate, _settings: RuleSettings) -> bool:
    """The catalogue says that none is left; unknown stock counts as available."""
    return (
        candidate.item is not None
        and candidate.item.stock is not None
        and candidate.item.stock <= 0
    )


def inactive(candidate: Candidate, _settings: RuleSettings) -> bool:
    """The shop has taken it off sale."""
    return candidate.item is not None and not candidate.item.active


def without_price(candidate: Candidate, _settings: RuleSettings) -> bool:
    """The catalogue gives it a price of 0: a sample or an error. Unknown prices pass."""
    item = candidate.item
    return item is not None and item.price_cents is not None and item.price_cents <= 0


RULES: Mapping[str, Rule] = {
    rule.__name__: rule
    for rule in (already_bought, in_given_history, out_of_stock, inactive, without_price)
}
"""All rules, in the order they are asked."""


def find_rule(candidate: Candidate, settings: RuleSettings) -> str | None:
    """The name of the first rule that keeps the candidate out, or nothing.

    >>> find_rule(Candidate("a", Item(item_id="a", stock=0)), RuleSettings())
    'out_of_stock'
    """
    for name, rule in RULES.items():
        if name not in settings.off and rule(candidate, settings):
            return name
    return None
