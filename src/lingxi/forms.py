"""Definitions as files: YAML or JSON text to plain values and back, and plain values to structs.

Every kind of definition that lives in a file (journeys, segments, offers, templates) is read with
these, so that the same mistakes get the same sentences.
"""

import re
from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec

from lingxi.errors import InvalidInput, UserError, did_you_mean

T = TypeVar("T")
LARGEST = 1_000_000
_UNKNOWN = re.compile(r"Object contains unknown field `(.+?)`")


_PLAIN = (
    ("bool", r"^(?:true|false|True|False)$", "tfTF"),
    ("null", r"^(?:~|null|Null|NULL|)$", "~nN\0"),
    ("int", r"^[-+]?(?:0|[1-9][0-9]*)$", "-+0123456789"),
    ("float", r"^[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)(?:[eE][-+]?[0-9]+)?$", "-+.0123456789"),
)
"""What is no text without quotes (YAML 1.2's core, less what JSON does not have): ``no`` and
``18:00`` are texts."""


def parse_form(text: str, name: str) -> Any:
    """The plain value of a YAML or JSON text; ``name`` is what errors call it.

    Moments stay texts, so that YAML and JSON read the same. Anchors are refused: a short text
    could stand for a very large value.

    Raises
    ------
    InvalidInput
        If the text is neither, is too large, or names a key twice.

    Examples
    --------
    >>> parse_form("n: 3\\nat: 2026-01-01", "a file")
    {'n': 3, 'at': '2026-01-01'}
    """
    import yaml

    if len(text) > LARGEST:
        raise InvalidInput(f"{name} may have {LARGEST} characters, but has {len(text)}.")
    try:
        return yaml.load(text, Loader=_loader())
    except yaml.YAMLError as error:
        said = " ".join(str(error).split())
        raise InvalidInput(f"{name} is neither YAML nor JSON: {said[:300]}.") from error
    except RecursionError as error:
        raise InvalidInput(f"{name} is nested too deep.") from error


def render_form(value: Any) -> str:
    """A plain value as YAML, keys in the order given, texts of several lines as blocks.

    >>> print(render_form({"name": "x", "lines": [1, 2]}), end="")
    name: x
    lines:
    - 1
    - 2
    """
    import yaml

    text: str = yaml.dump(value, Dumper=_dumper(), sort_keys=False, allow_unicode=True, width=100)
    return text


def plain(value: msgspec.Struct) -> dict[str, Any]:
    """A struct as the shortest plain value that reads back as it: what is as by default left out.

    >>> class Point(msgspec.Struct):
    ...     x: int
    ...     y: int = 0
    >>> plain(Point(x=3))
    {'x': 3}
    """
    found: dict[str, Any] = _shorten(value)
    return found


def convert(where: str, raw: object, kind: type[T], known: Iterable[str] = ()) -> T:
    """A plain value as a struct.

    Parameters
    ----------
    where
        The path of the value, which errors begin with.
    known
        Names that an unknown one may have been meant for.

    Raises
    ------
    InvalidInput
        Naming the path, and what is wrong there.
    """
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"{where}{_explain(error, known)}") from error
    except UserError as error:
        raise InvalidInput(f"{where}: {error}") from error


def _explain(error: msgspec.ValidationError, known: Iterable[str]) -> str:
    """msgspec's words, with the path in front and a guess at what was meant."""
    said, _, path = str(error).partition(" - at `$")
    if isinstance(error.__cause__, UserError):
        return f"{path.rstrip('`')}: {said}"
    found = _UNKNOWN.match(said)
    if found:
        said = f"unknown name {found[1]!r}{did_you_mean(found[1], known)}"
    said = said.removesuffix(".")
    return f"{path.rstrip('`')}: {said[:1].lower() + said[1:]}."


def _shorten(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        config = value.__struct_config__
        found: dict[str, Any] = {}
        if config.tag is not None and config.tag_field is not None:
            found[config.tag_field] = config.tag
        for field in msgspec.structs.fields(value):
            held = getattr(value, field.name)
            if field.required or held != _default(field):
                found[field.encode_name] = _shorten(held)
        return found
    if isinstance(value, dict):
        return {key: _shorten(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_shorten(each) for each in value]
    return msgspec.to_builtins(value)


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.default is not msgspec.NODEFAULT:
        return field.default
    return field.default_factory() if field.default_factory is not msgspec.NODEFAULT else None


def _loader() -> Any:
    import yaml

    class Loader(yaml.SafeLoader):
        """Plain values only; no anchors, no moments, no key twice."""

        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                event = self.peek_event()
                raise yaml.composer.ComposerError(
                    None, None, "anchors and aliases are not read", event.start_mark
                )
            return super().compose_node(parent, index)

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            keys = [self.construct_object(key, deep=True) for key, _ in node.value]
            for number, key in enumerate(keys):
                if key in keys[:number]:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"the key {key!r} stands twice", node.start_mark
                    )
            return super().construct_mapping(node, deep)

    Loader.yaml_implicit_resolvers = {}
    for tag, pattern, first in _PLAIN:
        Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), list(first))
    return Loader


def _dumper() -> Any:
    import yaml

    class Dumper(yaml.SafeDumper):
        """Blocks for texts of several lines."""

        def ignore_aliases(self, _data: Any) -> bool:
            return True

    def represent(dumper: Any, text: str) -> Any:
        style = "|" if "\n" in text else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    Dumper.add_representer(str, represent)
    return Dumper
