"""A machine without OpenMP trains with the learners that it can load."""

import builtins

import pytest

from lingxi.learning import LEARNERS, boosting, list_learners


def test_without_openmp_lightgbm_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def refuse(name: str, *args: object, **kwargs: object) -> object:
        if name == "lightgbm":
            raise OSError("libgomp.so.1: cannot open shared object file")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    assert not boosting.is_available()
    assert list(list_learners()) == ["logistic", "decision_tree", "random_forest"]


def test_with_openmp_every_learner_runs() -> None:
    assert list_learners() == dict(LEARNERS)
