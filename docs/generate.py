"""Write the reference pages from the code, or check that they are as the code has it.

Run as ``python docs/generate.py`` to write ``docs/reference/*.md``, with ``--check`` to compare
only: exit status 1 and the names of the stale pages.
"""

import argparse
import ast
import inspect
import sys
from collections.abc import Iterator
from dataclasses import MISSING, fields
from pathlib import Path
from typing import get_type_hints

import click
from litestar import Litestar

from lingxi import config
from lingxi.cli import main as lingxi
from lingxi.config import CONFIG_FILE, ChannelSettings, PullSettings, Settings
from lingxi.server.api import API, MACHINE
from lingxi.server.api.document import read_document
from lingxi.server.api.reference import render_markdown
from lingxi.server.app import describe_api
from lingxi.server.collect import ROUTES
from lingxi.server.dependencies import DEPENDENCIES
from lingxi.server.gorse import GORSE

FOLDER = Path(__file__).parent / "reference"
_NOTE = "<!-- Written by docs/generate.py from the code; do not edit. -->\n\n"


def describe_http() -> str:
    """The routes of the HTTP API and the structures they answer with."""
    app = Litestar(
        route_handlers=[*API, *MACHINE, *ROUTES, GORSE],
        dependencies=DEPENDENCIES,
        openapi_config=describe_api(),
        logging_config=None,
    )
    return render_markdown(read_document(app.openapi_schema.to_schema()))


def walk_commands(
    command: click.Command = lingxi, path: tuple[str, ...] = ("lingxi",)
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command with the words that call it, groups before what they hold."""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=path[-1])
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            if found is not None:
                yield from walk_commands(found, (*path, name))


def describe_cli() -> str:
    """Every command with its arguments and options."""
    parts = ["# Command line\n"]
    for path, command in walk_commands():
        parts.append(_describe_command(path, command))
    return "\n".join(parts)


def _describe_command(path: tuple[str, ...], command: click.Command) -> str:
    context = click.Context(command, info_name=" ".join(path))
    lines = [f"{'#' * min(len(path) + 1, 4)} `{' '.join(path)}`", ""]
    lines += [inspect.cleandoc(command.help or ""), ""]
    usage = " ".join(command.collect_usage_pieces(context))
    lines += ["```sh", f"{' '.join(path)} {usage}".rstrip(), "```", ""]
    records = [
        record
        for parameter in command.get_params(context)
        if (record := parameter.get_help_record(context)) is not None and "--help" not in record[0]
    ]
    if records:
        lines += ["| option | |", "|---|---|"]
        lines += [f"| `{_cell(name)}` | {_cell(text)} |" for name, text in records]
        lines += [""]
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def read_docstrings(kind: type) -> dict[str, str]:
    """The docstring below each field of a dataclass, by field."""
    body = ast.parse(inspect.cleandoc(inspect.getsource(kind))).body[0]
    assert isinstance(body, ast.ClassDef)
    found: dict[str, str] = {}
    for field, text in zip(body.body, body.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            told = text.value if isinstance(text, ast.Expr) else None
            words = told.value if isinstance(told, ast.Constant) else ""
            found[field.target.id] = " ".join(str(words).split())
    return found


def list_sections() -> dict[str, type]:
    """The sections of ``lingxi.toml`` with their dataclasses."""
    hints, named = get_type_hints(Settings), ("folder", "pull", "channel")
    own = {f.name: hints[f.name] for f in fields(Settings) if f.name not in named}
    return {**own, "pull.NAME": PullSettings, "channel.NAME": ChannelSettings}


def describe_settings() -> str:
    """Every setting with its kind and default."""
    lines = [
        "# Settings",
        "",
        f"A shop's settings lie in `{CONFIG_FILE}` in its folder. "
        + " ".join(inspect.cleandoc(config.__doc__ or "").split("\n\n")[-1].split()),
        "",
    ]
    for section, kind in list_sections().items():
        lines += [f"## [{section}]", "", inspect.cleandoc(kind.__doc__ or ""), ""]
        lines += ["| setting | kind | default | |", "|---|---|---|---|"]
        texts, hints = read_docstrings(kind), get_type_hints(kind)
        for field in fields(kind):
            default = "" if field.default is MISSING else f"`{field.default!r}`"
            name = getattr(hints[field.name], "__name__", str(hints[field.name]))
            lines.append(f"| `{field.name}` | {name} | {default} | {_cell(texts[field.name])} |")
        lines.append("")
    return "\n".join(lines)


PAGES = {"http.md": describe_http, "cli.md": describe_cli, "settings.md": describe_settings}
"""Reference pages with the functions that make them."""


def render_page(name: str) -> str:
    """The text of one reference page, as it must be on disk."""
    return _NOTE + PAGES[name]().rstrip() + "\n"


def find_stale() -> list[str]:
    """Names of the pages that are not as the code has it."""
    return [
        name
        for name in PAGES
        if not (FOLDER / name).is_file()
        or (FOLDER / name).read_text(encoding="utf-8") != render_page(name)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare only")
    if parser.parse_args().check:
        if stale := find_stale():
            sys.exit(f"Stale: {', '.join(stale)}. Run 'python docs/generate.py'.")
        return
    FOLDER.mkdir(exist_ok=True)
    for name in PAGES:
        (FOLDER / name).write_text(render_page(name), encoding="utf-8")
        print(f"wrote {FOLDER / name}")


if __name__ == "__main__":
    main()
