"""The API's own description (OpenAPI 3.1), read back into types for the reference."""

from collections.abc import Mapping

import msgspec

METHODS = ("get", "post", "put", "patch", "delete")
_PREFIX = "#/components/schemas/"


class Shape(msgspec.Struct, frozen=True):
    """The type of a value: plain, one of several, a list, or a named structure."""

    type: str | list[str] | None = None
    format: str | None = None
    ref: str | None = msgspec.field(default=None, name="$ref")
    items: "Shape | None" = None
    one_of: tuple["Shape", ...] = msgspec.field(default=(), name="oneOf")
    enum: tuple[str | int | float | bool | None, ...] = ()
    default: object = None
    description: str = ""
    minimum: float | None = None
    maximum: float | None = None
    max_length: int | None = msgspec.field(default=None, name="maxLength")
    max_items: int | None = msgspec.field(default=None, name="maxItems")
    properties: Mapping[str, "Shape"] = {}
    additional: "Shape | bool | None" = msgspec.field(default=None, name="additionalProperties")


class Parameter(msgspec.Struct, frozen=True):
    """One parameter of an operation; ``place`` is path or query."""

    name: str
    place: str = msgspec.field(name="in")
    shape: Shape = msgspec.field(name="schema", default_factory=Shape)
    required: bool = False
    description: str = ""


class Example(msgspec.Struct, frozen=True):
    """A body as one may look."""

    value: object = None


class Content(msgspec.Struct, frozen=True):
    """What a body holds."""

    shape: Shape = msgspec.field(name="schema", default_factory=Shape)
    examples: Mapping[str, Example] = {}


class Body(msgspec.Struct, frozen=True):
    """What a request brings, by content type."""

    description: str = ""
    content: Mapping[str, Content] = {}


class Answer(msgspec.Struct, frozen=True):
    """One answer of an operation."""

    description: str = ""
    content: Mapping[str, Content] = {}


class Operation(msgspec.Struct, frozen=True):
    """One method of one address."""

    summary: str = ""
    description: str = ""
    parameters: tuple[Parameter, ...] = ()
    body: Body | None = msgspec.field(default=None, name="requestBody")
    responses: Mapping[str, Answer] = {}
    security: tuple[Mapping[str, tuple[str, ...]], ...] = ()

    @property
    def scopes(self) -> tuple[str, ...]:
        """The permissions that it asks for."""
        return tuple(
            scope for entry in self.security for names in entry.values() for scope in names
        )

    @property
    def keys(self) -> tuple[str, ...]:
        """The kinds of key that it takes, one of which is enough."""
        return tuple(name for entry in self.security for name in entry)


class Information(msgspec.Struct, frozen=True):
    """Title and version."""

    title: str
    version: str
    description: str = ""


class Components(msgspec.Struct, frozen=True):
    """The named structures."""

    schemas: Mapping[str, Shape] = {}


class Document(msgspec.Struct, frozen=True):
    """The whole description."""

    info: Information
    paths: Mapping[str, Mapping[str, Operation]]
    components: Components = msgspec.field(default_factory=Components)

    def operations(self) -> list[tuple[str, str, Operation]]:
        """Every (method, path, operation), in the order of the paths."""
        return [
            (method.upper(), path, operations[method])
            for path, operations in sorted(self.paths.items())
            for method in METHODS
            if method in operations
        ]


def read_document(schema: Mapping[str, object]) -> Document:
    """The description from the application's OpenAPI schema."""
    return msgspec.convert(schema, Document, strict=False)


def describe_shape(shape: Shape) -> str:
    """A type in words: ``string``, ``list of Because``, ``integer or none``.

    >>> describe_shape(Shape(one_of=(Shape(type="integer"), Shape(type="null"))))
    'integer or none'
    """
    if shape.ref is not None:
        return shape.ref.removeprefix(_PREFIX)
    if shape.one_of:
        return " or ".join(describe_shape(part) for part in shape.one_of)
    if shape.enum:
        return " or ".join(str(value) for value in shape.enum)
    if shape.items is not None:
        return f"list of {describe_shape(shape.items)}"
    if isinstance(shape.additional, Shape):
        return f"map to {describe_shape(shape.additional)}"
    kinds = [shape.type] if isinstance(shape.type, str) else shape.type or ["value"]
    words = " or ".join("none" if kind == "null" else kind for kind in kinds)
    return f"{words} ({shape.format})" if shape.format else words


def describe_limits(shape: Shape) -> str:
    """What a parameter may be, in words.

    >>> describe_limits(Shape(type="integer", minimum=1, maximum=100))
    '1 to 100'
    """
    for part in (shape, *shape.one_of):
        if part.minimum is not None and part.maximum is not None:
            return f"{part.minimum:g} to {part.maximum:g}"
        if part.max_length is not None:
            return f"at most {part.max_length} characters"
        if part.max_items is not None:
            return f"at most {part.max_items} values"
    return ""
