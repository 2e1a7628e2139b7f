"""The grammar of conditions: tokens into nodes, every kind of value checked on the way.

::

    either  = both { "or" both }
    both    = denied { "and" denied }
    denied  = "not" denied | test
    test    = sum [ compare sum | ["not"] "in" list | "contains" sum | "starts" "with" sum
                  | "under" sum | "is" ["not"] "unknown" ]
    sum     = product { ("+" | "-") product }
    product = factor { ("*" | "/") factor }
    factor  = number | text | "true" | "false" | name | "-" factor | "(" either ")"
"""

from collections.abc import Callable
from dataclasses import replace
from itertools import islice

from lingxi.errors import InvalidInput, did_you_mean
from lingxi.recommend.expressions.compare import split_path
from lingxi.recommend.expressions.names import ATTRIBUTES, CURRENT, CUSTOM, DAYS, REQUEST
from lingxi.recommend.expressions.nodes import (
    Arithmetic,
    Asked,
    Attribute,
    Comparison,
    Junction,
    Kind,
    Known,
    Literal,
    Membership,
    Negation,
    Node,
)
from lingxi.recommend.expressions.tokens import Token, fail, read_tokens, unquote

DEEPEST = 50
MOST_TOKENS = 400
_COMPARE = {"=": "==", "==": "==", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_RESERVED = frozenset({"and", "or", "not", "in", "contains", "starts", "under", "is", "with"})


class Parser:
    """Reads one condition; every method takes what it names and moves on."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(islice(read_tokens(text), MOST_TOKENS + 1))
        self._place = 0
        self._depth = 0

    def read(self) -> Node:
        """The whole condition.

        Raises
        ------
        InvalidInput
            With the character at which the text cannot be understood.
        """
        if len(self._tokens) > MOST_TOKENS:
            raise self._fail(f"it has more than {MOST_TOKENS} words and signs", 0)
        node = self._condition(self._either(), 0)
        if self._now.kind != "end":
            raise self._fail(f"{self._now.text!r} was not expected here")
        return node

    @property
    def _now(self) -> Token:
        return self._tokens[self._place]

    def _fail(self, problem: str, at: int | None = None) -> InvalidInput:
        return fail(self._text, self._now.at if at is None else at, problem)

    def _take(self, *texts: str) -> bool:
        """Whether the next tokens are these words or signs; moves past them if so."""
        following = self._tokens[self._place : self._place + len(texts)]
        if len(following) < len(texts) or any(
            token.kind not in ("word", "sign") or token.text.lower() != text
            for token, text in zip(following, texts, strict=True)
        ):
            return False
        self._place += len(texts)
        return True

    def _demand(self, text: str) -> None:
        if not self._take(text):
            found = repr(self._now.text) if self._now.text else "the end"
            raise self._fail(f"{text!r} is expected, not {found}")

    def _either(self) -> Node:
        at, left = self._now.at, self._both()
        while self._take("or"):
            here = self._now.at
            right = self._both()
            left = Junction("or", self._condition(left, at), self._condition(right, here))
        return left

    def _both(self) -> Node:
        at, left = self._now.at, self._denied()
        while self._take("and"):
            here = self._now.at
            right = self._denied()
            left = Junction("and", self._condition(left, at), self._condition(right, here))
        return left

    def _denied(self) -> Node:
        at = self._now.at
        if self._take("not"):
            with _Deeper(self):
                return Negation(self._condition(self._denied(), at))
        return self._test()

    def _test(self) -> Node:
        at, left = self._now.at, self._sum()
        token = self._now
        if token.kind == "sign" and token.text in _COMPARE:
            self._place += 1
            return self._compare(_COMPARE[token.text], left, self._sum(), at)
        if self._take("in"):
            return self._member(left, at)
        if self._take("not", "in"):
            return Negation(self._member(left, at))
        if self._take("contains"):
            return self._text_test("contains", left, self._sum(), at)
        if self._take("starts", "with"):
            return self._text_test("starts", left, self._sum(), at)
        if self._take("under"):
            return self._under(left, self._sum(), at)
        if self._take("is", "not", "unknown"):
            return Known(left)
        if self._take("is", "unknown"):
            return Negation(Known(left))
        return left

    def _sum(self) -> Node:
        return self._chain(("+", "-"), self._product)

    def _product(self) -> Node:
        return self._chain(("*", "/"), self._factor)

    def _chain(self, signs: tuple[str, str], part: Callable[[], Node]) -> Node:
        at, left = self._now.at, part()
        while self._now.kind == "sign" and self._now.text in signs:
            sign = self._now.text
            self._place += 1
            here = self._now.at
            right = self._number(part(), here)
            left = Arithmetic(sign, self._number(left, at), right)
        return left

    def _factor(self) -> Node:
        token = self._now
        if self._take("-"):
            with _Deeper(self):
                return Arithmetic(
                    "-", Literal(Kind.NUMBER, 0.0), self._number(self._factor(), token.at)
                )
        if self._take("("):
            with _Deeper(self):
                inner = self._either()
            self._demand(")")
            return inner
        self._place += 1
        if token.kind == "number":
            return Literal(Kind.NUMBER, float(token.text))
        if token.kind == "text":
            return Literal(Kind.TEXT, unquote(token))
        if token.kind == "word" and token.text.lower() not in _RESERVED:
            return self._name(token)
        raise self._fail(
            "a value is missing" if token.kind == "end" else f"{token.text!r} is no value", token.at
        )

    def _name(self, token: Token) -> Node:
        name = token.text
        if name in ("true", "false"):
            return Literal(Kind.TRUTH, name == "true")
        if name.startswith(CUSTOM):
            return Attribute(Kind.OPEN, name)
        if name in REQUEST:
            return Asked(REQUEST[name].kind, name)
        current = name.startswith(CURRENT)
        asked = name.removeprefix(CURRENT)
        if current and asked.startswith(CUSTOM):
            return Asked(Kind.OPEN, name)
        if asked not in ATTRIBUTES:
            known = [*ATTRIBUTES, *REQUEST, "attributes." + asked]
            raise self._fail(
                f"there is no attribute {name!r}{did_you_mean(name, known)}; "
                f"the shop's own are written attributes.{asked}",
                token.at,
            )
        make = Asked if current else Attribute
        if asked in DAYS:
            day = make(Kind.NUMBER, name.replace(asked, DAYS[asked]))
            now = Asked(Kind.NUMBER, "now")
            ago = asked == "age_days"
            return Arithmetic("-", now, day) if ago else Arithmetic("-", day, now)
        return make(ATTRIBUTES[asked].kind, name)

    def _settle(self, node: Node, kind: Kind) -> Node:
        """A custom attribute takes the kind of its neighbour."""
        if isinstance(node, Attribute | Asked) and node.kind is Kind.OPEN:
            return replace(node, kind=kind)
        return node

    def _condition(self, node: Node, at: int) -> Node:
        settled = self._settle(node, Kind.TRUTH)
        if settled.kind is not Kind.TRUTH:
            raise self._fail(f"a condition is expected, but this is {settled.kind}", at)
        return settled

    def _number(self, node: Node, at: int) -> Node:
        settled = self._settle(node, Kind.NUMBER)
        if settled.kind is not Kind.NUMBER:
            raise self._fail(f"a number is expected, but this is {settled.kind}", at)
        return settled

    def _compare(self, operator: str, left: Node, right: Node, at: int) -> Node:
        kind = right.kind if left.kind is Kind.OPEN else left.kind
        kind = Kind.TEXT if kind is Kind.OPEN else kind
        left, right = self._settle(left, kind), self._settle(right, kind)
        if left.kind is not right.kind:
            raise self._fail(f"{left.kind} cannot be compared with {right.kind}", at)
        if kind is not Kind.NUMBER and operator not in ("==", "!="):
            raise self._fail(f"{operator!r} compares numbers, but this is {kind}", at)
        if kind is Kind.PATH:
            raise self._fail("a path is asked with 'under'", at)
        return Comparison(operator, left, right)

    def _member(self, left: Node, at: int) -> Node:
        self._demand("[")
        options = [self._option()]
        while self._take(","):
            options.append(self._option())
        self._demand("]")
        kind = options[0].kind
        value = self._settle(left, kind)
        if any(option.kind is not value.kind for option in options):
            raise self._fail(f"the list must hold values that are each {value.kind}", at)
        if kind not in (Kind.NUMBER, Kind.TEXT):
            raise self._fail("a list holds numbers or texts", at)
        return Membership(value, tuple(options))

    def _option(self) -> Literal:
        at = self._now.at
        node = self._factor()
        match node:
            case Literal():
                return node
            case Arithmetic("-", Literal(value=0.0), Literal(value=float() as value)):
                return Literal(Kind.NUMBER, -value)
        raise self._fail("a list holds numbers or texts", at)

    def _text_test(self, operator: str, left: Node, right: Node, at: int) -> Node:
        left, right = self._settle(left, Kind.TEXT), self._settle(right, Kind.TEXT)
        if left.kind is not Kind.TEXT or right.kind is not Kind.TEXT:
            raise self._fail(f"texts are expected, not {left.kind} and {right.kind}", at)
        return Comparison(operator, left, right)

    def _under(self, left: Node, right: Node, at: int) -> Node:
        if isinstance(left, Attribute | Asked) and left.name in ("category", "current.category"):
            left = replace(left, kind=Kind.PATH, name=left.name.replace("category", "path"))
        if left.kind is not Kind.PATH:
            raise self._fail("'under' asks about path or category", at)
        if isinstance(right, Literal) and isinstance(right.value, str):
            parts = split_path(right.value)
            if not parts:
                raise self._fail("the path is empty", at)
            return Comparison("under", left, Literal(Kind.PATH, parts))
        if right.kind in (Kind.PATH, Kind.TEXT):
            return Comparison("under", left, right)
        raise self._fail(f"a path such as 'Home > Lamps' is expected, not {right.kind}", at)


class _Deeper:
    """One level further down; a text that nests too deep is refused."""

    def __init__(self, parser: Parser) -> None:
        self._parser = parser

    def __enter__(self) -> None:
        self._parser._depth += 1
        if self._parser._depth > DEEPEST:
            raise self._parser._fail(f"conditions may nest {DEEPEST} levels deep")

    def __exit__(self, *_: object) -> None:
        self._parser._depth -= 1
