"""The transformer learns what can be known, is exported as it is, keeps the contract."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs PyTorch: pip install 'lingxi[deep]', or make deep")
pytest.importorskip("onnxscript", reason="needs onnxscript: pip install 'lingxi[deep]'")
pytest.importorskip("onnxruntime", reason="needs onnxruntime: pip install 'lingxi[deep]'")

import torch
from torch.nn import functional

from lingxi.clock import FixedClock
from lingxi.errors import FileUnreadable, InvalidInput, MissingExtra, NotEnoughData
from lingxi.recommend.auto import search
from lingxi.recommend.bench import split_inside
from lingxi.recommend.deep import scorer as served
from lingxi.recommend.deep.encoder import open_encoder
from lingxi.recommend.deep.export import export_network
from lingxi.recommend.deep.learning import run_network
from lingxi.recommend.deep.network import Network
from lingxi.recommend.deep.scorer import Transformer
from lingxi.recommend.deep.sequences import N_AGES, Batch
from lingxi.recommend.deep.settings import Settings
from lingxi.recommend.deep.softmax import BAND_CELLS, lose_among_all
from lingxi.recommend.deep.training import teach
from lingxi.recommend.families import FAMILIES, build_scorer, make_recipe
from lingxi.recommend.histories import DAY, ORDER, VIEW, Histories
from lingxi.recommend.history import Weighting
from lingxi.recommend.matrix import densify
from lingxi.recommend.scorer import Scorer
from lingxi.store import Artefacts
from lingxi.testing import ScorerContract
from lingxi.testing.scorer import make_taught

SMALL = Settings(embedding_size=16, heads=2, epochs=12, dropout=0.1, attention_dropout=0.1,
                 reg=0.1, learning_rate=0.01, temperature=0.1, threads=1, device="cpu")  # fmt: skip

KNOWING = replace(SMALL, epochs=40, dropout=0.0, attention_dropout=0.0, patience=0)


class TestTransformer(ScorerContract):
    def make(self) -> Scorer:
        return Transformer("transformer", SMALL)


def _turns(n_rows, n_items, length, rng):
    """Whoever had item k has item k + 1 next."""
    items = (rng.integers(0, n_items, n_rows)[:, None] + np.arange(length)) % n_items
    rows = np.repeat(np.arange(n_rows), length)
    moments = np.tile(np.arange(length) * DAY, n_rows)
    return Histories.of_events(rows, items.ravel(), (n_rows, n_items), moments=moments)


def test_it_learns_what_always_comes_next():
    rng = np.random.default_rng(1)
    scorer = Transformer("mine", KNOWING)
    scorer.fit(_turns(150, 12, 6, rng))
    asked = _turns(40, 12, 4, rng)
    last = asked.items[asked.indptr[1:] - 1]
    assert (scorer.score(asked).argmax(axis=1) == (last + 1) % 12).all()


def test_the_time_between_events_tells_what_comes_next():
    """After item 0 and 1 comes 2 where a day lay between them, and 3 where a year did."""
    rng = np.random.default_rng(2)
    late = rng.random(300) < 0.5
    items = np.stack((np.zeros(300), np.ones(300), np.where(late, 3, 2)), axis=1).astype(np.int64)
    gaps = np.where(late, 400, 1)
    moments = np.stack((np.zeros(300), gaps, gaps + 1), axis=1).astype(np.int64) * DAY
    rows = np.repeat(np.arange(300), 3)
    taught = Histories.of_events(rows, items.ravel(), (300, 4), moments=moments.ravel())
    scorer = Transformer("mine", KNOWING)
    scorer.fit(taught)
    two = taught.keep(np.tile([True, True, False], 300))
    scores = scorer.score(two)
    assert ((scores[:, 3] > scores[:, 2]) == late).all()


def test_what_is_worth_nothing_is_not_foreseen():
    rng = np.random.default_rng(3)
    taught = _turns(150, 12, 6, rng)
    kinds = np.where(taught.items % 2 == 0, ORDER, VIEW).astype(np.int8)
    mixed = replace(taught, kinds=kinds)
    scorer = Transformer("mine", KNOWING, taught=Weighting(view=0.0))
    scorer.fit(mixed)
    scores = scorer.score(mixed)
    assert scores[:, 0::2].sum(axis=1).min() > 0.9


@pytest.mark.parametrize(("layers", "n", "length"), [(1, 1, 1), (1, 7, 50), (2, 3, 9), (3, 1, 50)])
def test_the_exported_network_answers_as_pytorch_does(layers, n, length):
    settings = Settings(embedding_size=32, heads=4, layers=layers)
    torch.manual_seed(layers)
    network = Network(settings).eval()
    for values in network.parameters():
        torch.nn.init.normal_(values, std=0.3)
    rng = np.random.default_rng(length)
    zeros = np.zeros((n, length), dtype=np.int64)
    batch = Batch(
        items=zeros,
        kinds=rng.integers(0, 3, (n, length)),
        ages=rng.integers(0, N_AGES, (n, length, length)),
        last=rng.integers(0, length, n),
        targets=zeros,
        worth=np.zeros((n, length), dtype=np.float32),
    )
    vectors = rng.normal(size=(n, length, 32)).astype(np.float32)
    exported = open_encoder(export_network(network, 32))
    told, wanted = exported(vectors, batch), run_network(network)(vectors, batch)
    assert told.shape == (n, 32)
    assert np.abs(told - wanted).max() < 1e-4
    assert np.abs(told).max() > 0.1


def test_the_last_event_alone_is_scored_as_within_the_whole():
    network = Network(Settings(embedding_size=16, heads=2, layers=2)).eval()
    vectors = torch.from_numpy(np.random.default_rng(1).normal(size=(3, 5, 16)).astype("float32"))
    kinds, ages = torch.zeros(3, 5, dtype=torch.int64), torch.zeros(3, 5, 5, dtype=torch.int64)
    last = torch.tensor([4, 0, 2])
    with torch.no_grad():
        whole = network(vectors, kinds, ages).numpy()[np.arange(3), [4, 0, 2]]
        alone = network(vectors, kinds, ages, last).numpy()[:, 0]
    np.testing.assert_allclose(alone, whole, atol=1e-6)


def test_nothing_later_is_looked_at():
    network = Network(Settings(embedding_size=16, heads=2, layers=2)).eval()
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(1, 6, 16)).astype("float32")
    changed = vectors.copy()
    changed[:, 4:] = rng.normal(size=(1, 2, 16))
    kinds, ages = torch.zeros(1, 6, dtype=torch.int64), torch.zeros(1, 6, 6, dtype=torch.int64)
    with torch.no_grad():
        one = network(torch.from_numpy(vectors), kinds, ages).numpy()
        other = network(torch.from_numpy(changed), kinds, ages).numpy()
    np.testing.assert_allclose(one[:, :4], other[:, :4], atol=1e-6)
    assert np.abs(one[:, 4:] - other[:, 4:]).max() > 0.01


def test_loaded_it_needs_no_pytorch_and_scores_alike(tmp_path, monkeypatch):
    taught = make_taught()
    scorer = Transformer("mine", SMALL)
    scorer.fit(taught)
    artefacts = Artefacts(tmp_path, FixedClock(datetime(2026, 1, 1, tzinfo=UTC)))
    with artefacts.write("mine") as writer:
        assert scorer.save(writer, "deep", np.arange(60)) == {}
    monkeypatch.setattr(served, "find_spec", lambda _name: None)
    again = Transformer("mine", SMALL)
    again.load(artefacts.current("mine"), "deep")
    assert np.abs(again.score(taught) - scorer.score(taught)).max() < 1e-4
    with pytest.raises(MissingExtra, match=r"lingxi\[deep\]"):
        again.fit(taught)


def test_the_seed_decides_everything_and_the_process_keeps_its_own():
    taught, worth = make_taught(), np.ones(len(make_taught().items), dtype=np.float32)
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    first, second = (teach(taught, worth, SMALL) for _ in range(2))
    assert [e.loss for e in first.epochs] == [e.loss for e in second.epochs]
    assert torch.equal(state, torch.get_rng_state())
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize("cells", [1, 40, 1_000_000])
def test_the_loss_band_by_band_is_cross_entropy_with_its_slopes(cells, monkeypatch):
    monkeypatch.setitem(BAND_CELLS, "cpu", cells)
    rng = np.random.default_rng(7)
    rows, items = (
        torch.tensor(rng.normal(size=(n, 4)), requires_grad=True, dtype=torch.float64)
        for n in (9, 13)
    )
    targets = torch.from_numpy(rng.integers(0, 13, 9))
    worth = torch.from_numpy(rng.random(9))
    wanted = functional.cross_entropy(20 * rows @ items.T, targets, reduction="none")
    wanted = (wanted * worth).sum() / worth.sum()
    slopes = torch.autograd.grad(3 * wanted, (rows, items))
    loss = lose_among_all(20 * rows, items, targets, worth)
    torch.testing.assert_close(loss, wanted)
    torch.testing.assert_close(torch.autograd.grad(3 * loss, (rows, items)), slopes)


def test_comparing_with_drawn_items_learns_the_same():
    rng = np.random.default_rng(1)
    scorer = Transformer("mine", replace(KNOWING, negatives=6))
    scorer.fit(_turns(150, 12, 6, rng))
    asked = _turns(40, 12, 4, rng)
    last = asked.items[asked.indptr[1:] - 1]
    assert (scorer.score(asked).argmax(axis=1) == (last + 1) % 12).all()


def test_training_ends_when_the_held_out_gain_no_more():
    rng = np.random.default_rng(5)
    rows, items = np.repeat(np.arange(60), 6), rng.integers(0, 40, 360)  # nothing to know
    taught = Histories.of_events(rows, items, (60, 40), moments=np.tile(np.arange(6), 60))
    settings = replace(SMALL, epochs=40, patience=2)
    got = teach(taught, np.ones(360, dtype=np.float32), settings)
    assert len(got.epochs) == got.best + 3 < 40
    assert got.epochs[got.best].ndcg == max(epoch.ndcg for epoch in got.epochs)


def test_less_time_means_fewer_epochs():
    taught = make_taught()
    worth = np.ones(len(taught.items), dtype=np.float32)
    told = []
    settings = replace(SMALL, seconds=1e-3)
    got = teach(taught, worth, settings, lambda done, planned: told.append((done, planned)))
    assert len(got.epochs) == 1
    assert told == [(1, 12)]


class _Stopped(Exception):
    pass


def test_a_stopped_training_goes_on_to_the_same_result(tmp_path):
    taught, place = make_taught(), tmp_path / "training.npz"
    worth = np.ones(len(taught.items), dtype=np.float32)
    whole = teach(taught, worth, SMALL)

    def stop(done, _planned):
        if done == 4:
            raise _Stopped

    with pytest.raises(_Stopped):
        teach(taught, worth, SMALL, stop, place)
    again = teach(taught, worth, SMALL, checkpoint=place)
    assert [e.loss for e in again.epochs] == [e.loss for e in whole.epochs]
    for name, values in whole.learner.state_dict().items():
        assert torch.equal(values, again.learner.state_dict()[name])
    assert not place.exists()


def test_a_checkpoint_of_another_training_is_refused(tmp_path):
    taught, place = make_taught(), tmp_path / "training.npz"
    worth = np.ones(len(taught.items), dtype=np.float32)

    def stop(done, _planned):
        if done == 2:
            raise _Stopped

    with pytest.raises(_Stopped):
        teach(taught, worth, SMALL, stop, place)
    with pytest.raises(InvalidInput, match="other data or settings"):
        teach(taught, worth, replace(SMALL, seed=1), checkpoint=place)
    with pytest.raises(InvalidInput, match="other data or settings"):
        teach(taught, worth * 2, SMALL, checkpoint=place)
    place.write_bytes(b"nothing of the kind")
    with pytest.raises(FileUnreadable, match="no checkpoint"):
        teach(taught, worth, SMALL, checkpoint=place)


def test_shares_sum_to_the_score_within_a_millionth():
    taught = make_taught()
    scorer = Transformer("mine", replace(SMALL, length=4))
    scorer.fit(taught)
    lists = np.tile(np.arange(24), (60, 1))
    told = densify(scorer.explain(taught, lists)).reshape(60, 24, 24).sum(axis=2)
    np.testing.assert_allclose(told, scorer.score(taught), atol=1e-6)


def test_what_cannot_be_learnt_from_is_said():
    taught = make_taught()
    with pytest.raises(InvalidInput, match="timestamps"):
        Transformer("mine", SMALL).fit(Histories.of_matrix(taught.seen()))
    once = Histories.of_events(np.arange(3), np.arange(3), (3, 3), moments=np.arange(3))
    with pytest.raises(NotEnoughData, match="two events"):
        Transformer("mine", SMALL).fit(once)
    with pytest.raises(InvalidInput, match="has not been fitted"):
        Transformer("mine", SMALL).save(None, "x", np.arange(1))
    scorer = Transformer("mine", SMALL)
    scorer.fit(taught)
    with pytest.raises(InvalidInput, match="knows 24 items"):
        scorer.score(once)


def test_histories_with_nothing_worth_foreseeing_are_left_out():
    taught = make_taught()
    kinds = np.where(taught.owners < 3, ORDER, VIEW).astype(np.int8)
    scorer = Transformer("mine", SMALL, taught=Weighting(view=0.0))
    scorer.fit(replace(taught, kinds=kinds))
    assert np.isfinite(scorer.score(taught)).all()
    with pytest.raises(NotEnoughData):
        scorer.fit(replace(taught, kinds=np.full_like(kinds, VIEW)))


def test_a_recipe_makes_it():
    recipe = make_recipe("transformer", {"embedding_size": 32, "epochs": 3, "device": "cpu"})
    scorer = build_scorer(recipe)
    assert isinstance(scorer, Transformer)
    assert (scorer.settings.embedding_size, scorer.settings.epochs) == (32, 3)
    assert FAMILIES["transformer"].available


def test_auto_tries_it_where_there_is_time(monkeypatch):
    rng = np.random.default_rng(1)
    taught = _turns(150, 12, 6, rng)
    start = {**vars(KNOWING), "epochs": 20}
    bench = split_inside(taught, rng=rng, most=100, metric="ndcg@5", include_seen=True)
    entry = replace(FAMILIES["transformer"], starts=(start,), around=lambda _recipe: ())
    monkeypatch.setitem(FAMILIES, "transformer", entry)
    found = search(bench, 1e6, names=["popularity", "transformer"])
    assert found.recipe.name == "transformer"
    assert found.best("transformer").value > found.best("popularity").value + 0.3
