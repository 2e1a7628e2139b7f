"""What a command does not need is not imported; what a room offers is there."""

import json
import pkgutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from alembic.script import ScriptDirectory

import lingxi
from lingxi.app.migrate import FOLDER
from lingxi.app.revision import find_newest
from lingxi.doors import open_door

ROOMS = [module.name for module in pkgutil.iter_modules(lingxi.__path__, "lingxi.") if module.ispkg]
HEAVY = {
    "alembic",
    "duckdb",
    "ibis",
    "lightgbm",
    "litestar",
    "openpyxl",
    "pandas",
    "scipy",
    "sklearn",
    "sqlglot",
}


def list_loaded(code: str) -> set[str]:
    """Names of all packages that a fresh interpreter has loaded after ``code``."""
    report = "import json, sys; print(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{report}"], capture_output=True, text=True, check=True
    )
    return {name.split(".")[0] for name in json.loads(done.stderr.splitlines()[-1])}


def test_import_lingxi_loads_nothing_else() -> None:
    assert list_loaded("import lingxi") & (HEAVY | {"numpy", "pyarrow", "sqlalchemy"}) == set()


def test_status_loads_no_analytics_and_no_learners(demo_folder: Path) -> None:
    status = (
        "from lingxi.cli import main\n"
        f"main(['status', '--shop', {str(demo_folder)!r}], standalone_mode=False)"
    )
    loaded = list_loaded(status)
    assert "sqlalchemy" in loaded
    assert loaded & HEAVY == set()


@pytest.mark.parametrize("name", ROOMS)
def test_a_room_has_all_that_it_offers_and_no_module_in_its_place(name: str) -> None:
    room = import_module(name)
    offered = getattr(room, "__all__", [])
    for each in offered:
        assert not isinstance(getattr(room, each), ModuleType), each


@pytest.mark.parametrize("name", ROOMS)
def test_no_module_can_take_the_place_of_what_stands_behind_a_door(name: str) -> None:
    room = import_module(name)
    modules = {module.name for module in pkgutil.iter_modules(room.__path__)}
    if hasattr(room, "__getattr__"):
        assert modules.isdisjoint(room.__all__)


def test_a_door_offers_nothing_else() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        open_door("lingxi.i18n", str(Path(lingxi.__path__[0]) / "i18n" / "__init__.py"))("nonsense")


def test_the_newest_revision_is_alembics_head() -> None:
    assert find_newest() == ScriptDirectory(str(FOLDER)).get_current_head()
