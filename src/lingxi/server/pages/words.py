"""Words for one reader: what the templates call to write text, amounts and moments."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from babel import numbers

from lingxi.i18n import Sentence, Translator, minor_units
from lingxi.i18n.sentence import Value

_WHOLE_FROM = 100
DASH = "–"


@dataclass(frozen=True)
class Words:
    """A translator together with the present moment and the currency of what is shown."""

    reader: Translator
    now: datetime

    def text(self, code: str, **params: Value) -> str:
        """A sentence of the pages' own catalogue; an unknown code is an error."""
        return self.reader.text(code, **params)

    def say(self, sentence: Sentence | None) -> str:
        """A stored sentence; one that an older version wrote and we lost is shown as its code."""
        if sentence is None:
            return DASH
        try:
            return self.reader.text(sentence)
        except KeyError:
            return sentence.code

    def word(self, kind: str, name: str | None) -> str:
        """The word of a vocabulary: ``word("stage", "at_risk")``; open names stay as they are."""
        if not name:
            return DASH
        try:
            return self.reader.text(f"{kind}.{name}")
        except KeyError:
            return name

    def tip(self, kind: str, name: str) -> str:
        """What a word of a vocabulary means, or nothing."""
        try:
            return self.reader.text(f"{kind}.{name}.tip")
        except KeyError:
            return ""

    def money(self, cents: int | float | None, currency: str | None = None) -> str:
        """An amount to the last minor unit."""
        return DASH if cents is None else self.reader.money(cents, currency)

    def about(self, cents: int | float | None, currency: str | None = None) -> str:
        """An amount in whole units once it is large enough that nobody misses the pence."""
        if cents is None:
            return DASH
        unit = currency or self.reader.currency
        amount = cents / 10 ** minor_units(unit)
        if abs(amount) < _WHOLE_FROM:
            return self.reader.money(cents, unit)
        return numbers.format_currency(
            round(amount), unit, locale=self.reader.locale, format="¤#,##0", currency_digits=False
        )

    def num(self, value: float | None, digits: int = 0) -> str:
        """A number."""
        return DASH if value is None else self.reader.number(value, digits)

    def pct(self, share: float | None, digits: int = 0) -> str:
        """A share as a percentage."""
        return DASH if share is None else self.reader.percent(share, digits)

    def signed(self, share: float) -> str:
        """A change as a percentage with its sign: ``+12%``, ``−3%``."""
        sign = "+" if share > 0 else "−" if share < 0 else "±"
        return sign + self.reader.percent(abs(share))

    def date(self, moment: datetime | None) -> str:
        """The day of a moment."""
        return DASH if moment is None else self.reader.date(moment)

    def time(self, moment: datetime | None) -> str:
        """Day and time of a moment."""
        return DASH if moment is None else self.reader.time(moment)

    def ago(self, moment: datetime | None) -> str:
        """How long ago, up to seven days; the day itself after that."""
        return DASH if moment is None else self.reader.ago(moment, self.now)

    def feature(self, value: float | str | None) -> str:
        """A feature's value as it was computed, to at most two decimals."""
        if value is None:
            return DASH
        if isinstance(value, str):
            return value
        return self.reader.number(value, 0 if float(value).is_integer() else 2)

    def size(self, count: int) -> str:
        """A number of bytes in megabytes."""
        return f"{self.reader.number(count / 1e6, 1)} MB"

    def functions(self) -> Mapping[str, Callable[..., str]]:
        """By the names that templates use."""
        names = ("say", "word", "tip", "money", "about", "num", "pct", "signed", "date", "time")
        named = {name: getattr(self, name) for name in (*names, "ago", "feature", "size")}
        return {"_": self.text, **named}
