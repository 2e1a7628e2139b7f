"""Models as files: what goes in comes out, whole or not at all, and damage is named."""

from pathlib import Path

import lightgbm
import numpy as np
import pyarrow as pa
import pytest
from scipy.sparse import csr_array, random_array
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from lingxi.clock import FixedClock
from lingxi.errors import CorruptArtefact, InvalidInput, UnknownModel
from lingxi.i18n import Sentence
from lingxi.store import Artefact, Artefacts, CandidateRecord, Manifest, MeasureRecord


@pytest.fixture
def artefacts(tmp_path: Path, clock: FixedClock) -> Artefacts:
    return Artefacts(tmp_path / "artefacts", clock)


def current(artefacts: Artefacts, kind: str = "model") -> Artefact:
    found = artefacts.current(kind)
    assert found is not None
    return found


def test_every_form_comes_back(artefacts: Artefacts) -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(200, 3)), rng.integers(0, 2, 200)
    booster = lightgbm.train(
        {"objective": "binary", "verbose": -1}, lightgbm.Dataset(x, y), num_boost_round=3
    )
    matrix = csr_array(random_array((6, 4), density=0.5, rng=rng))
    table = pa.table({"a": [1, 2], "b": ["x", None]})
    with artefacts.write("model") as writer:
        writer.save_array("scores", np.arange(6, dtype=np.float32).reshape(2, 3))
        writer.save_csr("weights", matrix)
        writer.save_lightgbm("booster", booster)
        writer.save_json("levels", {"low": 0.1})
        writer.save_table("rows", table)
    model = current(artefacts)
    scores = model.load_array("scores", np.float32)
    assert isinstance(scores, np.memmap)
    assert scores.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert not isinstance(model.load_array("scores", mmap=False), np.memmap)
    assert (model.load_csr("weights").toarray() == matrix.toarray()).all()
    assert np.array_equal(model.load_lightgbm("booster").predict(x), booster.predict(x))
    assert model.load_json("levels", dict[str, float]) == {"low": 0.1}
    assert model.load_table("rows") == table
    with pytest.raises(CorruptArtefact, match="float32"):
        model.load_array("scores", np.int64)


@pytest.mark.parametrize(
    "estimator",
    [
        LogisticRegression(),
        DecisionTreeClassifier(max_depth=3),
        RandomForestClassifier(5),
        SVC(),
        HistGradientBoostingClassifier(max_iter=3),
        Ridge(),
        IsotonicRegression(out_of_bounds="clip"),
        make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression()),
        CalibratedClassifierCV(LogisticRegression(), method="isotonic", cv=3),
        CalibratedClassifierCV(RandomForestClassifier(3), method="sigmoid", cv=3),
        make_pipeline(
            ColumnTransformer([("n", StandardScaler(), [0, 1]), ("c", OneHotEncoder(), [2])]),
            LogisticRegression(),
        ),
    ],
    ids=lambda e: type(e).__name__ if not hasattr(e, "steps") else "pipeline",
)
def test_estimators_come_back_without_pickle(
    artefacts: Artefacts, estimator: BaseEstimator
) -> None:
    rng = np.random.default_rng(2)
    x = np.column_stack([rng.normal(size=(90, 2)), rng.integers(0, 3, 90)])
    y = (x[:, 0] + rng.normal(size=90) > 0).astype(int)
    if isinstance(estimator, IsotonicRegression):
        x = x[:, 0]
    estimator.fit(x, y)
    with artefacts.write("model") as writer:
        writer.save_skops("estimator", estimator)
    loaded = current(artefacts).load_skops("estimator")
    assert np.array_equal(loaded.predict(x), estimator.predict(x))


class Stranger(BaseEstimator):
    """Not on the list."""


def test_a_type_that_is_not_trusted_is_refused(artefacts: Artefacts) -> None:
    with pytest.raises(InvalidInput, match="Stranger"), artefacts.write("model") as writer:
        writer.save_skops("estimator", Stranger())
    assert artefacts.current("model") is None


def test_arrays_of_objects_are_refused(artefacts: Artefacts) -> None:
    with pytest.raises(InvalidInput, match="objects"), artefacts.write("model") as writer:
        writer.save_array("names", np.array(["a", None], dtype=object))


def test_the_manifest_tells_where_the_model_came_from(
    artefacts: Artefacts, clock: FixedClock
) -> None:
    candidate = CandidateRecord("tree", True, False, (MeasureRecord("auc", 0.74, 0.73, 0.75),), 1.5)
    given = Manifest(
        chosen="tree",
        why=Sentence("learning.why.best", {"n": 3}),
        data_to=clock.now(),
        cutoffs=(clock.now(),),
        events=7,
        candidates=(candidate,),
    )
    with artefacts.write("churn") as writer:
        writer.save_json("x", [1])
        writer.manifest = given
    (kept,) = artefacts.list()
    assert (kept.kind, kept.version, kept.active, kept.created_at) == (
        "churn",
        "000001",
        True,
        clock.now(),
    )
    assert (kept.candidates, kept.why, kept.cutoffs, kept.events) == (
        (candidate,),
        given.why,
        given.cutoffs,
        7,
    )
    assert list(kept.files) == ["x.json"]


def test_a_failed_write_is_never_seen(artefacts: Artefacts) -> None:
    def fail() -> None:
        with artefacts.write("model") as writer:
            writer.save_json("x", 2)
            raise ZeroDivisionError

    with artefacts.write("model") as writer:
        writer.save_json("x", 1)
    with pytest.raises(ZeroDivisionError):
        fail()
    assert current(artefacts).load_json("x") == 1
    assert {p.name for p in (artefacts.folder / "model").iterdir()} == {"000001", "current"}


def test_versions_switch_roll_back_and_are_pruned(artefacts: Artefacts) -> None:
    for n in range(1, 6):
        with artefacts.write("model") as writer:
            writer.save_json("n", n)
    assert current(artefacts).load_json("n") == 5
    assert artefacts.rollback("model").version == "000004"
    assert artefacts.rollback("model").version == "000003"
    assert artefacts.prune("model", 1) == ("000004", "000002", "000001")
    assert [(m.version, m.active) for m in artefacts.list("model")] == [
        ("000005", False),
        ("000003", True),
    ]
    with pytest.raises(UnknownModel):
        artefacts.rollback("model")
    artefacts.activate("model", "000005")
    with artefacts.write("model") as writer:
        writer.save_json("n", 6)
    assert current(artefacts).manifest.version == "000006"
    for name in ("000004", "..", "nonsense"):
        with pytest.raises(UnknownModel):
            artefacts.activate("model", name)


@pytest.mark.parametrize("damage", ["change", "cut", "remove", "manifest"])
def test_damage_is_found_and_named(artefacts: Artefacts, damage: str) -> None:
    with artefacts.write("model") as writer:
        writer.save_array("scores", np.arange(100.0))
    place = artefacts.folder / "model" / "000001" / "scores.npy"
    content = bytearray(place.read_bytes())
    if damage == "change":
        content[-1] ^= 1
        place.write_bytes(content)
    elif damage == "cut":
        place.write_bytes(content[:-8])
    elif damage == "remove":
        place.unlink()
    else:
        place = place.with_name("manifest.json")
        place.write_bytes(b"{")
    with pytest.raises(CorruptArtefact, match=place.name):
        current(artefacts).load_array("scores")


def test_names_cannot_leave_the_folder(artefacts: Artefacts) -> None:
    with pytest.raises(InvalidInput), artefacts.write("../x"):
        raise AssertionError
    with pytest.raises(InvalidInput), artefacts.write("model") as writer:
        writer.save_json("../../x", 1)
