"""The recommender without a shop: on matrices and frames, in the manner of scikit-learn."""

import doctest
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pandas.testing import assert_frame_equal
from scipy import sparse
from sklearn.base import clone

from lingxi.errors import FileUnreadable, InvalidInput, NotTrained, UnknownColumn
from lingxi.recommend import RecommenderModel
from lingxi.recommend.families import FAMILIES

FREE = [
    name
    for name, family in FAMILIES.items()
    if family.available
    and not (family.timed or family.composed or family.described or family.grouped)
]


def two_tastes(n: int = 80, seed: int = 3) -> sparse.csr_array:
    """Customers who take six of the items 0-14 or of 15-29, no more than a chance of the others."""
    rng = np.random.default_rng(seed)
    table = np.zeros((n, 30))
    for row in range(n):
        first = 15 * (row % 2)
        table[row, first + rng.permutation(15)[:6]] = 1
    return sparse.csr_array(table)


def to_frame(matrix: sparse.csr_array) -> pd.DataFrame:
    rows, columns = matrix.nonzero()
    start = pd.Timestamp("2026-01-01", tz="UTC")
    return pd.DataFrame(
        {
            "customer_id": [f"c{row}" for row in rows],
            "item_id": [f"i{column}" for column in columns],
            "timestamp": start + pd.to_timedelta(np.arange(len(rows)) % 90, unit="D"),
        }
    )


@pytest.mark.parametrize("form", ["csr", "array", "list"])
def test_every_form_of_a_matrix_gives_the_same(form: str) -> None:
    matrix = two_tastes()
    dense = matrix.toarray()
    given = {"csr": matrix, "array": dense, "list": dense.tolist()}[form]
    found = RecommenderModel("item_cosine").fit(given).recommend([0, 1], n=5)
    assert found.customer_id.tolist() == [0] * 5 + [1] * 5
    assert found["rank"].tolist() == [1, 2, 3, 4, 5] * 2
    assert all(
        (item < 15) == (who == 0)
        for who, item in zip(found.customer_id, found.item_id, strict=True)
    )
    seen = set(np.flatnonzero(dense[0]))
    assert not seen & set(found[found.customer_id == 0].item_id)


@pytest.mark.parametrize("name", [name for name in FREE if name != "item_adjusted_cosine"])
def test_every_model_finds_the_taste_and_explains_its_score_exactly(name: str) -> None:
    # adjusted cosine compares ratings; in a matrix of ones and noise it finds no taste
    model = RecommenderModel(name).fit(two_tastes())
    found = model.recommend([4], n=3)
    assert len(found) == 3
    if name == "popularity":
        return
    assert all(item < 15 for item in found.item_id)
    for item, score in zip(found.item_id, found.score, strict=True):
        reasons = model.explain(4, item)
        # a score is a float32: at 100 two neighbours are 7.6e-6 apart, so above 1 it is a share
        assert reasons.contribution.sum() == pytest.approx(score, rel=1e-6, abs=1e-6)
        assert reasons.contribution.abs().is_monotonic_decreasing


def test_a_frame_keeps_its_own_ids_and_knows_the_order() -> None:
    frame = to_frame(two_tastes())
    model = RecommenderModel("item_cosine", params={"history_half_life": 5.0}).fit(frame)
    assert model.taught_.timed
    found = model.recommend(["c0"], n=4)
    assert set(found.columns) == {"customer_id", "rank", "item_id", "score"}
    assert all(int(item[1:]) < 15 for item in found.item_id)
    same = RecommenderModel("item_cosine", params={"history_half_life": 5.0}).fit(
        pa.Table.from_pandas(frame)
    )
    assert same.recommend(["c0"], n=4).equals(found)


class Stream:
    """A frame of another library, as polars' are: Arrow can read it, and NumPy too."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self.table.__arrow_c_stream__(requested_schema)

    def __array__(self, dtype: object = None, copy: bool | None = None) -> np.ndarray:
        return np.column_stack([column.to_numpy() for column in self.table.columns])


def test_frames_of_other_libraries_are_read_as_events_and_not_as_a_table_of_numbers() -> None:
    # a frame of polars was taken for a matrix of customers by the columns' numbers
    frame = to_frame(two_tastes())
    frame = frame.assign(
        customer_id=frame.customer_id.str[1:].astype(int), item_id=frame.item_id.str[1:].astype(int)
    )
    wanted = RecommenderModel("item_cosine").fit(frame).recommend([3], n=5)
    table = pa.Table.from_pandas(frame, preserve_index=False)
    for given in (Stream(table), table, table.combine_chunks().to_batches()[0]):
        found = RecommenderModel("item_cosine").fit(given).recommend([3], n=5)
        assert_frame_equal(found, wanted)
    about = pa.table({"item_id": range(30), "category": ["a", "b"] * 15})
    content = RecommenderModel("content").fit(Stream(table), items=Stream(about))
    assert {item % 2 for item in content.similar(4, n=3).item_id} == {0}


def test_ids_of_texts_and_numbers_as_spreadsheets_give_them_are_read() -> None:
    frame = to_frame(two_tastes()).assign(weight=1.0)
    numbered = frame.item_id.str[1:].astype(int)
    mixed = frame.assign(item_id=[n if n % 2 else f"{n}" for n in numbered])
    found = RecommenderModel("item_cosine").fit(mixed)
    wanted = RecommenderModel("item_cosine").fit(frame.assign(item_id=numbered.astype(str)))
    assert_frame_equal(found.recommend(n=3), wanted.recommend(n=3))
    assert found.similar(7, n=2).item_id.tolist() == wanted.similar("7", n=2).item_id.tolist()
    uneven = frame.assign(weight=["much" if n % 2 else 1 for n in numbered])
    with pytest.raises(InvalidInput, match="weight"):
        RecommenderModel("item_cosine").fit(uneven)
    holed = mixed.assign(item_id=mixed.item_id.where(mixed.index > 0))
    with pytest.raises(InvalidInput, match="no item_id, the first is row 1"):
        RecommenderModel("item_cosine").fit(holed)


def test_one_moment_a_customer_is_no_order_for_auto() -> None:
    frame = to_frame(two_tastes())
    frame["timestamp"] = pd.Timestamp("2026-01-01")
    model = RecommenderModel(seconds=3).fit(frame)
    assert len(model.trials_) > 3
    named = RecommenderModel("trending").fit(frame)
    assert named.taught_.timed


def test_auto_compares_and_says_why() -> None:
    model = RecommenderModel(seconds=5).fit(two_tastes())
    assert model.recipe_.name != "popularity"
    assert {trial.recipe.name for trial in model.trials_} >= {"popularity", "item_cosine"}
    assert "held back" in model.why_
    assert model.score(two_tastes(seed=4)) > RecommenderModel("popularity").fit(two_tastes()).score(
        two_tastes(seed=4)
    )


def test_somebody_new_is_served_from_what_they_just_met() -> None:
    model = RecommenderModel("item_cosine").fit(to_frame(two_tastes()))
    for history, low in ((["i3", "i4"], True), (["i20", "no such item"], False)):
        found = model.recommend_to(history, n=4)
        assert all((int(item[1:]) < 15) == low for item in found.item_id)
        assert not set(history) & set(found.item_id)
        first = found.iloc[0]
        given = model.explain(history, first.item_id)
        assert given.contribution.sum() == pytest.approx(first.score, abs=1e-6)
    assert model.similar("i3", n=5).item_id.map(lambda item: int(item[1:]) < 15).all()


def test_scikit_learn_clones_it_and_sets_its_parameters() -> None:
    model = RecommenderModel("rp3beta", params={"k": 30}, seconds=3)
    twin = clone(model)
    assert twin is not model
    assert twin.get_params() == model.get_params()
    assert twin.set_params(model="item_cosine", params=None).model == "item_cosine"
    assert twin.fit(two_tastes()).recipe_.name == "item_cosine"


@pytest.mark.parametrize("name", FREE)
def test_what_was_saved_comes_back_the_same(tmp_path: Path, name: str) -> None:
    model = RecommenderModel(name).fit(to_frame(two_tastes()))
    model.save(tmp_path / "model")
    model.save(tmp_path / "model")  # in place of the first
    back = RecommenderModel.load(tmp_path / "model")
    assert back.get_params() == model.get_params()
    off = 1e-6 if name == "graph" else 0.0  # stored as one float32 operator, not as its factors
    compare = partial(assert_frame_equal, check_exact=not off, rtol=0.0, atol=off)
    compare(back.recommend(["c0", "c7"]), model.recommend(["c0", "c7"]))
    item = model.recommend(["c0"], n=1).item_id[0]
    compare(back.explain("c0", item), model.explain("c0", item))
    assert not list((tmp_path / "model").rglob("*.pkl"))


def test_seen_items_are_recommended_only_where_that_is_asked_for() -> None:
    matrix = two_tastes()
    again = RecommenderModel("item_cosine", include_seen=True).fit(matrix).recommend([0], n=30)
    assert set(np.flatnonzero(matrix.toarray()[0])) <= set(again.item_id)


def test_what_cannot_be_is_said() -> None:
    with pytest.raises(NotTrained):
        RecommenderModel("item_cosine").recommend()
    with pytest.raises(InvalidInput, match="item_cosine"):
        RecommenderModel("item_cosin").fit(two_tastes())
    with pytest.raises(InvalidInput, match="no parameter"):
        RecommenderModel("item_cosine", params={"neighbours": 5}).fit(two_tastes())
    with pytest.raises(UnknownColumn):
        RecommenderModel().fit(pd.DataFrame({"customer": [1], "item_id": [2]}))
    model = RecommenderModel("user_cosine").fit(two_tastes())
    with pytest.raises(InvalidInput, match="No customer"):
        model.recommend([999])
    with pytest.raises(InvalidInput, match="No item"):
        model.explain(0, 999)
    with pytest.raises(InvalidInput, match="alike"):
        model.similar(0)
    with pytest.raises(InvalidInput):
        model.recommend([0], n=0)


def test_one_id_is_one_id_and_not_its_letters() -> None:
    model = RecommenderModel("item_cosine").fit(to_frame(two_tastes()))
    assert_frame_equal(model.recommend("c1"), model.recommend(["c1"]))
    assert_frame_equal(model.recommend_to("i3"), model.recommend_to(["i3"]))
    assert model.recommend_to("i3").score.max() > 0
    numbered = RecommenderModel("item_cosine").fit(two_tastes())
    for one in (4, 4.0, np.int32(4), "4"):  # a data frame with gaps has floats
        assert_frame_equal(numbered.recommend(one), numbered.recommend([4]))
        assert_frame_equal(numbered.explain(one, 1.0), numbered.explain(4, 1))


@pytest.mark.parametrize("name", FREE)
def test_a_table_of_nothing_is_learnt_in_silence(
    name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    found = RecommenderModel(name).fit(np.zeros((3, 3))).recommend(n=1)
    assert found.score.tolist() == [0.0] * 3
    assert "".join(capfd.readouterr()) == ""  # LAPACK wrote to the terminal


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable):
        RecommenderModel.load(tmp_path)


def test_the_page_shows_what_happens() -> None:
    page = Path(__file__).parents[2] / "docs" / "python.md"
    options = doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL
    found = doctest.testfile(str(page), module_relative=False, optionflags=options)
    assert (found.failed, found.attempted > 10) == (0, True)


ITEMS = pd.DataFrame(
    {
        "item_id": [*(f"i{n}" for n in range(30)), "new"],
        "category": ["Home > Lamps" if n < 15 else "Tea" for n in range(30)] + ["Tea"],
        "price": [9.5] * 30 + [None],
        "colour": ["red", None] * 15 + ["blue"],
    }
)


@pytest.mark.parametrize("form", [pd.DataFrame, pa.Table.from_pandas])
def test_content_knows_items_that_nobody_met_by_what_they_are(
    form: Callable[[pd.DataFrame], pd.DataFrame | pa.Table], tmp_path: Path
) -> None:
    events = to_frame(two_tastes())
    model = RecommenderModel("content").fit(events, items=form(ITEMS))
    assert "new" in model.recommend_to(["i20"], n=15).item_id.tolist()
    assert "new" not in model.recommend_to(["i3"], n=14).item_id.tolist()
    model.save(tmp_path)
    again = RecommenderModel.load(tmp_path)
    assert_frame_equal(again.recommend(["c1"], n=5), model.recommend(["c1"], n=5))
    shares = RecommenderModel("category_popularity").fit(events, items=ITEMS)
    assert set(shares.recommend_to(["i3"], n=5).item_id) <= {f"i{n}" for n in range(15)}


@pytest.mark.parametrize(
    ("name", "items", "told"),
    [
        ("content", None, "fit\\(data, items=frame\\)"),
        ("category_popularity", None, "fit\\(data, items=frame\\)"),
        ("blend", None, "is made by auto"),
        ("ranker", None, "is made by auto"),
        ("content", pd.DataFrame({"item_id": ["i1"], "price": ["dear"]}), "price of item 'i1'"),
        ("content", pd.DataFrame({"item_id": [None], "name": ["x"]}), "has no item_id"),
    ],
)
def test_a_model_that_cannot_be_fitted_by_its_name_says_what_to_do(
    name: str, items: pd.DataFrame | None, told: str
) -> None:
    with pytest.raises(InvalidInput, match=told):
        RecommenderModel(name).fit(to_frame(two_tastes()), items=items)


def test_items_of_a_table_are_its_columns() -> None:
    about = pd.DataFrame({"item_id": range(30), "category": ["a"] * 15 + ["b"] * 15})
    found = RecommenderModel("content").fit(two_tastes(), items=about).recommend_to([3], n=5)
    assert set(found.item_id) <= set(range(15))
    with pytest.raises(InvalidInput, match="no column '30'"):
        RecommenderModel("content").fit(two_tastes(), items=pd.DataFrame({"item_id": [30]}))
    with pytest.raises(UnknownColumn, match="item_id"):
        RecommenderModel("content").fit(two_tastes(), items=pd.DataFrame({"id": [1]}))


@pytest.mark.parametrize("form", [pd.DataFrame, pa.Table.from_pandas])
def test_whole_numbers_come_back_as_whole_numbers(
    form: Callable[[pd.DataFrame], pd.DataFrame | pa.Table], tmp_path: Path
) -> None:
    events = to_frame(two_tastes())
    events["item_id"] = events["item_id"].str.removeprefix("i").astype("int64")
    model = RecommenderModel("item_cosine").fit(form(events))
    model.save(tmp_path)
    for each in (model, RecommenderModel.load(tmp_path)):
        found = each.recommend(["c1"], n=3)
        assert found["item_id"].dtype.kind == "i"
        assert found["customer_id"].tolist() == ["c1"] * 3
        assert len(found.merge(events[["item_id"]].drop_duplicates(), on="item_id")) == 3


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"seconds": 0}, "seconds must be above 0"),
        ({"model": "ease", "params": {"reg": float("nan")}}, "must be a number"),
        ({"model": "rp3beta", "params": {"k": -3}}, "k of rp3beta must be at least 1"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict, told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        RecommenderModel(**settings).fit(two_tastes())
    with pytest.raises(InvalidInput, match="whole number of at least 1"):
        RecommenderModel("popularity").fit(two_tastes()).recommend([0], n=1.5)
