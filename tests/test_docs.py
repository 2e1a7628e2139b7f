"""The documentation names everything there is, and nothing that is not."""

import importlib.util
import inspect
import re
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from types import ModuleType

import click
import pytest
from litestar import Litestar

import lingxi.testing
from lingxi.cli import main
from lingxi.server.api import API, MACHINE
from lingxi.server.dependencies import DEPENDENCIES

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [*sorted(DOCS.rglob("*.md")), ROOT / "README.md"]


@pytest.fixture(scope="module")
def generator() -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location("lingxi_docs", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def _read(name: str) -> str:
    return (DOCS / "reference" / name).read_text(encoding="utf-8")


def test_reference_pages_are_as_the_code_has_them(generator: ModuleType) -> None:
    assert generator.find_stale() == [], "run 'python docs/generate.py'"


def test_every_route_is_described() -> None:
    page = _read("http.md")
    app = Litestar(route_handlers=[*API, *MACHINE], dependencies=DEPENDENCIES, openapi_config=None)
    assert len(app.routes) > 15
    for route in app.routes:
        path = re.sub(r":[a-z]+}", "}", route.path)
        for method in getattr(route, "methods", ()):
            if method in ("OPTIONS", "HEAD"):
                continue
            assert f"`{method} {path}`" in page, f"{method} {path}"


def test_every_command_and_option_is_described(generator: ModuleType) -> None:
    page = _read("cli.md")
    commands = dict(generator.walk_commands())
    assert ("lingxi", "import", "orders") in commands
    for path, command in commands.items():
        assert f"`{' '.join(path)}`" in page
        section = page.split(f"`{' '.join(path)}`", 1)[1].split("\n#", 1)[0]
        for parameter in command.params:
            wanted = parameter.opts[0] if isinstance(parameter, click.Option) else "```sh"
            assert wanted in section, f"{' '.join(path)}: {parameter.name}"


def test_every_setting_is_described_and_has_a_default(generator: ModuleType) -> None:
    page = _read("settings.md")
    sections = generator.list_sections()
    assert {"shop", "store", "server", "learning"} <= set(sections)
    for section, kind in sections.items():
        texts = generator.read_docstrings(kind)
        part = page.split(f"## [{section}]", 1)[1].split("\n## ", 1)[0]
        for field in fields(kind):
            assert texts[field.name], f"{section}.{field.name} has no docstring"
            assert f"| `{field.name}` |" in part
        kind()


def test_every_plug_in_contract_is_described() -> None:
    page = (DOCS / "plugins.md").read_text(encoding="utf-8")
    for name in lingxi.testing.__all__:
        assert inspect.isclass(getattr(lingxi.testing, name))
        assert f"`{name}`" in page, name


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_that_a_page_shows_exist(page: Path, generator: ModuleType) -> None:
    known = {path[1:] for path, _ in generator.walk_commands()}
    groups = {path for path in known if any(other[:-1] == path for other in known if other)}
    text = page.read_text(encoding="utf-8")
    blocks = "\n".join(re.findall(r"```(?:sh|console)\n(.*?)```", text, flags=re.DOTALL))
    shown = re.findall(r"^(?:\$ )?lingxi ((?:[a-z][a-z-]* ?)+)", blocks, flags=re.MULTILINE)
    shown += re.findall(r"`lingxi ((?:[a-z][a-z-]* ?)+)[^`]*`", text)
    for words in shown:
        path = tuple(words.split())
        if path[:1] in groups - {()}:
            assert path[:2] in known or len(path) == 1, f"lingxi {words}"
        else:
            assert path[:1] in known, f"lingxi {words}"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_and_files_that_a_page_names_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        assert (page.parent / target).exists(), target
    for target in re.findall(r"python ((?:benchmarks|docs)/\w+\.py)", text):
        assert (ROOT / target).is_file(), target
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"(?:^|`)make ([a-z]+)", text, flags=re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), f"make {target}"


def test_the_guard_sees_a_command_that_does_not_exist(
    tmp_path: Path, generator: ModuleType
) -> None:
    page = tmp_path / "wrong.md"
    page.write_text("```sh\nlingxi fly home\n```\n", encoding="utf-8")
    with pytest.raises(AssertionError, match="lingxi fly"):
        test_commands_that_a_page_shows_exist(page, generator)
    assert isinstance(main, click.Group)
