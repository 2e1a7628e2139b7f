"""A machine without OpenMP trains with the learners that it can load."""

import ctypes
import subprocess
import sys

import pytest

from lingxi.learning import LEARNERS, boosting, list_learners


def test_without_openmp_lightgbm_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> ctypes.CDLL:
        raise OSError(f"{name}: libgomp.so.1: cannot open shared object file")

    monkeypatch.delitem(sys.modules, "lightgbm", raising=False)
    monkeypatch.setattr(ctypes, "CDLL", refuse)
    assert not boosting.is_available()
    assert list(list_learners()) == ["logistic", "decision_tree", "random_forest"]


def test_with_openmp_every_learner_runs() -> None:
    assert list_learners() == dict(LEARNERS)


def test_asking_takes_no_package_with_it() -> None:
    """A search of five seconds spent one or two of them on importing scikit-learn."""
    code = (
        "import sys; from lingxi.learning.boosting import is_available as ask; "
        "print(ask(), {'sklearn', 'lightgbm'} & set(sys.modules))"
    )
    asked = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert asked.stdout.split() == ["True", "set()"]
