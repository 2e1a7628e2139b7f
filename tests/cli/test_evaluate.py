"""``lingxi evaluate recommend`` on files, without a shop."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from scipy import sparse

from lingxi.cli import main
from lingxi.recommend import evaluation, report

N_CUSTOMERS, N_ITEMS = 80, 30


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Two tastes: whoever likes even items is to be offered even ones."""
    folder = tmp_path_factory.mktemp("split")
    rng = np.random.default_rng(4)
    liked = rng.random((N_CUSTOMERS, N_ITEMS)) < 0.5
    liked &= np.arange(N_ITEMS)[None, :] % 2 == np.arange(N_CUSTOMERS)[:, None] % 2
    tested = liked & (rng.random(liked.shape) < 0.25)
    for name, cells in (("train", liked & ~tested), ("test", tested)):
        sparse.save_npz(folder / f"{name}.npz", sparse.csr_matrix(cells.astype(float)))
        rows, items = np.nonzero(cells)
        lines = [f"c{row},i{item}" for row, item in zip(rows, items, strict=True)]
        (folder / f"{name}.csv").write_text("customer_id,item_id\n" + "\n".join(lines) + "\n")
    return folder


def _run(*args):
    return CliRunner().invoke(main, ["evaluate", "recommend", *map(str, args)])


def _ask(files, *args, form="npz"):
    found = _run(
        "--train", files / f"train.{form}", "--test", files / f"test.{form}", "--json", *args
    )
    assert found.exit_code == 0, found.output
    return json.loads(found.stdout)


def test_the_report_has_every_metric_with_its_interval_and_model_beside_model(files):
    answer = _ask(files, "--at", "5,10", "--seconds", "20")
    assert answer["model"] != "popularity"
    assert {"popularity", "item_cosine"} <= {answer["model"], *answer["models"]}
    for model in (answer, *answer["models"].values()):
        for name in ("recall", "ndcg", "hit_rate", "mrr", "map", "coverage", "novelty"):
            for at in (5, 10):
                measure = model[f"{name}@{at}"]
                assert measure["low"] <= measure["value"] <= measure["high"]
        assert 0 <= model["diversity@5"]["value"] <= 1
        assert 0 <= model["calibration@5"]["value"] <= 1
        assert model["fit_seconds"] >= 0
        assert model["customers_per_second"] > 0
    over = answer["over_popularity"]["ndcg@10"]
    popular = answer["models"]["popularity"]["ndcg@10"]["value"]
    assert over["value"] == pytest.approx(answer["ndcg@10"]["value"] - popular)
    assert over["low"] > 0  # two tastes: popularity cannot tell them apart
    assert answer["peak_memory_mb"] > 0
    test = sparse.load_npz(files / "test.npz")
    assert answer["customers"] == (test.getnnz(axis=1) > 0).sum()
    assert answer["test_items"] == test.nnz


def test_a_model_by_name_gives_the_same_numbers_from_a_matrix_and_from_text(files):
    first = _ask(files, "--model", "popularity", "--at", "10")
    second = _ask(files, "--model", "popularity", "--at", "10", form="csv")
    assert first["model"] == second["model"] == "popularity"
    # item order breaks ties of popularity, so the lists may differ a little; the counts may not
    assert first["customers"] == second["customers"]
    assert first["test_items"] == second["test_items"]
    assert first["train_events"] == second["train_events"]


def test_seen_items_come_back_only_when_asked_for(files):
    without = _ask(files, "--model", "item_cosine", "--at", "10")
    with_seen = _ask(files, "--model", "item_cosine", "--at", "10", "--include-seen")
    assert with_seen["recall@10"]["value"] < without["recall@10"]["value"]


def test_a_history_counts_when_serving(files, tmp_path):
    test = sparse.load_npz(files / "test.npz").toarray()
    strangers = np.zeros((2 * N_CUSTOMERS, N_ITEMS))
    strangers[N_CUSTOMERS:] = test  # customers nobody has learnt from
    sparse.save_npz(tmp_path / "test.npz", sparse.csr_matrix(strangers))
    train = sparse.load_npz(files / "train.npz").toarray()
    known = np.zeros_like(strangers)
    known[N_CUSTOMERS:] = train
    sparse.save_npz(tmp_path / "history.npz", sparse.csr_matrix(known))
    args = ["--train", files / "train.npz", "--test", tmp_path / "test.npz", "--json"]
    args += ["--model", "item_cosine", "--at", "10"]
    without = json.loads(_run(*args).stdout)
    with_it = json.loads(_run(*args, "--history", tmp_path / "history.npz").stdout)
    assert with_it["recall@10"]["value"] > without["recall@10"]["value"] + 0.1
    assert any("no history" in note for note in without["notes"])


def test_the_table_for_people_names_the_choice_and_every_model(files):
    found = _run(
        "--train", files / "train.npz", "--test", files / "test.npz", "--model", "rp3beta",
        "--seconds", "5",
    )  # fmt: skip
    assert found.exit_code == 0, found.output
    assert "rp3beta (chosen)" in found.stdout
    assert "popularity" in found.stdout
    assert "recall@20" in found.stdout


def test_each_step_is_told_beside_the_answer_and_json_is_alone(files, monkeypatch):
    monkeypatch.setattr(report, "_SILENT", 0.0)
    monkeypatch.setattr(evaluation, "_CELLS", 20 * N_ITEMS)  # twenty customers at a time
    args = ("--train", files / "train.npz", "--test", files / "test.npz", "--seconds", "0.000001")
    told = [line.strip() for line in _run(*args).stderr.splitlines()]
    first = ["holding a part of train back", "trying popularity", "trying item_cosine"]
    assert told[:3] == first
    at = told.index("fitting item_cosine")
    assert told[at + 1].startswith("measuring item_cosine, fitted in ")
    assert told[at + 2].startswith("item_cosine: 20 of ")
    assert told[at + 3].startswith("item_cosine: 40 of ")
    assert not _run(*args, "--json").stderr


def test_a_budget_of_no_time_is_for_the_two_baselines_and_names_what_was_skipped(files):
    answer = _ask(files, "--seconds", "0.000001")
    assert answer["model"] == "item_cosine"
    assert "graph" in answer["skipped"]
    assert {trial["model"] for trial in answer["trials"]} == {"popularity", "item_cosine"}


@pytest.mark.parametrize("name", ["graph", "ease", "slim", "als", "user_tfidf", "p3alpha"])
def test_every_kind_of_model_can_be_named(files, name):
    answer = _ask(files, "--model", name, "--at", "10", "--seconds", "20")
    assert answer["model"] == name
    assert answer["over_popularity"]["ndcg@10"]["value"] > 0


def test_a_blend_cannot_be_asked_for_by_name(files):
    found = _run(
        "--train", files / "train.npz", "--test", files / "test.npz", "--model", "blend", "--json"
    )  # fmt: skip
    assert found.exit_code == 2
    assert "auto" in json.loads(found.stdout)["error"]["message"]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--at", "0"], "list lengths"),
        (["--at", "ten"], "list lengths"),
        (["--at", "99999999"], "list lengths"),
        (["--seconds", "0"], "seconds"),
        (["--model", "item_cosin"], "did you mean 'item_cosine'"),
        (["--history", "nowhere.csv"], "no file"),
    ],
)
def test_mistakes_are_told_in_a_sentence(files, args, words):
    base = ["--train", files / "train.npz", "--test", files / "test.npz", "--json"]
    found = _run(*base, *args)
    assert found.exit_code == 2
    assert words in json.loads(found.stdout)["error"]["message"]


@pytest.mark.parametrize(
    ("train", "test", "model"),
    [
        ("1,a\n", "1,b\n", "popularity"),
        ("1,a\n1,b\n2,a\n", "2,b\n", "ease"),
        ("1,a\n1,a\n1,a\n1,b\n", "9,zz\n", "ease"),
        ("\n".join(f"{n},x" for n in range(50)) + "\n", "3,y\n4,y\n", "popularity"),
    ],
)
def test_tiny_data_take_a_model_that_needs_little_and_say_so(tmp_path, train, test, model):
    for name, text in (("train", train), ("test", test)):
        (tmp_path / f"{name}.csv").write_text("customer_id,item_id\n" + text)
    found = _run("--train", tmp_path / "train.csv", "--test", tmp_path / "test.csv", "--json")
    assert found.exit_code == 0, found.output
    answer = json.loads(found.stdout)
    assert answer["model"] == model
    assert "too small" in answer["why"]
    assert answer["recall@20"]["value"] is not None


@pytest.mark.parametrize("moment", [lambda row: 86_400 * row, lambda _row: 1_700_000_000])
def test_one_moment_a_customer_is_no_order_and_models_are_compared_all_the_same(
    files, tmp_path, moment
):
    lines = (files / "train.csv").read_text().splitlines()
    timed = [f"{line},{moment(int(line[1 : line.index(',')]))}" for line in lines[1:]]
    (tmp_path / "train.csv").write_text("\n".join([lines[0] + ",timestamp", *timed]) + "\n")
    base = ("--train", tmp_path / "train.csv", "--test", files / "test.csv", "--json")
    found = _run(*base, "--seconds", "5")
    assert found.exit_code == 0, found.output
    answer = json.loads(found.stdout)
    assert answer["trials"]
    assert answer["over_popularity"]["ndcg@10"]["low"] > 0
    assert not answer["timed"]
    assert any("single timestamp" in note for note in answer["notes"])
    asked = json.loads(_run(*base, "--model", "trending", "--seconds", "1").stdout)
    assert asked["timed"]  # a model of times has them where it is asked for


def test_eighteen_customers_of_two_tastes_are_served_by_taste(files, tmp_path):
    for name in ("train", "test"):
        lines = (files / f"{name}.csv").read_text().splitlines()
        few = [line for line in lines[1:] if int(line[1 : line.index(",")]) < 18]
        (tmp_path / f"{name}.csv").write_text("\n".join([lines[0], *few]) + "\n")
    found = _run("--train", tmp_path / "train.csv", "--test", tmp_path / "test.csv", "--json")
    answer = json.loads(found.stdout)
    assert answer["model"] == "ease"
    assert "too small" in answer["why"]
    assert answer["over_popularity"]["ndcg@10"]["low"] > 0


def test_one_item_for_everybody_is_measured_in_silence(tmp_path, recwarn):
    for name, times in (("train", 3), ("test", 1)):
        rows = "".join(f"{row},1,{moment}\n" for row in range(40) for moment in range(times))
        (tmp_path / f"{name}.csv").write_text("customer_id,item_id,timestamp\n" + rows)
    base = ("--train", tmp_path / "train.csv", "--test", tmp_path / "test.csv", "--json")
    for more in ((), ("--include-seen",)):
        found = _run(*base, "--seconds", "20", *more)
        assert found.exit_code == 0, found.output
        assert not [str(warning.message) for warning in recwarn]


def test_a_time_that_is_no_number_is_refused(files):
    wrong = _run("--train", files / "train.npz", "--test", files / "test.npz", "--seconds", "nan")
    assert wrong.exit_code == 2, wrong.output
