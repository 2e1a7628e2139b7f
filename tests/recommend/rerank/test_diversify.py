"""Diversity: known lists by hand, an exhaustive oracle, and properties of any list."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingxi.errors import InvalidInput
from lingxi.recommend.item_table import build_table
from lingxi.recommend.rerank import Caps, Method, diversify, find_likeness
from lingxi.recommend.rerank.diversify import _NUGGET
from lingxi.schema import Item

TWINS = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
RELEVANCE = np.array([1.0, 0.9, 0.5])


def test_strength_zero_is_the_order_of_relevance() -> None:
    for method in Method:
        found = diversify(RELEVANCE, TWINS, 3, method=method, strength=0.0)
        assert found.chosen.tolist() == [0, 1, 2]
        assert found.loss == 0.0


def test_mmr_by_hand() -> None:
    # second place: item 1 has 0.5*0.9 - 0.5*1 = -0.05, item 2 has 0.5*0.5 - 0 = 0.25
    found = diversify(RELEVANCE, TWINS, 2, method=Method.MMR, strength=0.5)
    assert found.chosen.tolist() == [0, 2]
    assert found.loss == pytest.approx(1 - 1.5 / 1.9)
    assert found.moved.tolist() == [False, True]
    # at 0.2 the twin wins: 0.8*0.9 - 0.2 = 0.52 against 0.8*0.5 = 0.4
    assert diversify(RELEVANCE, TWINS, 2, strength=0.2).chosen.tolist() == [0, 1]


def test_dpp_leaves_the_twin_for_the_end() -> None:
    found = diversify(RELEVANCE, TWINS, 3, method=Method.DPP, strength=0.5)
    assert found.chosen.tolist() == [0, 2, 1]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.05, 0.95))
def test_each_step_of_the_dpp_adds_what_the_determinant_says(seed: int, strength: float) -> None:
    rng = np.random.default_rng(seed)
    features = rng.random((6, 3))
    likeness = features @ features.T
    length = np.sqrt(np.diag(likeness))
    likeness /= length[:, None] * length[None, :]
    relevance = rng.random(6)
    chosen = diversify(relevance, likeness, 4, method=Method.DPP, strength=strength).chosen.tolist()
    kernel = (1 - _NUGGET) * likeness + _NUGGET * np.eye(6)
    scaled = relevance / relevance.max()

    def worth(items: list[int]) -> float:
        determinant = np.linalg.slogdet(kernel[np.ix_(items, items)])[1] if items else 0.0
        return float((1 - strength) * scaled[items].sum() + strength * determinant)

    for step in range(4):
        best = max(worth([*chosen[:step], i]) for i in range(6) if i not in chosen[:step])
        assert worth(chosen[: step + 1]) == pytest.approx(best)


def test_the_dpp_finds_the_best_pair_where_greedy_must() -> None:
    likeness = np.array([[1, 0.9, 0.1], [0.9, 1, 0.2], [0.1, 0.2, 1]])
    relevance = np.array([1.0, 0.95, 0.9])
    kernel = (1 - _NUGGET) * likeness + _NUGGET * np.eye(3)
    best = max(
        combinations(range(3), 2),
        key=lambda pair: (
            0.5 * relevance[list(pair)].sum()
            + 0.5 * np.linalg.slogdet(kernel[np.ix_(pair, pair)])[1]
        ),
    )
    found = diversify(relevance, likeness, 2, method=Method.DPP, strength=0.5)
    assert set(found.chosen.tolist()) == set(best)


@settings(max_examples=80, deadline=None)
@given(
    st.integers(0, 10_000),
    st.integers(0, 12),
    st.integers(1, 8),
    st.sampled_from(list(Method)),
    st.floats(0, 1),
    st.integers(1, 3),
)
def test_any_list_keeps_its_caps_and_says_what_it_lost(
    seed: int, k: int, n: int, method: Method, strength: float, most: int
) -> None:
    rng = np.random.default_rng(seed)
    brands = rng.integers(-1, 3, k)
    relevance, likeness = rng.random(k), np.eye(k)
    caps = Caps(brands[None, :], (most,))
    first = np.arange(min(k, 2))
    found = diversify(
        relevance, likeness, n, method=method, strength=strength, caps=caps, first=first
    )
    chosen = found.chosen.tolist()
    assert len(set(chosen) | set(first.tolist())) == len(chosen) + len(first)
    for brand in range(3):
        before = int((brands[first] == brand).sum())
        assert int((brands[chosen] == brand).sum()) <= max(0, most - before)
    assert 0.0 <= found.loss <= 1.0
    open_ = sum(int(brands[i] < 0) for i in range(len(first), k))
    assert len(chosen) >= min(n, open_)


def _choose_by_all(relevance, likeness, n, strength, caps, first):
    """MMR as it is defined: at each step the best of all that are free."""
    chosen = list(first)
    while len(chosen) < n + len(first):
        free = [i for i in range(len(relevance)) if i not in chosen]
        for codes, most in zip(caps.codes.tolist(), caps.most, strict=True):
            held = [codes[i] for i in chosen]
            free = [i for i in free if codes[i] < 0 or held.count(codes[i]) < most]
        if not free:
            break
        near = {i: max((likeness[i, j] for j in chosen), default=0.0) for i in free}
        worth = {i: (1 - strength) * relevance[i] - strength * near[i] for i in free}
        chosen.append(max(free, key=lambda i: (worth[i], -i)))
    return chosen[len(first) :]


@settings(max_examples=120, deadline=None)
@given(
    st.integers(0, 10_000),
    st.integers(1, 14),
    st.integers(1, 8),
    st.floats(0.05, 1),
    st.integers(1, 3),
    st.integers(0, 2),
)
def test_mmr_by_rows_chooses_as_it_is_defined(
    seed: int, k: int, n: int, strength: float, most: int, before: int
) -> None:
    rng = np.random.default_rng(seed)
    made = [
        Item(
            item_id=str(at),
            category_path=tuple(f"c{c}" for c in rng.integers(0, 2, rng.integers(0, 4))),
            brand=("", "x", "y")[rng.integers(3)],
            price_cents=int(rng.integers(0, 9)) * 100,
        )
        for at in range(k)
    ]
    table = build_table([item.item_id for item in made], made, n_known=k)
    alike = find_likeness(table).among(np.arange(k))
    whole = np.array([alike[at] for at in range(k)])
    np.testing.assert_allclose(whole, whole.T, atol=1e-12)
    relevance = rng.random(k)
    relevance /= relevance.max()  # no two are equal, so that rounding decides nothing
    caps = Caps(rng.integers(-1, 3, (1, k)), (most,))
    first = np.arange(min(before, k))
    limits = {"strength": strength, "caps": caps, "first": first}
    found = diversify(relevance, alike, n, **limits).chosen.tolist()
    wanted = _choose_by_all(relevance, whole, n, strength, caps, first.tolist())
    assert found == wanted


def test_equal_relevance_goes_to_the_lower_place() -> None:
    assert diversify(np.ones(4), np.eye(4), 2, strength=0.0).chosen.tolist() == [0, 1]


@pytest.mark.parametrize("strength", [-0.1, 1.1])
def test_a_strength_outside_of_its_range_is_refused(strength: float) -> None:
    with pytest.raises(InvalidInput, match="strength"):
        diversify(RELEVANCE, TWINS, 2, strength=strength)


def test_relevance_below_zero_is_refused() -> None:
    with pytest.raises(InvalidInput, match="at least 0"):
        diversify(-RELEVANCE, TWINS, 2)


def test_likeness_counts_category_brand_and_price() -> None:
    made = [
        Item(item_id="a", category_path=("Home", "Lamps"), brand="W", price_cents=1000),
        Item(item_id="b", category_path=("Home", "Lamps"), brand="w", price_cents=1100),
        Item(item_id="c", category_path=("Home", "Rugs"), brand="W", price_cents=90000),
        Item(item_id="d"),
    ]
    table = build_table([item.item_id for item in made], made, n_known=4)
    rows = find_likeness(table).among(np.arange(4))
    alike = np.array([rows[at] for at in range(4)])
    assert alike[0, 1] == pytest.approx(1.0)
    assert alike[0, 2] == pytest.approx((0.25 + 0.2) / 0.8)
    assert alike[3].tolist() == [0, 0, 0, 1]
    assert np.linalg.eigvalsh(alike).min() > -1e-12
