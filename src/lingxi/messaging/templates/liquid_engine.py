"""Liquid, within bounds: no code, no files, and limits on time, loops, memory and output.

What is printed and is not there, with no ``default``, is noted as missing: the sender holds such a
message back rather than send it with a hole.
"""

import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache, lru_cache, wraps
from importlib import resources
from typing import Any, Protocol, TextIO

from liquid import BoundTemplate, CachingDictLoader, Environment, RenderContext, Undefined
from liquid.builtin.expressions import FilteredExpression
from liquid.builtin.output import Output, OutputNode
from liquid.exceptions import LiquidError
from liquid.stringify import to_liquid_string

from lingxi.errors import InvalidInput, did_you_mean
from lingxi.i18n import Translator

LARGEST_TEMPLATE = 200_000
LARGEST_OUTPUT = 1_000_000
_LARGEST_VALUE = 200_000
_MOST_ITEMS = 20_000
_LARGEST_NUMBER = 10**30
_MOST_LOOPS = 10_000
_NODES_A_LOOK = 16
_REMOVED_TAGS = ("include", "liquid", "echo")
_REMOVED_FILTERS = ("safe", "escapejs")
HTML, MJML, TEXT = "html", "mjml", "text"
KINDS = (MJML, HTML, TEXT)


class RenderFailed(Exception):
    """A template could not be rendered; the message says why, for whoever wrote it."""


class LeavesOut(Protocol):
    """Keeps the values that are printed, and says what stands in their place."""

    def put(self, value: str) -> str:
        """What stands for a value, as it would be printed."""


@dataclass
class _Run:
    """One rendering: its end, its reader, what was missing, and what keeps the values."""

    deadline: float
    words: Translator
    slots: LeavesOut | None = None
    missing: list[str] = field(default_factory=list)
    nodes: int = 0

    def check(self) -> None:
        if time.thread_time() > self.deadline:
            raise RenderFailed("It takes too long to render.")


_RUN: ContextVar[_Run] = ContextVar("lingxi_render")


class _Context(RenderContext):
    """Looks at the clock every few nodes: each of them asks for the tags that are disabled."""

    _disabled: list[str]

    @property
    def disabled_tags(self) -> list[str]:
        run = _RUN.get()
        run.nodes += 1
        if run.nodes % _NODES_A_LOOK == 1:
            run.check()
        return self._disabled

    @disabled_tags.setter
    def disabled_tags(self, tags: list[str]) -> None:
        self._disabled = tags


class _Template(BoundTemplate):
    context_class = _Context


def _is_absent(value: object) -> bool:
    return value is None or isinstance(value, Undefined)


class _OutputNode(OutputNode):
    """Prints a value, and notes one that is not there."""

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        expression = self.expression
        if isinstance(expression, FilteredExpression) and expression.filters:
            defaulted = any(each.name == "default" for each in expression.filters)
            if not defaulted and _is_absent(expression.left.evaluate(context)):
                _RUN.get().missing.append(str(expression.left))
                return 0
        value = expression.evaluate(context)
        if _is_absent(value):
            _RUN.get().missing.append(str(expression))
            return 0
        text, slots = to_liquid_string(value, context.autoescape), _RUN.get().slots
        return buffer.write(slots.put(text) if slots is not None and text else text)


class _Output(Output):
    node_class = _OutputNode


class _Environment(Environment):
    template_class = _Template
    loop_iteration_limit = _MOST_LOOPS
    local_namespace_limit = _LARGEST_VALUE * 5
    output_stream_limit = LARGEST_OUTPUT
    context_depth_limit = 20
    block_nesting_limit = 50


def _bounded(function: Callable[..., object]) -> Callable[..., object]:
    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> object:
        value = function(*args, **kwargs)
        if isinstance(value, str) and len(value) > _LARGEST_VALUE:
            raise RenderFailed(f"A value has more than {_LARGEST_VALUE:,} characters.")
        if isinstance(value, int) and abs(value) > _LARGEST_NUMBER:
            raise RenderFailed("A number is too large.")
        if isinstance(value, list | tuple) and len(value) > _MOST_ITEMS:
            raise RenderFailed(f"A list has more than {_MOST_ITEMS:,} entries.")
        return value

    return run


def _guard_replace(function: Callable[..., object]) -> Callable[..., object]:
    """A replacement may multiply a text by its length: known before it is made."""

    @wraps(function)
    def run(value: object, seek: object = "", with_: object = "", **more: Any) -> object:
        text, sought, new = str(value), str(seek), str(with_)
        times = text.count(sought) if sought else len(text) + 1
        if len(text) + times * len(new) > _LARGEST_VALUE:
            raise RenderFailed(f"A value has more than {_LARGEST_VALUE:,} characters.")
        return function(value, seek, with_, **more)

    return run


def _guard_join(function: Callable[..., object]) -> Callable[..., object]:
    @wraps(function)
    def run(value: object, separator: object = " ", **more: Any) -> object:
        count = len(value) if isinstance(value, list | tuple) else 1
        if count * len(str(separator)) > _LARGEST_VALUE:
            raise RenderFailed(f"A value has more than {_LARGEST_VALUE:,} characters.")
        return function(value, separator, **more)

    return run


def _money(cents: object, currency: object = None) -> object:
    """An amount in minor units as the reader writes money: ``{{ item.price_cents | money }}``."""
    if cents is None or isinstance(cents, Undefined):
        return cents
    if isinstance(cents, bool) or not isinstance(cents, int | float):
        raise RenderFailed("The filter money takes a number of minor units.")
    return _RUN.get().words.money(cents, str(currency) if currency else None)


def _percent(share: object) -> object:
    """A share of one as a percentage: ``{{ 0.2 | percent }}``."""
    if share is None or isinstance(share, Undefined):
        return share
    if isinstance(share, bool) or not isinstance(share, int | float):
        raise RenderFailed("The filter percent takes a share of one.")
    return _RUN.get().words.percent(share)


@cache
def _open(kind: str) -> Environment:
    """The environment for one kind of text: escaping is on except in plain text."""
    engine = _Environment(loader=CachingDictLoader(_read_blocks(kind)), autoescape=kind != TEXT)
    engine.add_tag(_Output)
    for name in _REMOVED_TAGS:
        del engine.tags[name]
    for name in _REMOVED_FILTERS:
        del engine.filters[name]
    for name, function in list(engine.filters.items()):
        guarded = _bounded(function)
        if name in ("replace", "replace_first", "replace_last"):
            guarded = _guard_replace(guarded)
        if name == "join":
            guarded = _guard_join(guarded)
        engine.filters[name] = guarded
    engine.filters.update(money=_money, percent=_percent)
    return engine


def _read_blocks(kind: str) -> dict[str, str]:
    folder = resources.files("lingxi.messaging.templates") / "blocks" / kind
    return {
        path.name.removesuffix(".liquid"): path.read_text(encoding="utf-8")
        for path in folder.iterdir()
        if path.name.endswith(".liquid")
    }


def is_parameter(name: str) -> bool:
    """Whether a name is what blocks call their parameters: given by the template, not by us."""
    return name == "title"


def list_blocks() -> list[str]:
    """Names of the blocks that every template may render: ``{% render "cart" %}``."""
    return sorted(_read_blocks(HTML))


@lru_cache(maxsize=2_000)
def _parse(kind: str, source: str) -> BoundTemplate:
    return _open(kind).from_string(source)


def check_source(kind: str, source: str, where: str) -> None:
    """Refuse what is no Liquid.

    Raises
    ------
    InvalidInput
        If the text is too long or cannot be read; ``where`` says which.
    """
    if len(source) > LARGEST_TEMPLATE:
        raise InvalidInput(
            f"{where} has {len(source):,} characters; at most {LARGEST_TEMPLATE:,} are read."
        )
    try:
        found = _parse(kind, source).analyze()
    except LiquidError as error:
        said = " ".join(str(error).split())
        raise InvalidInput(f"{where} cannot be read: {said[:300]}.") from error
    except RecursionError as error:
        raise InvalidInput(f"{where} is nested too deep.") from error
    known = _open(kind).filters
    for name in found.filters:
        if name not in known:
            raise InvalidInput(f"{where}: there is no filter {name!r}{did_you_mean(name, known)}.")


@lru_cache(maxsize=2_000)
def find_names(kind: str, source: str) -> frozenset[str]:
    """The names of the values that a text asks for from outside: ``cart``, ``customer``.

    >>> sorted(find_names("text", "{% for x in cart.items %}{{ x.id }}{% endfor %}{{ shop.name }}"))
    ['cart', 'shop']
    """
    return frozenset(_parse(kind, source).analyze().globals)


def render_source(
    kind: str,
    source: str,
    values: Mapping[str, object],
    *,
    words: Translator,
    seconds: float,
    slots: LeavesOut | None = None,
) -> tuple[str, tuple[str, ...]]:
    """The text, and the values that were printed and are not there.

    ``slots`` takes the values that are printed, if they are to be left out.

    Raises
    ------
    RenderFailed
        If it takes too long, becomes too large or cannot be worked out.

    Examples
    --------
    >>> render_source("html", "Hi {{ name }}, {{ gone }}", {"name": "<Ada>"}, words=Translator(),
    ...               seconds=1)
    ('Hi &lt;Ada&gt;, ', ('gone',))
    """
    run = _Run(time.thread_time() + seconds, words, slots)
    token = _RUN.set(run)
    try:
        text = _parse(kind, source).render(**values)
    except RenderFailed:
        raise
    except LiquidError as error:
        raise RenderFailed(" ".join(str(error).split())[:300]) from error
    except (ArithmeticError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise RenderFailed(f"A value is not of the kind that is needed: {error}") from error
    finally:
        _RUN.reset(token)
    return text, tuple(dict.fromkeys(run.missing))
