"""The words of a condition: text into tokens, each with its place."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lingxi.errors import InvalidInput

LONGEST = 2000
_PATTERN = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<number>\d+(?:\.\d+)?)
  | (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
  | (?P<word>[^\W\d]\w*(?:\.\w[\w-]*)*)
  | (?P<sign><=|>=|==|!=|[-+*/()\[\],<>=])
    """,
    re.VERBOSE,
)


@dataclass(frozen=True)
class Token:
    """A piece of the text; ``kind`` is number, text, word, sign or end; ``at`` counts from 0."""

    kind: str
    text: str
    at: int


def read_tokens(text: str) -> Iterator[Token]:
    """The tokens of a condition, an end token last.

    Raises
    ------
    InvalidInput
        If the text is too long or holds a character that means nothing here.

    Examples
    --------
    >>> [token.text for token in read_tokens("price <= 20")]
    ['price', '<=', '20', '']
    """
    if len(text) > LONGEST:
        raise InvalidInput(f"A condition may have {LONGEST} characters; this one has {len(text)}.")
    at = 0
    while at < len(text):
        found = _PATTERN.match(text, at)
        if found is None:
            raise fail(text, at, _explain_character(text[at]))
        kind = str(found.lastgroup)
        if kind != "space":
            yield Token(kind, found.group(), at)
        at = found.end()
    yield Token("end", "", at)


def fail(text: str, at: int, problem: str) -> InvalidInput:
    """The error of a condition, with the place marked.

    >>> str(fail("price = ", 8, "a value is missing"))
    "In the condition 'price = ', at character 9: a value is missing."
    """
    return InvalidInput(f"In the condition {text!r}, at character {at + 1}: {problem}.")


def unquote(token: Token) -> str:
    r"""The text inside the quotes of a token.

    >>> unquote(Token("text", r'"it\'s"', 0))
    "it's"
    """
    return re.sub(r"\\(.)", r"\1", token.text[1:-1], flags=re.DOTALL)


def _explain_character(character: str) -> str:
    if character in "\"'":
        return "a text begins here and does not end"
    return f"{character!r} means nothing here"
