"""Files of a folder that others change meanwhile."""

import shutil
from pathlib import Path

from lingxi.app.status import measure_folder
from lingxi.store.files import walk_files


def test_a_folder_that_is_taken_away_meanwhile_is_passed_over(tmp_path: Path) -> None:
    """A draft of a model becomes a version while the folder above it is being read."""
    for name in ("a/one", "a/two", "b/.draft/three", "c/four"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"1234")
    found = walk_files(tmp_path)
    first = next(found)
    shutil.rmtree(tmp_path / "b")
    names = [path.relative_to(tmp_path).as_posix() for path in (first, *found)]
    assert names == ["a/one", "a/two", "c/four"]
    assert measure_folder(tmp_path) == 12
