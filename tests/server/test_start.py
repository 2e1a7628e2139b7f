"""What the server loads before it answers: the start is paid again after every crash."""

import subprocess
import sys

HEAVY = ("ibis", "sklearn", "scipy", "duckdb", "pandas", "matplotlib")


def loaded_by(*modules: str) -> set[str]:
    """The top-level packages in a fresh interpreter that has imported ``modules``."""
    lines = [f"import {module}" for module in modules]
    lines.append("import sys; print('\\n'.join(sys.modules))")
    command = [sys.executable, "-c", "\n".join(lines)]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return set(told.split())


def test_the_application_is_there_without_what_only_learning_needs() -> None:
    assert not loaded_by("lingxi.server.app") & set(HEAVY)


def test_the_process_that_watches_the_worker_loads_no_application() -> None:
    loaded = loaded_by("lingxi.cli.serve", "lingxi.server.serve", "lingxi.access")
    assert "lingxi.server.app" not in loaded
    assert "litestar" not in loaded


def test_the_process_that_watches_the_worker_opens_no_shop_before_it_starts_it() -> None:
    assert not loaded_by("lingxi.cli.serve", "lingxi.server.serve") & {"sqlalchemy", "lingxi.store"}


def test_the_door_for_events_opens_without_the_framework_and_the_other_rooms() -> None:
    loaded = loaded_by("lingxi.server.load")
    assert not loaded & {"litestar", "lingxi.app.rooms", "lingxi.policy", "lingxi.journeys"}
