"""``lingxi placements`` and ``lingxi recommend --placement`` as an owner types them."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lingxi.cli import main


@pytest.fixture(scope="module")
def folder(demo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    made = tmp_path_factory.mktemp("cli-placements") / "shop"
    shutil.copytree(demo_folder, made)
    return str(made)


def run(*args: str) -> Result:
    return CliRunner().invoke(main, list(args))


def tell(*args: str) -> dict:
    result = run(*args, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def test_a_placement_is_tried_made_so_shown_and_restored(folder: str, tmp_path: Path) -> None:
    draft = tmp_path / "draft.toml"
    draft.write_text("[placements.email]\nn = 3\n")
    shop = ("--shop", folder)
    tried = tell("placements", "preview", "email", str(draft), "--sample", "4", *shop)
    assert (tried["sample"], tried["shorter"]) == (4, 4)
    assert (
        "4 of 4 lists change"
        in run("placements", "preview", "email", str(draft), "--sample", "4", *shop).output
    )
    assert "# email is as built in." in run("placements", "show", "email", *shop).output
    version = tell("placements", "put", "email", str(draft), "--note", "short", *shop)["version"]
    shown = run("placements", "show", "email", *shop).output
    assert "n = 3" in shown
    assert "cli" in shown
    assert "short" in shown
    listed = tell("recommend", "--placement", "email", *shop)
    assert len(listed["items"]) == 3
    draft.write_text("")
    tell("placements", "put", "email", str(draft), *shop)
    assert len(tell("recommend", "--placement", "email", *shop)["items"]) == 6
    assert "is as in version" in run("placements", "restore", "email", str(version), *shop).output
    assert "changed" in run("placements", "list", *shop).output


def test_a_list_says_why_and_why_not(folder: str) -> None:
    shop = ("--shop", folder)
    top = tell("recommend", "--placement", "home", *shop)["items"][0]["item_id"]
    told = run("recommend", "--placement", "home", "-n", "2", "--why", *shop).output
    assert "Popular just now." in told
    assert "popularity gave the score 1." in told
    away = tell("placements", "why", "home", top, "--item", top, *shop)
    assert away["reasons"] == ["looked_at"]
    assert (
        "It is the item that is looked at."
        in run("placements", "why", "home", top, "--item", top, *shop).output
    )


def test_what_cannot_be_is_one_sentence(folder: str, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("[placements.home]\nfallback = []\n")
    for args, problem in (
        (("placements", "check", str(wrong)), "did you mean 'fallbacks'?"),
        (("placements", "check", str(tmp_path / "none.toml")), "cannot be read"),
        (("placements", "show", "hom", "--shop", folder), "did you mean 'home'?"),
        (("placements", "restore", "home", "77", "--shop", folder), "no version 77"),
        (("recommend", "--placement", "hom", "--shop", folder), "did you mean 'home'?"),
        (("recommend", "--cart", "a", "--shop", folder), "belong to --placement"),
    ):
        result = run(*args)
        assert result.exit_code == 2, args
        assert problem in result.output
    wrong.write_text("[placements.home]\nn = 4\n")
    assert "10 placements" in run("placements", "check", str(wrong)).output
