"""Turns sentences, money, numbers and dates into text for one reader."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from math import floor, log10
from string import Formatter
from unicodedata import east_asian_width

from babel import Locale, dates, numbers

from lingxi.i18n.catalogue import DEFAULT_LANGUAGE, LANGUAGES, load_catalogue
from lingxi.i18n.sentence import Sentence, Value

_LOCALES = {"en": "en_GB", "zh": "zh_Hans_CN"}
_RELATIVE_DAYS = 7
_PERCENT, _HALF_PERCENT = 0.01, 0.005
_DIGITS, _MOST_DIGITS = 3, 9


def choose_language(wanted: str | None) -> str:
    """The language to use for a cookie, setting or ``Accept-Language`` header.

    >>> choose_language("zh-CN,zh;q=0.9,en;q=0.8")
    'zh'
    >>> choose_language("fr")
    'en'
    """
    for part in (wanted or "").split(","):
        language = part.split(";")[0].strip().replace("_", "-").split("-")[0].lower()
        if language in LANGUAGES:
            return language
    return DEFAULT_LANGUAGE


def is_currency(currency: str) -> bool:
    """Whether ISO 4217 has this code.

    >>> is_currency("GBP"), is_currency("GPB")
    (True, False)
    """
    return numbers.is_currency(currency)


def minor_units(currency: str) -> int:
    """Digits after the point in a currency (ISO 4217): 2 for GBP, 0 for JPY.

    >>> minor_units("GBP"), minor_units("JPY")
    (2, 0)
    """
    return numbers.get_currency_precision(currency)


def fill_wide(form: str, values: Mapping[str, str]) -> str:
    """A Chinese sentence with its values; a space stands beside one only where it is not Chinese.

    >>> fill_wide("到 {day} 为止有 {n} 件", {"day": "2026年3月2日", "n": "3"})
    '到 2026年3月2日为止有 3 件'
    """
    text, wide = "", False
    for literal, field, _, _ in Formatter().parse(form):
        text += literal.removeprefix(" ") if wide else literal
        wide = False
        if field is None:
            continue
        value = values[field]
        if value and text.endswith(" ") and _is_wide(value[0]):
            text = text[:-1]
        text += value
        wide = bool(value) and _is_wide(value[-1])
    return text


def _is_wide(sign: str) -> bool:
    return east_asian_width(sign) in ("W", "F")


@dataclass(frozen=True)
class Translator:
    """Everything that depends on who reads: language, time zone, the shop's currency.

    >>> Translator("en", currency="GBP").money(123456)
    '£1,234.56'
    """

    language: str = DEFAULT_LANGUAGE
    timezone: tzinfo = UTC
    currency: str = "GBP"

    @property
    def locale(self) -> Locale:
        return Locale.parse(_LOCALES[self.language])

    def text(self, sentence: Sentence | str, **params: Value) -> str:
        """The sentence in the reader's language; an unknown code is an error, not silence.

        Raises
        ------
        KeyError
            If the catalogues lack the code or the sentence lacks a parameter.
        """
        code, given = (
            (sentence, params)
            if isinstance(sentence, str)
            else (sentence.code, {**sentence.params, **params})
        )
        entry = load_catalogue(self.language)[code]
        form = entry.singular
        if entry.plural is not None and given.get("n") != 1:
            form = entry.plural
        currency = str(given.get("currency", self.currency))
        values = {k: self._format(k, v, currency) for k, v in given.items()}
        return fill_wide(form, values) if self.language == "zh" else form.format_map(values)

    def word(self, kind: str, name: str) -> str:
        """The word of an open vocabulary; a name that it lacks stays as it is.

        >>> Translator("zh").word("channel", "email"), Translator("zh").word("channel", "pigeon")
        ('邮件', 'pigeon')
        """
        try:
            return self.text(f"{kind}.{name}")
        except KeyError:
            return name

    def event(self, name: str) -> str:
        """What an event is called within a sentence. Names of events are English words: an English
        reader gets them as they are.

        >>> Translator("zh").event("Order Completed"), Translator("zh").event("Quiz Finished")
        ('下单', 'Quiz Finished')
        """
        if self.language == DEFAULT_LANGUAGE:
            return name
        code = name.lower().replace(" ", "_")
        word = self.word("event", code)
        return name if word == code else word

    def money(self, cents: int | float, currency: str | None = None) -> str:
        """An amount in minor units, written as the reader writes money."""
        unit = currency or self.currency
        return numbers.format_currency(cents / 10 ** minor_units(unit), unit, locale=self.locale)

    def number(self, value: float, digits: int = 0) -> str:
        """A number with grouping and ``digits`` decimals; what rounds to zero has no sign."""
        value = value if round(value, digits) else 0
        pattern = "#,##0" + ("." + "0" * digits if digits else "")
        return numbers.format_decimal(value, format=pattern, locale=self.locale)

    def percent(self, share: float, digits: int = 0) -> str:
        """A share of one as a percentage; what rounds to none or all, but is not, says so.

        >>> Translator().percent(0.00046), Translator().percent(0.999), Translator().percent(0)
        ('<1%', '>99%', '0%')
        """
        if not digits and 0 < share < _HALF_PERCENT:
            return "<" + self.percent(_PERCENT)
        if not digits and 1 - _HALF_PERCENT <= share < 1:
            return ">" + self.percent(1 - _PERCENT)
        pattern = "0" + ("." + "0" * digits if digits else "") + "%"
        return numbers.format_percent(share, format=pattern, locale=self.locale)

    def date(self, moment: datetime) -> str:
        """The day of a moment in the shop's time zone."""
        return dates.format_date(
            moment.astimezone(self.timezone), format="medium", locale=self.locale
        )

    def time(self, moment: datetime) -> str:
        """Day and minute of a moment in the shop's time zone.

        >>> Translator("zh").time(datetime(2026, 3, 2, 9, 5, 59, tzinfo=UTC))
        '2026年3月2日 09:05'
        """
        hour = dates.format_time(moment, "short", tzinfo=self.timezone, locale=self.locale)
        form = dates.get_datetime_format("medium", self.locale)
        return str(form).replace("{1}", self.date(moment)).replace("{0}", hour)

    def exact_time(self, moment: datetime) -> str:
        """Day and second of a moment in the shop's time zone, where the order of seconds counts."""
        return dates.format_datetime(
            moment, format="medium", tzinfo=self.timezone, locale=self.locale
        )

    def ago(self, moment: datetime, now: datetime) -> str:
        """Relative up to seven days, the date after that."""
        if abs((now - moment).days) < _RELATIVE_DAYS:
            return dates.format_timedelta(moment - now, add_direction=True, locale=self.locale)
        return self.date(moment)

    def _format(self, name: str, value: Value, currency: str) -> str:
        if isinstance(value, bool | str):
            if name.endswith("_at") and isinstance(value, str):
                return self.date(datetime.fromisoformat(value))
            return str(value)
        if name.endswith("_cents"):
            return self.money(value, currency)
        if name.endswith("_share"):
            return self.percent(value)
        return self._amount(float(value))

    def _amount(self, value: float) -> str:
        """A number within a sentence: to a tenth, below one to three digits that count.

        >>> english = Translator()
        >>> english._amount(1234.0), english._amount(2.25), english._amount(0.01472)
        ('1,234', '2.2', '0.0147')
        """
        if not 10**-_MOST_DIGITS <= abs(value) < 1:
            return self.number(value, 0 if value.is_integer() else 1)
        digits = min(_DIGITS - 1 - floor(log10(abs(value))), _MOST_DIGITS)
        pattern = "0." + "#" * digits
        return numbers.format_decimal(value, format=pattern, locale=self.locale)
