"""The currency that stands beside an amount: "10 EUR", "£9.50"."""

import re
from collections.abc import Iterable
from functools import lru_cache

from lingxi.i18n import is_currency
from lingxi.ingest.message import Step
from lingxi.ingest.reasons import PutReason

_SIGNS = {
    "€": "EUR", "£": "GBP", "₹": "INR", "₽": "RUB", "₩": "KRW", "₺": "TRY", "₫": "VND", "₴": "UAH",
    "₦": "NGN", "฿": "THB", "zł": "PLN", "kč": "CZK", "ft": "HUF", "r$": "BRL", "us$": "USD",
    "元": "CNY", "rmb": "CNY", "円": "JPY",
}  # fmt: skip
"""Signs of one currency; ``$``, ``¥``, ``kr`` and ``Rs`` are of several, and so the shop's."""
_SMALL = frozenset({"eur", "usd", "gbp", "chf", "cny", "jpy", "cad", "aud", "pln", "sek", "nok"})
"""Codes that people write in small letters too; others are words as well ("all", "top", "try")."""
_AROUND = re.compile(r"[\d\s.,'’+\-()]+")
_MONEY = frozenset(
    {"price", "total", "revenue", "value", "subtotal", "shipping", "tax", "discount"}
)


@lru_cache(maxsize=4_096)
def find_currency(text: str) -> str | None:
    """The code of the one currency that an amount names; nothing where it names none, or a sign
    that several have.

    >>> find_currency("10 EUR"), find_currency("£9.50"), find_currency("12,50€")
    ('EUR', 'GBP', 'EUR')
    >>> find_currency("$5"), find_currency("10 all"), find_currency("10.00")
    (None, None, None)
    """
    for word in _AROUND.split(text):
        sign = _SIGNS.get(word.lower())
        if sign:
            return sign
        if len(word) == 3 and word.isascii() and (word.isupper() or word in _SMALL):
            code = word.upper()
            if is_currency(code):
                return code
    return None


def name_currencies(steps: Iterable[Step]) -> set[str]:
    """The currencies that the amounts of a message name, of those that were read from a text."""
    named = {
        find_currency(step.before)
        for step in steps
        if step.reason is PutReason.NUMBER_READ
        and step.before
        and step.field.rpartition(".")[2] in _MONEY
    }
    return {code for code in named if code is not None}
