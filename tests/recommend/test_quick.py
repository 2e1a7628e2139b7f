"""One history against an operator gives what the whole product gives, to the last bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from lingxi.profiles.read import CountColumns
from lingxi.recommend import kernels, largest, scratch
from lingxi.recommend import standing as standings
from lingxi.recommend.blend import Blend
from lingxi.recommend.families import build_scorer, make_recipe
from lingxi.recommend.histories import NOBODY, Histories
from lingxi.recommend.history import Weighting
from lingxi.recommend.largest import Spread, list_largest, sort_best
from lingxi.recommend.lists import top_items
from lingxi.recommend.matrix import build_csr, densify_scores, scale, sum_pairs, transpose
from lingxi.recommend.model import Model
from lingxi.recommend.past import Past
from lingxi.recommend.quick import QuickModel, Voice
from lingxi.recommend.remembered import Remembered
from lingxi.recommend.rules import Candidate, RuleSettings, find_rule
from lingxi.recommend.standing import Standing

N_ITEMS = 40
WEIGHTINGS = (
    Weighting(),
    Weighting(half_life_days=9.0, repeats="linear"),
    Weighting(position_decay=0.8, repeats="once"),
)


def _model(seed: int, weighting: Weighting) -> Model:
    rng = np.random.default_rng(seed)
    rows, items = rng.integers(0, 60, 500), rng.integers(0, N_ITEMS, 500)
    taught = Histories.of_matrix(sum_pairs(rows, items, np.ones(500), (60, N_ITEMS)))
    scorer = build_scorer(make_recipe("rp3beta", {"k": 12}))
    scorer.fit(taught)
    scorer.heard = weighting
    return Model(make_recipe("rp3beta"), scorer, rng.random(N_ITEMS) + 0.5)


_rows = st.dictionaries(
    st.integers(0, N_ITEMS + 4),
    st.tuples(
        st.integers(0, 9), st.integers(0, 3), st.integers(0, 3), st.integers(1, 6 * 10**11)
    ).filter(lambda row: any(row[:3])),
    max_size=30,
)


def _blend(seed: int, *weightings: Weighting) -> Model:
    """Parts that hear in these ways; something speaks against items."""
    parts = [_model(seed + at, weighting).scorer for at, weighting in enumerate(weightings)]
    for part in parts[1:]:
        cells = part.operator.data * np.where(np.arange(len(part.operator.data)) % 3, 1, -2)
        part.operator = scale(part.operator, cells.astype(np.float32))
        part.columns = transpose(part.operator)
    shares = [0.7 + at for at in range(len(parts))]
    trend = np.random.default_rng(seed).random(N_ITEMS) + 0.5
    return Model(make_recipe("rp3beta"), Blend("blend", parts, shares), trend)


MODELS = (
    *(_model(at, weighting) for at, weighting in enumerate(WEIGHTINGS)),
    _blend(5, WEIGHTINGS[0]),
    _blend(6, *WEIGHTINGS),
    _blend(7, WEIGHTINGS[1], WEIGHTINGS[1]),
)


def _score_whole(model: Model, past: Past) -> np.ndarray:
    """Scores by whole products, in the arithmetic of ``Model.score``; neighbouring parts that speak
    against nothing are one product, so that nothing is rounded between them."""
    scorer = model.scorer
    parts = scorer.parts if isinstance(scorer, Blend) else (scorer,)
    shares = scorer.shares if isinstance(scorer, Blend) else (1.0,)
    groups: list[list[tuple]] = []
    for part, share in zip(parts, shares, strict=True):
        items, weights = past.weigh(part.heard)
        weighed = past.to_histories(NOBODY, N_ITEMS).weigh(part.heard)
        assert items.tolist() == weighed.indices.tolist()
        assert weights == pytest.approx(weighed.data, rel=1e-14)
        row = build_csr(weights * share, items, np.array([0, len(items)]), (1, N_ITEMS))
        against = part.operator.data.min() < 0
        if groups and not against and not groups[-1][-1][2]:
            groups[-1].append((row, part.operator, against))
        else:
            groups.append([(row, part.operator, against)])
    said = [
        densify_scores(
            sparse.hstack([row for row, _, _ in own]).tocsr()
            @ sparse.vstack([operator for _, operator, _ in own]).tocsr().astype(np.float64)
        )[0]
        for own in groups
    ]
    whole = said[0]
    if isinstance(scorer, Blend):
        whole = np.zeros(N_ITEMS, dtype=np.float32)
        for each in said:
            whole += np.maximum(each, np.float32(0))
    whole = whole * model.trend.astype(np.float32)
    assert whole == pytest.approx(model.score(past.to_histories(NOBODY, N_ITEMS))[0], rel=1e-5)
    return whole


@pytest.mark.parametrize("wide", [False, True])
@settings(max_examples=60, deadline=None)
@given(
    rows=_rows,
    looked=st.lists(st.integers(0, N_ITEMS + 9), max_size=4, unique=True),
    which=st.integers(0, len(MODELS) - 1),
    n=st.integers(1, N_ITEMS + 3),
)
def test_the_quick_road_gives_what_scoring_everything_gives(wide, rows, looked, which, n):
    model = MODELS[which]
    asked = QuickModel.of(model)
    index = {f"i{at}": at for at in range(N_ITEMS + 3)}  # the last three came after training
    told = CountColumns.of([(f"i{at}", *row) for at, row in rows.items()])
    past = Past.read(told, index, N_ITEMS, [f"i{at}" for at in looked])
    whole = _score_whole(model, past)
    voices = [Voice.of(*past.weigh(heard), None) for heard in asked.hearings]
    rules = RuleSettings()
    barred = past.find_barred(rules)
    with pytest.MonkeyPatch.context() as patch:
        if wide:  # as in a large catalogue, of which a history touches little
            patch.setattr(scratch, "_NARROW", 0)
            patch.setattr(scratch, "_SPARSE", 0)
        spread = asked.spread(voices)
        standing = Standing(past, model, asked, np.ones(N_ITEMS), personal=True, row=NOBODY)
        opened = np.ones(N_ITEMS + 3, dtype=np.bool_)
        listed = standing.choose(opened, rules, n)
        row = asked.list_row(voices, asked.trend, barred, n)
    found = np.zeros(N_ITEMS, dtype=np.float32)
    met = spread.scores != 0
    found[spread.items[met]] = spread.scores[met]
    assert len(set(spread.items[met].tolist())) == met.sum()
    assert found.tolist() == whole.tolist()
    whole[barred[barred < N_ITEMS]] = -np.inf
    whole[whole <= 0] = -np.inf
    assert listed == [at for at in top_items(whole[None, :], n)[0].tolist() if at >= 0]
    assert row.listed.tolist() == listed
    if listed:
        _check_reasons(model, past, voices, np.array(listed), row)


def _check_reasons(model: Model, past: Past, voices, listed, row) -> None:
    asked = QuickModel.of(model)
    given_terms = model.explain(past.to_histories(NOBODY, N_ITEMS), listed[None, :]).toarray()
    whole = _score_whole(model, past)
    causes, table = asked.find_table(voices, listed)
    terms = list_largest(table, len(causes))
    of_row = np.zeros((len(listed), N_ITEMS))
    np.add.at(of_row, (row.places, row.causes), row.terms)
    assert len(set(zip(row.places.tolist(), row.causes.tolist(), strict=True))) == len(row.terms)
    assert of_row == pytest.approx(given_terms, rel=1e-12, abs=1e-15)
    for (total, support, most), row, at in zip(terms, given_terms, listed, strict=True):
        assert total == pytest.approx(row.sum(), rel=1e-12)
        assert support == pytest.approx(row[row > 0].sum(), rel=1e-12)
        assert total == pytest.approx(float(whole[at]), rel=1e-6)
        told_terms = {int(causes[place]): value for place, value in most}
        expected = {at: value for at, value in enumerate(row.tolist()) if value > 0}
        assert told_terms == pytest.approx(expected, rel=1e-12)


@settings(max_examples=60, deadline=None)
@given(rows=_rows, looked=st.lists(st.integers(0, N_ITEMS), max_size=4, unique=True))
def test_a_past_is_barred_by_the_same_rules_as_each_of_its_items(rows, looked):
    index = {f"i{at}": at for at in range(N_ITEMS + 5)}
    told = [(f"i{at}", *row) for at, row in rows.items()]
    past = Past.read(CountColumns.of(told), index, N_ITEMS, [f"i{at}" for at in looked])
    for off in (frozenset(), frozenset({"already_bought"}), frozenset({"in_given_history"})):
        rules = RuleSettings(off=off)
        expected = {
            at
            for at in range(N_ITEMS + 5)
            if find_rule(
                Candidate(f"i{at}", None, rows.get(at, (0, 0, 0))[2], None, at in looked), rules
            )
        }
        assert set(past.find_barred(rules).tolist()) == expected


@pytest.mark.parametrize("name", ["_pick", "_add"])
def test_without_compiled_loops_numpy_gives_the_same_numbers(name, monkeypatch):
    rng = np.random.default_rng(3)
    matrix = sum_pairs(
        rng.integers(0, 9, 70), rng.integers(0, 30, 70), rng.random(70), (9, 30)
    ).astype(np.float32)
    rows, weights = np.array([1, 4, 7]), rng.random(3)

    def add() -> list[float]:
        sums = np.zeros(30)
        kernels.add_rows(kernels.gather_rows(kernels.Rows.of(matrix), rows), weights, sums)
        return sums.tolist()

    compiled = add()
    monkeypatch.setattr(kernels, name, None)
    assert add() == compiled
    expected = sum_pairs(np.zeros(3, int), rows, weights, (1, 9)) @ matrix.astype(np.float64)
    assert compiled == pytest.approx(expected.toarray()[0].tolist(), rel=1e-14)


@pytest.mark.parametrize("name", ["_multiply", "_multiply_each"])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_rows_times_a_column_or_a_table_are_the_product_in_its_precision(name, kind, monkeypatch):
    rng = np.random.default_rng(4)
    matrix = sum_pairs(
        rng.integers(0, 9, 70), rng.integers(0, 30, 70), rng.random(70), (9, 30)
    ).astype(np.float32)
    cells = kernels.gather_rows(kernels.Rows.of(matrix), np.arange(9))
    table = rng.random((30, 2)).astype(kind)
    for _ in ("compiled", "by NumPy"):
        product = kernels.multiply_rows(cells, table)
        column = kernels.multiply_rows(cells, np.ascontiguousarray(table[:, 1:]))
        assert (product.dtype, column.dtype) == (kind, kind)
        assert product == pytest.approx(matrix.toarray() @ table, rel=1e-5)
        assert column == pytest.approx(product[:, 1:], rel=1e-5)
        monkeypatch.setattr(kernels, name, None)


@pytest.mark.parametrize("wide", [False, True])
@settings(max_examples=60, deadline=None)
@given(
    cells=st.lists(st.tuples(st.integers(0, 29), st.integers(-2, 9)), max_size=60),
    most=st.integers(1, 40),
    seed=st.integers(0, 10**6),
)
def test_the_highest_sums_are_taken_each_once_and_nothing_is_left_behind(wide, cells, most, seed):
    rng = np.random.default_rng(seed)
    asked, busiest = scratch.Scratch(30), np.sort(rng.choice(30, rng.integers(0, 30), False))
    gains = scratch.Gains(rng.choice([0.0, 0.5, 1.5], 30).astype(np.float32), 1.5)
    columns = np.array([column for column, _ in cells], dtype=np.int64)
    np.add.at(asked.sums, columns, np.array([value / 3 for _, value in cells]))
    whole = asked.sums.astype(np.float32) * gains.values
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scratch, "_NARROW", 0)
        patch.setattr(scratch, "_SPARSE", 0 if wide else 10**6)
        items, scores, kept = asked.take_best(asked.sums, columns, most, busiest, gains)
    assert len(set(items.tolist())) == len(items)
    assert scores.tolist() == whole[items].tolist()
    assert (scores > 0).all()
    assert set(top_items(whole[None, :], most, above=0.0)[0].tolist()) - {-1} <= set(items.tolist())
    assert not asked.sums.any()
    if kept is not None:
        assert set(np.flatnonzero(np.isin(columns, items)).tolist()) <= set(kept.tolist())


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2000),
    st.integers(1, 300),
    st.integers(1, 400),
    st.integers(0, 10**6),
)
def test_the_best_are_those_of_a_whole_sort_with_what_equals_the_last(size, n, levels, seed):
    rng = np.random.default_rng(seed)
    scores = (rng.integers(-2, levels, size) / 7).astype(np.float32)
    items = rng.permutation(size)
    order = [at for at in np.lexsort((items, -scores)).tolist() if scores[at] > 0]
    last = scores[order[n - 1]] if n <= len(order) else 0
    expected = [int(items[at]) for at in order if scores[at] >= last]
    assert sort_best(Spread(items, scores), n) == expected


@pytest.mark.parametrize("compiled", [True, False])
def test_a_single_row_gives_the_numbers_of_the_whole_product(compiled, monkeypatch):
    if not compiled:
        monkeypatch.setattr(kernels, "_pick", None)
        monkeypatch.setattr(kernels, "_add", None)
    rng = np.random.default_rng(8)
    matrix = sum_pairs(
        rng.integers(0, 50, 900), rng.integers(0, 70, 900), rng.random(900) - 0.3, (50, 70)
    ).astype(np.float32)
    columns = np.array([3, 69, 0, 3])
    for met in (0, 1, 9):
        items = rng.choice(50, met, replace=False)
        row = sum_pairs(np.zeros(met, int), items, rng.random(met), (1, 50))
        whole = row @ matrix
        assert (kernels.score_row(matrix, row) == whole.toarray().astype(np.float32)).all()
        single = row.astype(np.float32)
        expected = (single @ matrix).toarray()[0, columns]
        assert expected.dtype == np.float32
        assert (kernels.look_along(matrix, single, columns) == expected).all()
        told = kernels.tell_row(transpose(matrix), row, columns)
        assert told.shape == (4, 50)
        assert (told.toarray() == matrix.toarray().T[columns] * row.toarray()).all()


def test_a_model_that_is_no_operator_has_no_quick_form():
    scorer = build_scorer(make_recipe("user_cosine"))
    assert QuickModel.of(Model(make_recipe("user_cosine"), scorer, np.ones(3))) is None


def test_equal_terms_are_listed_in_the_order_of_the_items():
    table = np.array([[2.0, 1.0, 2.0, 0.0, 2.0]])
    assert list_largest(table, 2) == [(7.0, 7.0, [(0, 2.0), (2, 2.0)])]
    assert list_largest(table, 0) == [(7.0, 7.0, [])]


def test_what_is_remembered_stays_within_its_bytes_and_the_oldest_goes():
    kept: Remembered[int] = Remembered(100)
    for key in range(5):
        kept.put(key, 0, key, 30)
        kept.get(0, 0)
    assert len(kept) == 3
    assert kept.memory_bytes == 90
    assert kept.get(0, 0) == 0
    assert kept.get(2, 0) is None
    kept.put(0, 1, 7, 101)
    assert kept.get(0, 1) is None
    assert kept.memory_bytes == 60


@settings(max_examples=80, deadline=None)
@given(
    table=st.lists(
        st.lists(st.sampled_from([-1.5, 0.0, 0.25, 0.5, 2.0]), min_size=7, max_size=7), max_size=5
    ),
    reasons=st.integers(1, 8),
)
def test_few_of_the_largest_terms_are_those_of_the_whole_order(table, reasons):
    terms = np.array(table, dtype=np.float64).reshape(-1, 7)
    found = [each.largest for each in list_largest(terms, reasons)]
    assert found == largest._pick_sorted(terms, reasons)


def test_closed_items_make_room_for_those_behind_the_kept_ones(monkeypatch):
    monkeypatch.setattr(standings, "_FIRST", 2)
    monkeypatch.setattr(standings, "_MORE", 2)
    model = MODELS[0]
    told = CountColumns.of([(f"i{at}", 1, 0, at % 2, 10**9 + at) for at in range(12)])
    past = Past.read(told, {f"i{at}": at for at in range(N_ITEMS)}, N_ITEMS)
    standing = Standing(
        past, model, QuickModel.of(model), np.ones(N_ITEMS), personal=True, row=NOBODY
    )
    everything = np.ones(N_ITEMS, dtype=np.bool_)
    first = standing.choose(everything, RuleSettings(), N_ITEMS)
    assert len(first) > 9
    assert not set(first) & set(range(1, 12, 2))  # bought
    closed = everything.copy()
    closed[first[:7]] = False
    again = Standing(past, model, QuickModel.of(model), np.ones(N_ITEMS), personal=True, row=NOBODY)
    assert again.choose(closed, RuleSettings(), 2) == first[7:9]
    every = RuleSettings(off=frozenset({"already_bought"}))
    assert set(again.choose(everything, every, N_ITEMS)) > set(first)
