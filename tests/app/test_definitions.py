"""Definitions as files: the plan comes first, all of it is done or nothing, and it comes back."""

from pathlib import Path

import pytest

from lingxi.app.definitions.apply import apply_folder, export_folder, plan_folder
from lingxi.app.definitions.plan import Deed
from lingxi.app.shop import Shop
from lingxi.errors import Conflict, FileUnreadable, InvalidInput
from lingxi.journeys import versions

SEGMENT = "name: {name}\ntitle: T\nrule: {{{rule}}}\n"
JOURNEY = """
name: hello
trigger: {{kind: segment, segment: {segment}}}
purpose: marketing
caps: {{week: 1}}
steps:
  mark: {{kind: set_trait, trait: met, value: true, next: end}}
  end: {{kind: end}}
"""


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_yaml", ".yaml").replace("_toml", ".toml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def make_files(folder: Path) -> Path:
    """A segment that names one that stands after it, a journey, placements."""
    return write(
        folder,
        segments__a_yaml=SEGMENT.format(name="a", rule="segment: b"),
        segments__b_yaml=SEGMENT.format(name="b", rule="did: Order Completed"),
        journeys__hello_yaml=JOURNEY.format(segment="a"),
        placements_toml="[placements.home]\nn = 4\n",
    )


def test_applying_twice_changes_nothing_the_second_time(shop: Shop, tmp_path: Path) -> None:
    folder = make_files(tmp_path / "files")
    plan = plan_folder(shop, folder)
    assert [(c.kind, c.name, c.deed) for c in plan.changes] == [
        ("segments", "a", Deed.CREATE),
        ("segments", "b", Deed.CREATE),
        ("journeys", "hello", Deed.CREATE),
        ("placements.toml", "placements", Deed.CREATE),
    ]
    assert "+  segment: b" in plan.changes[0].diff
    assert apply_folder(shop, folder, actor="t", expected=plan) == plan
    assert plan_folder(shop, folder).changes == ()
    assert plan_folder(shop, folder).same == 4
    with shop.store.read() as tx:
        assert [live.name for live in versions.list_live(tx)] == ["hello"]
    assert shop.answers.placements.book.get().get("home").n == 4


def test_a_change_is_shown_as_lines_and_made_a_version(shop: Shop, tmp_path: Path) -> None:
    folder = make_files(tmp_path / "files")
    apply_folder(shop, folder, actor="t")
    write(folder, journeys__hello_yaml=JOURNEY.format(segment="b"))
    (change,) = plan_folder(shop, folder).changes
    assert change.deed is Deed.CHANGE
    assert "-  segment: a\n+  segment: b\n" in change.diff
    apply_folder(shop, folder, actor="t")
    with shop.store.read() as tx:
        assert [each.version for each in versions.list_versions(tx, "hello")] == [2, 1]


def test_nothing_is_done_where_one_thing_cannot_be(shop: Shop, tmp_path: Path) -> None:
    folder = make_files(tmp_path / "files")
    write(folder, journeys__hello_yaml=JOURNEY.format(segment="none"))
    with pytest.raises(InvalidInput, match="no segment “none”"):
        apply_folder(shop, folder, actor="t")
    with shop.store.read() as tx:
        assert versions.list_journeys(tx) == []
    assert len(plan_folder(shop, folder).changes) == 4


def test_what_the_files_lack_stays_unless_deleting_is_asked_for(shop: Shop, tmp_path: Path) -> None:
    folder = make_files(tmp_path / "files")
    apply_folder(shop, folder, actor="t")
    (folder / "segments/a.yaml").unlink()
    (folder / "placements.toml").unlink()
    write(folder, journeys__hello_yaml=JOURNEY.format(segment="b"))
    plan = plan_folder(shop, folder)
    assert plan.left == ("placements.toml/placements", "segments/a")
    deleting = plan_folder(shop, folder, delete=True)
    assert [(c.name, c.deed) for c in deleting.changes] == [
        ("hello", Deed.CHANGE),
        ("a", Deed.DELETE),
    ]
    apply_folder(shop, folder, actor="t", delete=True)
    assert plan_folder(shop, folder, delete=True).changes == ()


def test_a_plan_that_is_no_longer_true_is_refused(shop: Shop, tmp_path: Path) -> None:
    folder = make_files(tmp_path / "files")
    plan = plan_folder(shop, folder)
    (folder / "segments/a.yaml").write_text(SEGMENT.format(name="a", rule="everyone: true"))
    with pytest.raises(Conflict, match="changed meanwhile"):
        apply_folder(shop, folder, actor="t", expected=plan)


def test_an_export_is_the_shop_and_applies_without_change(shop: Shop, tmp_path: Path) -> None:
    apply_folder(shop, make_files(tmp_path / "files"), actor="t")
    draft = JOURNEY.format(segment="a").replace("hello", "later")
    apply_folder(shop, write(tmp_path / "more", drafts__later_yaml=draft), actor="t")
    out = tmp_path / "out"
    files = export_folder(shop, out)
    assert files == (
        "drafts/later.yaml",
        "journeys/hello.yaml",
        "placements.toml",
        "segments/a.yaml",
        "segments/b.yaml",
    )
    before = {name: (out / name).read_text() for name in files}
    assert plan_folder(shop, out, delete=True).changes == ()
    rule = (out / "segments/b.yaml").read_text().replace("Order Completed", "Signed Up")
    apply_folder(shop, write(tmp_path / "new", segments__b_yaml=rule), actor="t")
    (out / "journeys/old.yaml").write_text("x")
    assert export_folder(shop, out) == files
    assert not (out / "journeys/old.yaml").exists()
    changed = {name for name in files if (out / name).read_text() != before[name]}
    assert changed == {"segments/b.yaml"}


def test_a_file_is_named_like_what_it_holds(shop: Shop, tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable, match="no folder"):
        plan_folder(shop, tmp_path / "none")
    with pytest.raises(InvalidInput, match="no definition"):
        plan_folder(shop, tmp_path)
    write(tmp_path, segments__c_yaml=SEGMENT.format(name="a", rule="everyone: true"))
    with pytest.raises(InvalidInput, match=r"segments/c\.yaml holds 'a'"):
        plan_folder(shop, tmp_path)
