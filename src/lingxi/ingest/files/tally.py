"""What the lines of a file add up to, as it is kept from one transaction to the next."""

import msgspec

from lingxi.ingest.report import ReasonCount

_BETWEEN = "\t"


class Tally(msgspec.Struct):
    """Counts of one import so far; ``reasons`` by step, reason and whether the line was kept."""

    lines: int = 0
    kept: int = 0
    inserted: int = 0
    duplicates: int = 0
    orders: int = 0
    reasons: dict[str, int] = {}
    examples: dict[str, str] = {}
    filled: dict[str, int] = {}
    """Kept lines in which a column holds something, by its field."""

    def copy(self) -> "Tally":
        """One that can be added to apart."""
        return msgspec.structs.replace(
            self,
            reasons=dict(self.reasons),
            examples=dict(self.examples),
            filled=dict(self.filled),
        )

    def count(self, step: str, reason: str, *, kept: bool, lines: int, example: str) -> None:
        """Add what one step did."""
        key = _BETWEEN.join((step, reason, "kept" if kept else ""))
        self.reasons[key] = self.reasons.get(key, 0) + lines
        self.examples.setdefault(key, example)

    def list_reasons(self) -> tuple[ReasonCount, ...]:
        """The steps that did something, for the report."""
        found = []
        for key, lines in self.reasons.items():
            step, reason, kept = key.split(_BETWEEN)
            found.append(ReasonCount(step, reason, lines, bool(kept), self.examples[key] or None))
        return tuple(found)
