"""``lingxi demo``: cut short it starts anew, wherever it was cut."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lingxi.cli import demo, main
from lingxi.config import CONFIG_FILE


def run(folder: Path) -> Result:
    return CliRunner().invoke(main, ["demo", str(folder), "--no-serve"])


def test_one_that_was_cut_short_while_it_was_removed_starts_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its raw files gone first, it was taken for a shop of somebody's own and refused."""
    folder = tmp_path / "demo"
    (folder / "raw").mkdir(parents=True)
    (folder / CONFIG_FILE).touch()

    def cut(path: Path) -> None:
        (path / "raw").rmdir()
        raise KeyboardInterrupt

    def make(where: Path, **_: object) -> None:
        where.mkdir(exist_ok=True)
        made.append(where)

    made: list[Path] = []
    monkeypatch.setattr(demo, "make_demo", make)
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", cut)
        assert run(folder).exit_code == 1
    assert made == []
    assert run(folder).exit_code == 0
    assert made == [folder]


def test_a_shop_of_ones_own_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / CONFIG_FILE).touch()
    result = run(tmp_path)
    assert result.exit_code == 2
    assert "a shop of your own" in result.output
