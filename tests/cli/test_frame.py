"""Every command: help, exit status, one sentence for each mistake."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lingxi.cli import main


def run(*args: str) -> Result:
    return CliRunner().invoke(main, list(args))


def list_commands() -> list[str]:
    return main.list_commands(None)


@pytest.mark.parametrize("name", list_commands())
def test_every_command_explains_itself(name: str) -> None:
    result = run(name, "--help")
    assert result.exit_code == 0
    assert result.output.startswith("Usage:")


def test_unknown_command_suggests_the_near_one() -> None:
    result = run("trian")
    assert result.exit_code == 2
    assert "did you mean 'train'?" in result.output


@pytest.mark.parametrize(
    "args",
    [
        ("train",),
        ("plan",),
        ("status",),
        ("doctor",),
        ("quality",),
        ("recommend", "1"),
        ("explain", "1"),
        ("models", "list"),
        ("backup", "there"),
        ("quarantine", "list"),
        ("user", "list"),
        ("key", "list"),
    ],
)
def test_command_without_a_shop_says_how_to_make_one(
    args: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*args)
    assert result.exit_code == 2
    assert "lingxi init" in result.output
    as_json = run(*args, "--json")
    assert as_json.exit_code == 2
    assert json.loads(as_json.output)["error"]["code"] == "shop_not_found"


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--currency", "pounds"), "three capital letters"),
        (("--currency", "GPB"), "'GPB' is not a currency"),
        (("--timezone", "Mars/Olympus"), "IANA time zone"),
        (("--language", "fr"), "'en' or 'zh'"),
    ],
)
def test_init_refuses_a_wrong_setting_and_leaves_nothing_behind(
    args: tuple[str, ...], words: str, tmp_path: Path
) -> None:
    folder = tmp_path / "shop"
    result = run("init", str(folder), *args)
    assert result.exit_code == 2
    assert words in result.output
    assert not (folder / "lingxi.toml").exists()


def test_init_twice_is_refused(tmp_path: Path) -> None:
    folder = str(tmp_path / "shop")
    assert run("init", folder).exit_code == 0
    again = run("init", folder)
    assert again.exit_code == 2
    assert "already" in again.output


def test_questions_before_training_say_what_to_run(tmp_path: Path) -> None:
    folder = str(tmp_path / "shop")
    assert run("init", folder).exit_code == 0
    for args, words in (
        (("recommend",), "lingxi train"),
        (("plan", "--show"), "lingxi plan"),
        (("train",), "lingxi import"),
        (("explain", "4711"), "4711"),
    ):
        result = run(*args, "--shop", folder)
        assert result.exit_code == 2, result.output
        assert words in result.output


def test_help_imports_no_heavy_library() -> None:
    code = (
        "import sys; from lingxi.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'duckdb', 'sqlalchemy', 'sklearn', 'pyarrow', 'litestar'}\n"
        "found = heavy & set(sys.modules); assert not found, found"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("status", "extra", "--json"), "unexpected extra argument"),
        (("recommend", "-n", "abc", "--json"), "not a valid integer"),
        (("quality", "--frobnicate", "--json"), "--frobnicate"),
        (("import", "order", "FILE", "--json"), "order"),
        (("nonsense", "--json"), "nonsense"),
        (("plan", "-n", "0", "--json"), "n must be between"),
    ],
)
def test_wrong_option_is_json_where_json_was_asked_for(args: tuple[str, ...], words: str) -> None:
    result = run(*args)
    assert result.exit_code == 2
    assert words in json.loads(result.stdout)["error"]["message"]
