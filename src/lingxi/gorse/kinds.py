"""Feedback types and what they mean here: a table of the settings, read once."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import ge, gt, le, lt

from lingxi.config import GorseSettings
from lingxi.errors import InvalidSetting
from lingxi.schema import Name

KINDS: Mapping[str, Name] = {
    "order": Name.ORDER_COMPLETED,
    "cart": Name.PRODUCT_ADDED,
    "wish": Name.WISH_ADDED,
    "view": Name.PRODUCT_VIEWED,
    "shown": Name.LIST_VIEWED,
}
"""What feedback can be, the strongest first: the event of the log that each kind becomes."""

_ENTRY = re.compile(r"\s*([^<>=\s][^<>=]*?)\s*(?:(>=|<=|>|<)\s*(-?\d+(?:\.\d+)?)\s*)?")
_COMPARE: Mapping[str, Callable[[float, float], bool]] = {">=": ge, "<=": le, ">": gt, "<": lt}


@dataclass(frozen=True)
class Rule:
    """Feedback of a type, with a value on one side of a threshold or any value, is of a kind."""

    kind: str
    feedback_type: str
    compare: str = ""
    threshold: float = 0.0

    def fits(self, feedback_type: str, value: float) -> bool:
        """Whether the feedback is of this kind."""
        if feedback_type != self.feedback_type:
            return False
        return not self.compare or _COMPARE[self.compare](value, self.threshold)


@dataclass(frozen=True)
class Kinds:
    """The table of one shop: the first rule that fits counts, the strongest kinds first."""

    rules: Sequence[Rule]
    other: str

    @classmethod
    def of(cls, settings: GorseSettings) -> "Kinds":
        """The table that the settings write.

        Raises
        ------
        InvalidSetting
            If an entry is neither a type nor a comparison.

        Examples
        --------
        >>> kinds = Kinds.of(GorseSettings(order=("rating>=4",)))
        >>> kinds.find("rating", 5.0).value, kinds.find("rating", 2.0).value
        ('Order Completed', 'Product Viewed')
        """
        rules = [_read_rule(kind, entry) for kind in KINDS for entry in getattr(settings, kind, ())]
        return cls(rules, settings.other)

    def find(self, feedback_type: str, value: float) -> Name:
        """The event that feedback becomes."""
        for rule in self.rules:
            if rule.fits(feedback_type, value):
                return KINDS[rule.kind]
        return KINDS[self.other]

    def is_interest(self, feedback_type: str, value: float) -> bool:
        """Whether feedback says that the user took interest, and not only that they saw."""
        return self.find(feedback_type, value) is not Name.LIST_VIEWED


def _read_rule(kind: str, entry: str) -> Rule:
    match = _ENTRY.fullmatch(entry)
    if match is None:
        raise InvalidSetting(
            f"gorse.{kind}: {entry!r} is neither a feedback type nor one with a threshold, "
            "such as 'rating>=4'."
        )
    feedback_type, compare, threshold = match.groups()
    return Rule(kind, feedback_type, compare or "", float(threshold or 0.0))
