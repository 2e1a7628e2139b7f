"""What is wrong with a request's parameters, in sentences that name what is allowed."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Literal, get_args, get_origin

from litestar import Request
from litestar.exceptions import ValidationException
from litestar.params import BodyKwarg, ParameterKwarg
from litestar.typing import FieldDefinition

from lingxi.errors import InvalidInput, did_you_mean

_BODY = "data"
"""The name under which a handler takes the body."""
_MISSING = re.compile(r"Missing required \w+ parameter '(\w+)'")


def explain_validation(request: Request[Any, Any, Any], error: ValidationException) -> str:
    """One sentence for each parameter that will not do; empty where none is named."""
    findings = error.extra if isinstance(error.extra, list) else []
    fields = _parameters(request)
    named = [f for f in findings if isinstance(f, dict) and "key" in f]
    found = [(str(f["key"]), str(f.get("message", "")).rstrip(".")) for f in named]
    missing = _MISSING.match(error.detail)
    if missing:
        found.append((missing[1], ""))
    return " ".join(_explain(fields, key, message) for key, message in found)


def _explain(fields: Mapping[str, FieldDefinition], key: str, message: str) -> str:
    name = key.split(".")[0]
    if name == _BODY:
        return f"The body will not do: {message or 'it is missing'}."
    field = fields.get(name)
    if field is not None:
        return f"Parameter {_called(name, field)!r} must be {describe_allowed(field)}."
    if message:
        return f"{key!r} in the body will not do: {message}."
    return f"Parameter {name!r} must be as the reference at /docs has it."


def describe_allowed(field: FieldDefinition) -> str:
    """What a parameter may be."""
    if get_origin(field.annotation) is Literal:
        return "one of " + ", ".join(str(value) for value in get_args(field.annotation))
    if date in get_args(field.annotation):
        return "a day such as 2026-03-29"
    kinds = get_args(field.annotation) or (field.annotation,)
    if bool in kinds:
        return "true or false"
    definition = field.kwarg_definition
    if isinstance(definition, ParameterKwarg | BodyKwarg):
        if definition.ge is not None and definition.le is not None:
            return f"a whole number from {definition.ge:g} to {definition.le:g}"
        if definition.max_items is not None:
            return f"repeated at most {definition.max_items} times"
        if definition.max_length is not None:
            return f"a text of at most {definition.max_length} characters, given once"
    return "a number" if int in kinds or float in kinds else "a text"


async def refuse_unknown_parameters(request: Request[Any, Any, Any]) -> None:
    """Refuse a query parameter that the route does not know: a misspelt filter filters nothing.

    Raises
    ------
    InvalidInput
        Naming the parameter, and the nearest one that exists.
    """
    given = request.query_params
    if not given:
        return
    known = _fields(request).keys() - request.path_params.keys()
    for name in given:
        if name not in known:
            raise InvalidInput(
                f"There is no parameter {name[:40]!r} here{did_you_mean(name[:40], known)}. "
                "See /docs."
            )


def _fields(request: Request[Any, Any, Any]) -> dict[str, FieldDefinition]:
    """The parameters of a request by what they are called in the address."""
    parameters = _parameters(request)
    return {_called(name, field): field for name, field in parameters.items()}


def _parameters(request: Request[Any, Any, Any]) -> dict[str, FieldDefinition]:
    handler = request.route_handler
    given = handler.resolve_dependencies()
    parameters = handler.parsed_fn_signature.parameters
    return {name: field for name, field in parameters.items() if name not in given}


def _called(name: str, field: FieldDefinition) -> str:
    """What a parameter is called in the address, where the handler calls it otherwise."""
    definition = field.kwarg_definition
    return (definition.name if isinstance(definition, ParameterKwarg) else None) or name
