"""The reference of the HTTP API, written from its description: as a page and as Markdown."""

from html import escape
from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.openapi.plugins import OpenAPIRenderPlugin
from typing_extensions import override

from lingxi.server.api.document import (
    Document,
    Operation,
    describe_limits,
    describe_shape,
    read_document,
)

STYLE = """\
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 64rem; padding: 1rem; }
code, pre { font-family: ui-monospace, monospace; }
pre { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid; padding: .25rem .5rem; text-align: left; vertical-align: top; }
section { margin-block: 2rem; }
.wide { overflow-x: auto; }
"""


class ReferencePage(OpenAPIRenderPlugin):
    """The reference as a page of our own at ``/docs``: no script, nothing from elsewhere."""

    def __init__(self) -> None:
        super().__init__(path="/")

    @override
    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        return render_page(read_document(openapi_schema)).encode()


@get("/docs/reference.css", opt={"unguarded": True}, sync_to_thread=False, include_in_schema=False)
def get_style() -> Response[str]:
    """How the reference looks."""
    headers = {"cache-control": "public, max-age=3600"}
    return Response(STYLE, media_type="text/css; charset=utf-8", headers=headers)


def render_page(document: Document) -> str:
    """The reference as HTML."""
    operations = document.operations()
    index = "".join(
        f'<li><a href="#{_anchor(method, path)}"><code>{method} {escape(path)}</code></a> '
        f"{escape(operation.summary)}</li>"
        for method, path, operation in operations
    )
    parts = "".join(_render_operation(*entry) for entry in operations)
    structures = "".join(
        f'<section id="{escape(name)}"><h3>{escape(name)}</h3><p>{escape(shape.description)}</p>'
        + _html_table(
            ("field", "type"),
            [(field, describe_shape(kind)) for field, kind in shape.properties.items()],
        )
        + "</section>"
        for name, shape in sorted(document.components.schemas.items())
        if shape.properties
    )
    title = escape(document.info.title)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{title}</title><link rel="stylesheet" href="/docs/reference.css"></head><body>'
        f"<main><h1>{title} {escape(document.info.version)}</h1>"
        f"<p>{escape(document.info.description)} "
        '<a href="/docs/openapi.json">The same as OpenAPI 3.1.</a></p>'
        f"<nav><h2>Addresses</h2><ul>{index}</ul></nav>{parts}"
        f"<h2>Structures</h2>{structures}</main></body></html>"
    )


def render_markdown(document: Document) -> str:
    """The reference as Markdown: the text of ``docs/reference/http.md``."""
    lines = [f"# {document.info.title}", "", document.info.description, ""]
    for method, path, operation in document.operations():
        lines += [f"## `{method} {path}`", "", f"{operation.summary}. {operation.description}", ""]
        lines += [f"Needs: {_needs(operation)}. Answers: {_answers(operation)}.", ""]
        if operation.body is not None:
            lines += [_takes(operation), ""]
        if operation.parameters:
            lines += [
                "| parameter | in | type | default | allowed | |",
                "|---|---|---|---|---|---|",
            ]
            lines += ["| " + " | ".join(row) + " |" for row in _parameter_rows(operation)] + [""]
    lines += ["# Structures", ""]
    for name, shape in sorted(document.components.schemas.items()):
        if shape.properties:
            lines += [f"## {name}", "", shape.description, "", "| field | type |", "|---|---|"]
            fields = shape.properties.items()
            lines += [f"| {field} | {describe_shape(kind)} |" for field, kind in fields] + [""]
    return "\n".join(lines)


def _render_operation(method: str, path: str, operation: Operation) -> str:
    table = ""
    if operation.parameters:
        head = ("parameter", "in", "type", "default", "allowed", "")
        table = _html_table(head, _parameter_rows(operation))
    call = "curl" if method == "GET" else f"curl -X {method}"
    if operation.scopes:
        call += " -H 'Authorization: Bearer lx_...'"
    elif operation.keys:
        call += " -u 'WRITE_KEY:'"
    call += _example(operation)
    takes = f"<p>{escape(_takes(operation))}</p>" if operation.body is not None else ""
    return (
        f'<section id="{_anchor(method, path)}"><h2><code>{method} {escape(path)}</code></h2>'
        f"<p>{escape(operation.summary)}. {escape(operation.description)}</p>"
        f"<p>Needs: {escape(_needs(operation))}. Answers: {escape(_answers(operation))}.</p>"
        f'{takes}{table}<pre>{escape(call)} "$LINGXI{escape(path)}"</pre></section>'
    )


def _example(operation: Operation) -> str:
    """What to add to a command line so that it sends the example of a body."""
    if operation.body is None:
        return ""
    kind, content = next(iter(operation.body.content.items()))
    found = next(iter(content.examples.values()), None)
    if found is None:
        return ""
    text = msgspec.json.encode(found.value).decode()
    return f" -H 'Content-Type: {kind}' -d '{text}'"


def _parameter_rows(operation: Operation) -> list[tuple[str, ...]]:
    return [
        (
            parameter.name,
            parameter.place,
            describe_shape(parameter.shape),
            _default(parameter.shape.default),
            describe_limits(parameter.shape),
            parameter.description,
        )
        for parameter in operation.parameters
    ]


def _html_table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    top = "".join(f"<th scope=col>{escape(cell)}</th>" for cell in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return (
        f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _default(value: object) -> str:
    return "" if value is None or not isinstance(value, str | int | float) else str(value)


def _needs(operation: Operation) -> str:
    scopes = ", ".join(f"scope {scope}" for scope in operation.scopes)
    return scopes or " or ".join(operation.keys) or "no key"


def _takes(operation: Operation) -> str:
    """What the request's body holds, as a sentence; nothing where there is none."""
    if operation.body is None:
        return ""
    shape = describe_shape(next(iter(operation.body.content.values())).shape)
    kinds = " or ".join(operation.body.content)
    words = f" {operation.body.description}" if operation.body.description else ""
    return f"Takes: {shape} ({kinds}).{words}"


def _answers(operation: Operation) -> str:
    kinds = [
        describe_shape(content.shape)
        for status, answer in operation.responses.items()
        if status.startswith("2")
        for content in answer.content.values()
    ]
    return ", ".join(kinds) or "a file"


def _anchor(method: str, path: str) -> str:
    return escape(f"{method}{path}".replace("/", "-").replace("{", "").replace("}", "").lower())
