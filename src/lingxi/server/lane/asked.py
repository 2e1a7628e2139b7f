"""What a request on the lane says, read from its bytes; nothing where a route must look at it."""

import re
from collections.abc import Iterable
from urllib.parse import parse_qsl

import msgspec

from lingxi.app.placements.request import Ask
from lingxi.recommend.rules import MOST_HISTORY
from lingxi.server.api.parameters import LONGEST_ID, MOST_RECOMMENDED
from lingxi.server.gate import choose_key

_KEY_HEADERS = frozenset({b"authorization", b"x-api-key"})
_NUMBER = re.compile(r"[0-9]{1,3}")
_LONGEST_QUERY = 30_000
_DEFAULT_N = 10
_TRUTHS = ("true", "false")
_TEXTS = frozenset({"customer_id", "anonymous_id", "item_id", "category", "country"})
_LISTS = frozenset({"history", "cart", "bought"})


def read_key(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The secret key of a request; nothing where there is none, or more than one of a header.

    >>> read_key([(b"authorization", b"Bearer lx_1")]), read_key([(b"cookie", b"a=b")])
    ('lx_1', None)
    """
    given = [pair for pair in headers if pair[0] in _KEY_HEADERS]
    found = dict(given)
    if len(found) != len(given):
        return None
    api_key = found.get(b"x-api-key")
    return choose_key(
        found.get(b"authorization", b"").decode("latin-1"),
        None if api_key is None else api_key.decode("latin-1"),
    )


def read_query(text: bytes) -> tuple[int, tuple[str, ...], bool] | None:
    """``n``, ``history`` and ``log`` of a query for recommendations.

    >>> read_query(b""), read_query(b"n=5"), read_query(b"log=false&history=a&history=b%20c")
    ((10, (), True), (5, (), True), (10, ('a', 'b c'), False))
    >>> read_query(b"n=0"), read_query(b"m=1"), read_query(b"history=%FF")
    (None, None, None)
    """
    if not text:
        return _DEFAULT_N, (), True
    pairs = _split(text)
    if pairs is None:
        return None
    n, history, log = "", list[str](), ""
    for name, value in pairs:
        if name == "n" and not n:
            n = value
        elif name == "log" and not log and value in _TRUTHS:
            log = value
        elif name == "history" and is_plain_id(value):
            history.append(value)
        else:
            return None
    number = _read_length(n) if n else _DEFAULT_N
    if number is None or len(history) > MOST_HISTORY:
        return None
    return number, tuple(history), log != "false"


def read_ask(text: bytes) -> tuple[Ask, bool] | None:
    """What a query asks a placement for, and whether the list is shown.

    >>> read_ask(b"customer_id=7&n=3&cart=a&cart=b&log=false")[0].cart
    ('a', 'b')
    >>> read_ask(b"customer=7"), read_ask(b"n=0"), read_ask(b"item_id=a&item_id=b")
    (None, None, None)
    """
    pairs = _split(text)
    if pairs is None:
        return None
    texts, lists = dict[str, str](), dict[str, list[str]]()
    length: int | None = None
    log = ""
    for name, value in pairs:
        if name in _TEXTS and name not in texts and is_plain_id(value):
            texts[name] = value
        elif name in _LISTS and is_plain_id(value):
            lists.setdefault(name, []).append(value)
        elif name == "log" and not log and value in _TRUTHS:
            log = value
        elif name == "n" and length is None and (length := _read_length(value)) is not None:
            continue
        else:
            return None
    if len(texts.get("country", "XX")) > 2 or any(len(v) > MOST_HISTORY for v in lists.values()):
        return None
    return msgspec.convert({**texts, **lists, "n": length}, Ask), log != "false"


def is_plain_id(text: str) -> bool:
    """Whether a text can be an identifier without a second look.

    >>> is_plain_id("17850"), is_plain_id("a//b"), is_plain_id("")
    (True, False, False)
    """
    return (
        0 < len(text) <= LONGEST_ID
        and text.isprintable()
        and "\ufffd" not in text
        and "//" not in text
    )


def _split(text: bytes) -> list[tuple[str, str]] | None:
    if len(text) > _LONGEST_QUERY or not text.isascii():
        return None
    return parse_qsl(text.decode(), keep_blank_values=True)


def _read_length(text: str) -> int | None:
    number = int(text) if _NUMBER.fullmatch(text) else 0
    return number if 1 <= number <= MOST_RECOMMENDED else None
