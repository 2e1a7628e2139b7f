"""One history against an operator gives what the whole product gives, to the last bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingxi.recommend import kernels
from lingxi.recommend.families import build_scorer, make_recipe
from lingxi.recommend.histories import NOBODY, Histories
from lingxi.recommend.history import Weighting
from lingxi.recommend.lists import top_items
from lingxi.recommend.matrix import build_csr, densify_scores, sum_pairs
from lingxi.recommend.model import Model
from lingxi.recommend.past import Past
from lingxi.recommend.quick import QuickModel, list_largest
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


@settings(max_examples=60, deadline=None)
@given(
    rows=_rows,
    looked=st.lists(st.integers(0, N_ITEMS + 9), max_size=4, unique=True),
    which=st.integers(0, len(WEIGHTINGS) - 1),
    n=st.integers(1, N_ITEMS + 3),
)
def test_the_quick_road_gives_what_scoring_everything_gives(rows, looked, which, n):
    model = _model(which, WEIGHTINGS[which])
    quick = QuickModel.of(model)
    index = {f"i{at}": at for at in range(N_ITEMS + 3)}  # the last three came after training
    told = [(f"i{at}", *row) for at, row in rows.items()]
    past = Past.read(told, index, N_ITEMS, [f"i{at}" for at in looked])
    histories = past.to_histories(NOBODY, N_ITEMS)
    weighed = histories.weigh(WEIGHTINGS[which])
    items, weights = past.weigh(quick.heard)
    assert items.tolist() == weighed.indices.tolist()
    assert weights == pytest.approx(weighed.data, rel=1e-14)
    row = build_csr(weights, items, np.array([0, len(items)]), (1, N_ITEMS))
    whole = densify_scores(row @ model.scorer.operator)[0] * model.trend.astype(np.float32)
    assert whole == pytest.approx(model.score(histories)[0], rel=1e-6)
    spread = quick.spread(items, weights)
    found = np.zeros(N_ITEMS, dtype=np.float32)
    found[spread.items] = spread.scores
    assert len(set(spread.items.tolist())) == len(spread.items)
    assert found.tolist() == whole.tolist()
    rules = RuleSettings()
    barred = past.find_barred(rules)
    standing = Standing(past, model, quick, np.ones(N_ITEMS), personal=True, row=NOBODY)
    opened = np.ones(N_ITEMS + 3, dtype=np.bool_)
    listed = standing.choose(opened, standing.find_barred(rules), n)
    whole[barred[barred < N_ITEMS]] = -np.inf
    whole[whole == 0] = -np.inf
    assert listed == [at for at in top_items(whole[None, :], n)[0].tolist() if at >= 0]
    if listed:
        places = np.array(listed)
        terms = quick.explain(items, weights, places, len(items))
        given_terms = model.explain(histories, places[None, :]).toarray()
        for (total, support, largest), row, at in zip(terms, given_terms, listed, strict=True):
            assert total == pytest.approx(row.sum(), rel=1e-12)
            assert support == pytest.approx(row[row > 0].sum(), rel=1e-12)
            assert total == pytest.approx(float(whole[at]), rel=1e-6)
            told_terms = {int(items[place]): value for place, value in largest}
            expected = {at: value for at, value in enumerate(row.tolist()) if value}
            assert told_terms == pytest.approx(expected, rel=1e-12)


@settings(max_examples=60, deadline=None)
@given(rows=_rows, looked=st.lists(st.integers(0, N_ITEMS), max_size=4, unique=True))
def test_a_past_is_barred_by_the_same_rules_as_each_of_its_items(rows, looked):
    index = {f"i{at}": at for at in range(N_ITEMS + 5)}
    told = [(f"i{at}", *row) for at, row in rows.items()]
    past = Past.read(told, index, N_ITEMS, [f"i{at}" for at in looked])
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
