"""A condition asked of a whole table of items at once."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.expressions.compare import NUMBERS, compare_folded, fold
from lingxi.recommend.expressions.facts import Moment
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
    Scalar,
)

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Numbers:
    """Numbers of all items, 0 where unknown; ``known`` says where not. Shape (n_items,) or (1,)."""

    values: NDArray[np.float64]
    known: Mask


@dataclass(frozen=True)
class Words:
    """Texts or paths of all items as places in ``words`` (folded, each once), -1 where unknown."""

    codes: NDArray[np.int64]
    words: tuple[Scalar, ...]

    @property
    def known(self) -> Mask:
        """Where the value is known."""
        return self.codes >= 0


@dataclass(frozen=True)
class Truths:
    """Truth of all items; false where unknown."""

    values: Mask
    known: Mask


Column = Numbers | Words | Truths


class Table(Protocol):
    """Items as columns."""

    def column(self, name: str, kind: Kind) -> Column:
        """A column of this kind; of ``Kind.OPEN`` only ``known`` is asked."""

    def __len__(self) -> int: ...


def hold(node: Node, table: Table, moment: Moment) -> Mask:
    """For which items of the table the condition is true, shape (n_items,)."""
    found = cast(Truths, evaluate(node, table, moment))
    return np.broadcast_to(found.values & found.known, (len(table),)).copy()


def evaluate(node: Node, table: Table, moment: Moment) -> Column:
    """The value of a node for all items; what does not depend on the item has shape (1,)."""
    match node:
        case Literal():
            return to_column([node.value], node.kind)
        case Attribute():
            return table.column(node.name, node.kind)
        case Asked():
            return to_column([moment.read(node.name, node.kind)], node.kind)
        case Arithmetic():
            return _calculate(node, table, moment)
        case Comparison():
            return _compare(node, table, moment)
        case Membership():
            return _find_members(node, table, moment)
        case Known():
            known = evaluate(node.value, table, moment).known
            return Truths(known, np.ones_like(known))
        case Negation():
            value = cast(Truths, evaluate(node.value, table, moment))
            return Truths(~value.values & value.known, value.known)
        case Junction():
            return _join(node, table, moment)


def to_column(values: list[Scalar | None], kind: Kind) -> Column:
    """Values of single items as a column, shape (n_values,)."""
    known = np.fromiter((value is not None for value in values), np.bool_, len(values))
    if kind is Kind.NUMBER:
        numbers = (0.0 if value is None else cast(float, value) for value in values)
        return Numbers(np.fromiter(numbers, np.float64, len(values)), known)
    if kind in (Kind.TRUTH, Kind.OPEN):
        truths = (value is True for value in values)
        return Truths(np.fromiter(truths, np.bool_, len(values)), known)
    places: dict[Scalar, int] = {}
    codes = (
        -1 if value is None else places.setdefault(fold(value), len(places)) for value in values
    )
    return Words(np.fromiter(codes, np.int64, len(values)), tuple(places))


def _calculate(node: Arithmetic, table: Table, moment: Moment) -> Numbers:
    left = cast(Numbers, evaluate(node.left, table, moment))
    right = cast(Numbers, evaluate(node.right, table, moment))
    known = left.known & right.known
    with np.errstate(over="ignore", invalid="ignore"):
        match node.operator:
            case "+":
                values = left.values + right.values
            case "-":
                values = left.values - right.values
            case "*":
                values = left.values * right.values
            case _:
                known = known & (right.values != 0)
                values = left.values / np.where(right.values == 0, 1.0, right.values)
    known = known & np.isfinite(values)
    return Numbers(np.where(known, values, 0.0), known)


def _compare(node: Comparison, table: Table, moment: Moment) -> Truths:
    left, right = evaluate(node.left, table, moment), evaluate(node.right, table, moment)
    known = left.known & right.known
    if isinstance(left, Numbers) and isinstance(right, Numbers):
        ask = cast("Callable[[object, object], Mask]", NUMBERS[node.operator])
        return Truths(ask(left.values, right.values) & known, known)
    if isinstance(left, Truths) and isinstance(right, Truths):
        same = left.values == right.values
        return Truths((same if node.operator == "==" else ~same) & known, known)
    return Truths(_compare_words(node.operator, cast(Words, left), cast(Words, right)), known)


def _compare_words(operator: str, left: Words, right: Words) -> Mask:
    """Each pair of words that occurs is compared once."""
    many = max(len(right.words), 1)
    pairs = np.where(left.known & right.known, left.codes * many + right.codes, -1)
    asked, places = np.unique(pairs, return_inverse=True)
    answers = np.array(
        [
            pair >= 0
            and compare_folded(operator, left.words[pair // many], right.words[pair % many])
            for pair in asked.tolist()
        ],
        dtype=np.bool_,
    )
    return cast(Mask, answers[places.reshape(pairs.shape)])


def _find_members(node: Membership, table: Table, moment: Moment) -> Truths:
    value = evaluate(node.value, table, moment)
    if isinstance(value, Numbers):
        wanted = [cast(float, option.value) for option in node.options]
        return Truths(np.isin(value.values, wanted) & value.known, value.known)
    texts = cast(Words, value)
    options = {fold(option.value) for option in node.options}
    answers = np.array([word in options for word in texts.words] + [False], dtype=np.bool_)
    return Truths(answers[texts.codes], texts.known)


def _join(node: Junction, table: Table, moment: Moment) -> Truths:
    left = cast(Truths, evaluate(node.left, table, moment))
    right = cast(Truths, evaluate(node.right, table, moment))
    yes_left, yes_right = left.values & left.known, right.values & right.known
    no_left, no_right = left.known & ~left.values, right.known & ~right.values
    if node.operator == "or":
        yes, no = yes_left | yes_right, no_left & no_right
    else:
        yes, no = yes_left & yes_right, no_left | no_right
    return Truths(yes, yes | no)
