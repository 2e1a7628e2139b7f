"""Words for one reader: what the templates call to write text, amounts and moments."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from unicodedata import bidirectional

from babel import dates, lists, numbers

from lingxi.app.model_views import Measure
from lingxi.errors import LingxiError
from lingxi.i18n import DEFAULT_LANGUAGE, Sentence, Translator, minor_units
from lingxi.i18n.sentence import Value
from lingxi.i18n.translator import fill_wide
from lingxi.schema.ecommerce import VOCABULARY

_WHOLE_FROM = 100
_JUST_NOW_SECONDS = 60
DASH = "–"


def isolate(value: Value) -> Value:
    """A name written from right to left, set apart so that it does not turn the sentence around it.

    >>> isolate("Ada"), isolate("كوب 5") == "\\u2068كوب 5\\u2069"
    ('Ada', True)
    """
    if not isinstance(value, str) or value.isascii():
        return value
    if any(bidirectional(sign) in ("R", "AL") for sign in value):
        return f"\u2068{value}\u2069"
    return value


@dataclass(frozen=True)
class Problem:
    """Why something could not be done; ``foreign``: in English, to a reader of another language."""

    text: str
    foreign: bool = False


@dataclass(frozen=True)
class Words:
    """A translator together with the present moment and the currency of what is shown."""

    reader: Translator
    now: datetime

    def text(self, code: str, **params: Value) -> str:
        """A sentence of the pages' own catalogue; an unknown code is an error."""
        return self.reader.text(code, **{key: isolate(value) for key, value in params.items()})

    def say(self, sentence: Sentence | None) -> str:
        """A stored sentence; one that an older version wrote and we lost is shown as its code."""
        if sentence is None:
            return DASH
        try:
            given = sentence.params.items()
            params = {key: isolate(self._name_param(key, value)) for key, value in given}
            return self.reader.text(sentence.code, **params)
        except KeyError:
            return sentence.code

    def problem(self, error: LingxiError) -> Problem:
        """An error for this reader: by its sentence where it names one, else as it was raised."""
        if error.said is not None:
            sentence, params = error.said
            return Problem(self.reader.text(sentence, **params))
        return Problem(str(error), foreign=self.reader.language != DEFAULT_LANGUAGE)

    def _name_param(self, key: str, value: Value) -> Value:
        """A stored sentence names a model, an event or a channel by its code and a moment in UTC;
        the reader gets the word, and the moment in the shop's time zone."""
        if isinstance(value, str) and key in ("model", "name"):
            return self.word("model", value)
        if isinstance(value, str) and key == "event":
            return self.reader.event(value)
        if isinstance(value, str) and key == "channel":
            return self.reader.word("channel", value)
        if isinstance(value, str) and key == "moment" and value.endswith(" UTC"):
            return self.time(datetime.fromisoformat(value.removesuffix(" UTC")).replace(tzinfo=UTC))
        return value

    def word(self, kind: str, name: str | None) -> str:
        """The word of a vocabulary: ``word("stage", "at_risk")``; open names stay as they are."""
        if not name:
            return DASH
        for code in (f"{kind}.{name}", f"recommend.{kind}.{name}"):
            try:
                return self.reader.text(code)
            except KeyError:
                continue
        return name

    def event(self, name: str) -> str:
        """What an event is called; a shop's own events keep their names."""
        try:
            return self.reader.text("event." + name.lower().replace(" ", "_"))
        except KeyError:
            return name

    def events_called(self, text: str) -> frozenset[str]:
        """The events whose word for this reader contains a text."""
        wanted = text.casefold()
        return frozenset(name for name in VOCABULARY if wanted in self.event(name).casefold())

    def tip(self, kind: str, name: str) -> str:
        """What a word of a vocabulary means, or nothing."""
        try:
            return self.reader.text(f"{kind}.{name}.help")
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

    def day_name(self, day: str) -> str:
        """A day that stands by itself, of no time zone: ``2026-03-29``."""
        return dates.format_date(date.fromisoformat(day), "medium", locale=self.reader.locale)

    def time(self, moment: datetime | None) -> str:
        """Day and minute of a moment."""
        return DASH if moment is None else self.reader.time(moment)

    def exact_time(self, moment: datetime) -> str:
        """Day and second of a moment."""
        return self.reader.exact_time(moment)

    def ago(self, moment: datetime | None) -> str:
        """How long ago, up to seven days; the day itself after that."""
        if moment is None:
            return DASH
        if abs((self.now - moment).total_seconds()) < _JUST_NOW_SECONDS:
            return self.text("frame.just_now")
        return self.reader.ago(moment, self.now)

    def as_of(self, moment: datetime) -> str:
        """From when a page's figures are; how long ago only while that is a matter of days."""
        ago = self.ago(moment)
        if ago == self.reader.date(moment):
            return self.text("frame.as_of_day", time=self.time(moment))
        return self.text("frame.as_of", time=self.time(moment), ago=ago)

    def feature(self, value: float | str | None) -> str:
        """A feature's value as it was computed, to at most two decimals."""
        if value is None:
            return DASH
        if isinstance(value, str):
            return value
        return self.reader.number(value, 0 if float(value).is_integer() else 2)

    def listed(self, parts: Sequence[str]) -> str:
        """Several things in one phrase: ``A, B and C``."""
        if self.reader.language != "zh" or len(parts) < 2:
            return lists.format_list(list(parts), locale=self.reader.locale)
        *others, last = parts
        return fill_wide("{others} 和 {last}", {"others": "、".join(others), "last": last})

    def join(self, *sentences: str) -> str:
        """Sentences after one another; Chinese puts no space between them."""
        return ("" if self.reader.language == "zh" else " ").join(filter(None, sentences))

    def metric(self, name: str) -> str:
        """What a measure is called; ``ndcg@10`` is measured on lists of ten, and
        ``ndcg@10_over_popularity`` is what it has above another."""
        base, _, rest = name.partition("@")
        length, _, more = rest.partition("_")
        called = self.word("metric", base)
        called = self.text("metric.at", metric=called, length=length) if length else called
        try:
            return self.text(f"metric.{more}", metric=called) if more else called
        except KeyError:
            return f"{called} ({more})"

    def measured(self, measure: Measure) -> str:
        """The value of a measure: an amount where it is one, else three decimals."""
        if measure.metric.endswith("_cents"):
            return self.reader.money(measure.value)
        return self.reader.number(measure.value, 3)

    def size(self, count: int) -> str:
        """A number of bytes in megabytes."""
        return f"{self.reader.number(count / 1e6, 1)} MB"

    def functions(self) -> Mapping[str, Callable[..., str]]:
        """By the names that templates use."""
        return {
            "_": self.text,
            "say": self.say,
            "word": self.word,
            "event": self.event,
            "tip": self.tip,
            "money": self.money,
            "about": self.about,
            "num": self.num,
            "pct": self.pct,
            "signed": self.signed,
            "date": self.date,
            "day_name": self.day_name,
            "time": self.time,
            "exact_time": self.exact_time,
            "ago": self.ago,
            "as_of": self.as_of,
            "feature": self.feature,
            "join": self.join,
            "listed": self.listed,
            "metric_name": self.metric,
            "measured": self.measured,
            "size": self.size,
        }
