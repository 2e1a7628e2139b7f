"""A stored transformer is served by onnxruntime alone; ``exported/`` was made with PyTorch."""

import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from lingxi.clock import FixedClock
from lingxi.errors import CorruptArtefact, InvalidInput, MissingExtra
from lingxi.recommend.deep import family, scorer
from lingxi.recommend.deep.scorer import Transformer
from lingxi.recommend.deep.settings import Settings
from lingxi.recommend.families import FAMILIES, build_scorer, make_recipe
from lingxi.recommend.histories import DAY, Histories
from lingxi.recommend.matrix import densify
from lingxi.store import Artefacts
from lingxi.testing.scorer import N_ITEMS, make_taught

pytest.importorskip("onnxruntime", reason="needs onnxruntime: pip install 'lingxi[onnx]'")

EXPORTED = Path(__file__).parent / "exported"


def _open(folder=EXPORTED):
    found = Artefacts(folder, FixedClock(datetime(2026, 1, 1, tzinfo=UTC))).current("recommender")
    served = build_scorer(make_recipe("transformer"))
    served.load(found, "deep")
    return served


def _one(items, moments=None):
    items = np.array(items, dtype=np.int64)
    when = np.arange(len(items)) * DAY if moments is None else np.array(moments)
    rows = np.zeros(len(items), dtype=np.int64)
    return Histories.of_events(rows, items, (1, N_ITEMS), moments=when)


def test_it_scores_as_it_did_in_pytorch_where_it_was_fitted():
    wanted = np.load(EXPORTED / "scores.npy")
    np.testing.assert_allclose(_open().score(make_taught()), wanted, atol=1e-4)
    assert wanted.max() > 0.2


def test_scores_are_chances_of_the_items_that_were_ever_met():
    scores = _open().score(_one([1, 4, 7]))[0]
    assert scores.sum() == pytest.approx(1, abs=1e-5)
    assert scores[N_ITEMS - 1] == 0
    assert (scores[: N_ITEMS - 1] > 0).all()


def test_only_the_newest_events_count_and_unmet_items_do_not():
    served = _open()
    newest = served.score(_one([2, 5, 8, 11, 14, 17]))
    np.testing.assert_array_equal(served.score(_one([0, 1, 2, 5, 8, 11, 14, 17]))[:, :], newest)
    unmet = _one([2, 5, N_ITEMS - 1, 8], [0, 5 * DAY, 6 * DAY, 9 * DAY])
    known = _one([2, 5, 8], [0, 5 * DAY, 9 * DAY])
    np.testing.assert_allclose(served.score(unmet), served.score(known), atol=1e-6)
    assert not served.score(_one([N_ITEMS - 1])).any()
    assert not served.score(_one([])).any()


def test_order_and_time_change_the_scores():
    served = _open()
    base = served.score(_one([1, 2, 3]))
    assert np.abs(served.score(_one([3, 2, 1])) - base).max() > 1e-3
    assert np.abs(served.score(_one([1, 2, 3], [0, DAY, 300 * DAY])) - base).max() > 1e-4


def test_shares_sum_to_the_score_for_long_histories_too():
    served, taught = _open(), make_taught().take(np.arange(8))
    lists = np.tile(np.arange(6), (8, 1))
    told = served.explain(taught, lists)
    assert told.shape == (48, N_ITEMS)
    sums = densify(told).sum(axis=1).reshape(8, 6)
    np.testing.assert_allclose(sums, served.score(taught)[:, :6], atol=1e-6)
    assert (np.diff(told.indptr).reshape(8, 6)[:, 0] <= 6).all()  # no more than the window


def test_it_is_saved_again_as_it_was(tmp_path):
    served = _open()
    artefacts = Artefacts(tmp_path, FixedClock(datetime(2026, 1, 1, tzinfo=UTC)))
    with artefacts.write("recommender") as writer:
        served.save(writer, "deep", np.arange(60))
    again = _open(tmp_path)
    np.testing.assert_array_equal(again.score(make_taught()), served.score(make_taught()))


@pytest.mark.parametrize("damage", [b"", b"not a network", b"\x08\x0a"])
def test_bytes_that_are_no_network_are_refused(tmp_path, damage):
    copied = tmp_path / "copied"
    shutil.copytree(EXPORTED, copied)
    source = Artefacts(copied, FixedClock(datetime(2026, 1, 1, tzinfo=UTC))).current("recommender")
    target = Artefacts(tmp_path / "new", FixedClock(datetime(2026, 1, 1, tzinfo=UTC)))
    with target.write("recommender") as writer:
        writer.save_onnx("deep_network", damage)
        writer.save_json("deep_facts", source.load_json("deep_facts"))
        for name in ("deep_unit", "deep_norms"):
            writer.save_array(name, source.load_array(name))
    with pytest.raises(CorruptArtefact):
        _open(tmp_path / "new")


def test_a_changed_file_is_noticed(tmp_path):
    shutil.copytree(EXPORTED, tmp_path / "copied")
    place = next((tmp_path / "copied").rglob("*.onnx"))
    place.write_bytes(place.read_bytes()[:-1] + b"\x00")
    with pytest.raises(CorruptArtefact):
        _open(tmp_path / "copied")


def test_without_onnxruntime_the_command_to_install_it_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    found = Artefacts(EXPORTED, FixedClock(datetime(2026, 1, 1, tzinfo=UTC))).current("recommender")
    with pytest.raises(MissingExtra, match=r"lingxi\[onnx\]"):
        Transformer("transformer").load(found, "deep")


def test_without_pytorch_it_is_served_but_not_fitted(monkeypatch):
    monkeypatch.setattr(scorer, "find_spec", lambda _name: None)
    with pytest.raises(MissingExtra, match=r"lingxi\[deep\]"):
        _open().fit(make_taught())


def test_before_it_is_fitted_or_loaded_it_says_so():
    with pytest.raises(InvalidInput, match="knows 0 items"):
        Transformer("transformer").score(make_taught())


def test_the_registry_knows_what_it_takes():
    entry = FAMILIES["transformer"]
    assert entry.timed
    assert entry.extra == "deep"
    assert entry.served
    assert dict(entry.defaults) == vars(Settings())


def test_a_fit_is_said_to_cost_more_the_more_there_is(monkeypatch):
    monkeypatch.setattr(family.shutil, "which", lambda _name: None)
    small = family.estimate_cost(100, 1_000, 10_000)
    assert 0 < small < family.estimate_cost(100, 1_000, 100_000)
    assert small < family.estimate_cost(100, 10_000, 10_000)
    monkeypatch.setattr(family.shutil, "which", lambda _name: "/usr/bin/nvidia-smi")
    assert family.estimate_cost(100, 1_000, 10_000) < small


def test_around_a_recipe_lie_wider_ones_up_to_a_bound():
    start = make_recipe("transformer", family.STARTS[0])
    (wider,) = FAMILIES["transformer"].around(start)
    assert wider.params["embedding_size"] == 256
    (widest,) = FAMILIES["transformer"].around(wider)
    assert not FAMILIES["transformer"].around(widest)
