"""The ratings of issue 2, worked out by hand: neighbours, similarities, recommendations, each K.

    customer 0: 5 3 0 1   squares 35      item 0: 5 4 1 1 4  squares 59
    customer 1: 4 0 0 1   squares 17      item 1: 3 0 1 0 2  squares 14
    customer 2: 1 1 0 5   squares 27      item 2: 0 0 0 0 2  squares  4
    customer 3: 1 0 0 2   squares  5      item 3: 1 1 5 2 5  squares 56
    customer 4: 4 2 2 5   squares 49

What is not rated: item 2 by customers 0 to 3, item 1 by customers 1 and 3.
"""

from math import sqrt

import numpy as np
import pytest
from scipy import sparse

from lingxi.recommend.ratings import NeighbourModel, recommend_from_ratings
from lingxi.recommend.similarity import cosine, pearson, pearson_zero_filled

RATINGS = [[5, 3, 0, 1], [4, 0, 0, 1], [1, 1, 0, 5], [1, 0, 0, 2], [4, 2, 2, 5]]

# Dot products over the root of the squares, from the table above.
USER_COSINE = {
    (0, 1): 21 / sqrt(35 * 17),  # 5*4 + 1*1            .8609
    (0, 2): 13 / sqrt(35 * 27),  # 5 + 3 + 5            .4229
    (0, 3): 7 / sqrt(35 * 5),  # 5 + 2                  .5292
    (0, 4): 31 / sqrt(35 * 49),  # 20 + 6 + 5           .7486
    (1, 2): 9 / sqrt(17 * 27),  # 4 + 5                 .4201
    (1, 3): 6 / sqrt(17 * 5),  # 4 + 2                  .6508
    (1, 4): 21 / sqrt(17 * 49),  # 16 + 5               .7276
    (2, 3): 11 / sqrt(27 * 5),  # 1 + 10                .9467
    (2, 4): 31 / sqrt(27 * 49),  # 4 + 2 + 25           .8523
    (3, 4): 14 / sqrt(5 * 49),  # 4 + 10                .8944
}
USER_COSINE_ORDER = {
    0: [1, 4, 3, 2],
    1: [0, 4, 3, 2],
    2: [3, 4, 0, 1],
    3: [2, 4, 1, 0],
    4: [3, 2, 0, 1],
}

ITEM_COSINE = {
    (0, 1): 24 / sqrt(59 * 14),  # 15 + 1 + 8            .8351
    (0, 2): 8 / sqrt(59 * 4),  #                         .5208
    (0, 3): 36 / sqrt(59 * 56),  # 5 + 4 + 5 + 2 + 20    .6263
    (1, 2): 4 / sqrt(14 * 4),  #                         .5345
    (1, 3): 18 / sqrt(14 * 56),  # 3 + 5 + 10            .6429
    (2, 3): 10 / sqrt(4 * 56),  #                        .6682
}
ITEM_COSINE_ORDER = {0: [1, 3, 2], 1: [0, 3, 2], 2: [3, 1, 0], 3: [2, 1, 0]}

# Co-rated values, deviations from the means over them, products over the root of the squares.
USER_PEARSON = {
    (0, 1): 1.0,  # (5,1) (4,1): (2,-2) (1.5,-1.5): 6 / sqrt(8 * 4.5)
    (2, 3): 1.0,  # (1,5) (1,2): (-2,2) (-.5,.5): 2 / sqrt(8 * .5)
    (2, 4): 8 / (4 * sqrt(7)),  # (1,1,5) (4,2,5): (-4,-4,8)/3 (1,-5,4)/3: 48 / sqrt(96 * 42) .7559
    (3, 4): 1.0,  # (1,2) (4,5): (-.5,.5) (-.5,.5)
    # below 0, so no neighbours: (0,2) -.866, (0,3) -1, (0,4) -.327, (1,2) -1, (1,3) -1, (1,4) -1
}
USER_PEARSON_ORDER = {0: [1], 1: [0], 2: [3, 4], 3: [2, 4], 4: [3, 2]}  # 3: a tie, lower first

# Items 0 and 1 are both rated by 0, 2, 4: (5,1,4) (3,1,2), means 10/3 and 2:
# (5,-7,2)/3 and (1,-1,0): (5 + 7)/3 / sqrt(78/9 * 2) = 4 / sqrt(52/3) = .9608
ITEM_PEARSON = {(0, 1): 4 / sqrt(52 / 3)}
# (0,3) is -.391 and (1,3) -.866; item 2 was rated by one customer only: never two co-rated.
ITEM_PEARSON_ORDER: dict[int, list[int]] = {0: [1], 1: [0], 2: [], 3: []}

CASES = [
    ("user", "cosine", USER_COSINE, USER_COSINE_ORDER),
    ("user", "pearson", USER_PEARSON, USER_PEARSON_ORDER),
    ("item", "cosine", ITEM_COSINE, ITEM_COSINE_ORDER),
    ("item", "pearson", ITEM_PEARSON, ITEM_PEARSON_ORDER),
]

r27, r35, r14, r56, r59 = sqrt(27), sqrt(35), sqrt(14), sqrt(56), sqrt(59)

# (method, similarity, k) -> for each customer the (item, predicted rating) in the order expected.
EXPECTED = {
    # K=1: 1 asks 0 (3 for item 1); 3 asks 2 (1 for item 1); 0 asks 1, 2 asks 3: no news of item 2.
    ("user", "cosine", 1): [[], [(1, 3.0)], [], [(1, 1.0)], []],
    # K=2: customer 4 joins everyone and alone rated item 2, so it is predicted as 2.
    # 1: item 1 from 0 (3) and 4 (2): (3*21/sqrt(35*17) + 2*21/sqrt(49*17)) / (both without 3, 2)
    # 3: item 1 from 2 (1) and 4 (2): (11/r27 + 2*14/7) / (11/r27 + 14/7), each over r5
    ("user", "cosine", 2): [
        [(2, 2.0)],
        [(1, (3 / r35 + 2 / 7) / (1 / r35 + 1 / 7)), (2, 2.0)],
        [(2, 2.0)],
        [(2, 2.0), (1, (11 / r27 + 4) / (11 / r27 + 2))],
        [],
    ],
    # K=3: the third of customer 1 is 3 and of 3 is 1: neither rated item 1 or 2, so as K=2.
    # K=4: customer 1 hears 2 (1) as well: weights 21/r35, 21/7, 9/r27 (each over r17);
    #      customer 3 hears 0 (3) as well: weights 11/r27, 14/7, 7/r35 (each over r5).
    ("user", "cosine", 4): [
        [(2, 2.0)],
        [(1, (63 / r35 + 6 + 9 / r27) / (21 / r35 + 3 + 9 / r27)), (2, 2.0)],
        [(2, 2.0)],
        [(2, 2.0), (1, (11 / r27 + 4 + 21 / r35) / (11 / r27 + 2 + 7 / r35))],
        [],
    ],
    # Customer 0 hears only 1, 1 only 0; 2 hears 3 then 4; 3 hears 2, then 4 with the same weight.
    ("user", "pearson", 1): [[], [(1, 3.0)], [], [(1, 1.0)], []],
    ("user", "pearson", 2): [[], [(1, 3.0)], [(2, 2.0)], [(2, 2.0), (1, 1.5)], []],
    # Nearest of item 1 is 0, of item 2 is 3: everyone's own rating of that one item.
    ("item", "cosine", 1): [[(2, 1.0)], [(1, 4.0), (2, 1.0)], [(2, 5.0)], [(2, 2.0), (1, 1.0)], []],
    # Item 1 by 0 (24/r59) and 3 (18/r56), over r14; item 2 by 3 (10/r56) and 1 (4/r14), over 2:
    # weights of item 2 are 5/r56 and 2/r14 = 4/r56, so 5 to 4.
    ("item", "cosine", 2): [
        [(2, (5 * 1 + 4 * 3) / 9)],
        [(1, (24 * 4 / r59 + 18 * 1 / r56) / (24 / r59 + 18 / r56)), (2, 1.0)],
        [(2, (5 * 5 + 4 * 1) / 9)],
        [(2, 2.0), (1, (24 * 1 / r59 + 18 * 2 / r56) / (24 / r59 + 18 / r56))],
        [],
    ],
    # K=3: item 1's third is 2, which nobody without item 1 rated; item 2's third is 0 (4/r59).
    ("item", "cosine", 3): [
        [(2, (5 / r56 + 2 * 3 / r14 + 4 * 5 / r59) / (5 / r56 + 2 / r14 + 4 / r59))],
        [
            (1, (24 * 4 / r59 + 18 * 1 / r56) / (24 / r59 + 18 / r56)),
            (2, (5 * 1 / r56 + 4 * 4 / r59) / (5 / r56 + 4 / r59)),
        ],
        [(2, (5 * 5 / r56 + 2 * 1 / r14 + 4 * 1 / r59) / (5 / r56 + 2 / r14 + 4 / r59))],
        [
            (2, (5 * 2 / r56 + 4 * 1 / r59) / (5 / r56 + 4 / r59)),
            (1, (24 * 1 / r59 + 18 * 2 / r56) / (24 / r59 + 18 / r56)),
        ],
        [],
    ],
    # Item 1 hears item 0 only, item 2 hears nobody.
    ("item", "pearson", 1): [[], [(1, 4.0)], [], [(1, 1.0)], []],
}
SAME_AS = {  # a larger K that brings no further neighbour who says anything
    ("user", "cosine", 3): ("user", "cosine", 2),
    ("user", "pearson", 3): ("user", "pearson", 2),
    ("user", "pearson", 4): ("user", "pearson", 2),
    ("item", "cosine", 4): ("item", "cosine", 3),
    ("item", "pearson", 2): ("item", "pearson", 1),
    ("item", "pearson", 3): ("item", "pearson", 1),
    ("item", "pearson", 4): ("item", "pearson", 1),
}


@pytest.mark.parametrize("k", [1, 2, 3, 4])
@pytest.mark.parametrize(("method", "similarity", "values", "order"), CASES)
def test_neighbours_and_similarities_are_those_worked_out_by_hand(
    method, similarity, values, order, k
):
    model = NeighbourModel(method, similarity, k=k).fit(RATINGS)
    for row, others in order.items():
        found = model.neighbours(row)
        assert [one.index for one in found] == others[:k]
        for one in found:
            pair = (min(row, one.index), max(row, one.index))
            assert one.value == pytest.approx(values[pair], abs=1e-11)


@pytest.mark.parametrize("k", [1, 2, 3, 4])
@pytest.mark.parametrize("similarity", ["cosine", "pearson"])
@pytest.mark.parametrize("method", ["user", "item"])
@pytest.mark.parametrize("form", [list, np.array, sparse.csr_matrix, sparse.coo_array])
def test_recommendations_are_those_worked_out_by_hand(form, method, similarity, k):
    key = (method, similarity, k)
    expected = EXPECTED[SAME_AS.get(key, key)]
    ratings = form(np.array(RATINGS)) if form is not list else RATINGS
    lists = recommend_from_ratings(ratings, method=method, similarity=similarity, k=k)
    assert [[one.index for one in found] for found in lists] == [
        [item for item, _ in wanted] for wanted in expected
    ]
    for found, wanted in zip(lists, expected, strict=True):
        assert [one.value for one in found] == pytest.approx([v for _, v in wanted], abs=1e-11)


def test_centred_pearson_adds_the_neighbours_differences_from_their_own_means():
    # Means: customer 0 3, 1 5/2, 2 7/3, 3 3/2, 4 13/4.
    # 1 hears 0 on item 1: 5/2 + (3 - 3). 3 hears 2 and 4, both with weight 1:
    # item 1: 3/2 + ((1 - 7/3) + (2 - 13/4)) / 2; item 2: 3/2 + (2 - 13/4). 2 hears 4: 7/3 - 5/4.
    lists = recommend_from_ratings(RATINGS, similarity="pearson", k=2, centred=True)
    assert [[(one.index, one.value) for one in found] for found in lists] == [
        [],
        [(1, pytest.approx(5 / 2))],
        [(2, pytest.approx(7 / 3 - 5 / 4))],
        [(2, pytest.approx(1 / 4)), (1, pytest.approx(3 / 2 - 31 / 24))],
        [],
    ]


def test_centred_items_take_the_means_of_items():
    # Means: item 0 3, item 1 2. Item 1 hears item 0: 2 + (4 - 3) for customer 1, 2 + (1 - 3) for 3.
    lists = recommend_from_ratings(RATINGS, method="item", similarity="pearson", k=1, centred=True)
    assert [[(one.index, one.value) for one in found] for found in lists] == [
        [],
        [(1, pytest.approx(3.0))],
        [],
        [(1, pytest.approx(0.0))],
        [],
    ]


def test_plain_functions_give_the_same_similarities_as_the_model():
    table = np.array(RATINGS, dtype=np.float64)
    for (a, b), value in USER_COSINE.items():
        assert cosine(table[a], table[b]) == pytest.approx(value, abs=1e-12)
    for (a, b), value in ITEM_COSINE.items():
        assert cosine(table[:, a], table[:, b]) == pytest.approx(value, abs=1e-12)
    for (a, b), value in USER_PEARSON.items():
        assert pearson(table[a], table[b]) == pytest.approx(value, abs=1e-12)
    assert pearson(table[0], table[2]) == pytest.approx(-sqrt(3) / 2)
    assert pearson(table[:, 2], table[:, 3]) is None


def test_zero_filled_pearson_is_numpys_correlation():
    table = np.array(RATINGS, dtype=np.float64)
    for a in range(5):
        for b in range(5):
            wanted = np.corrcoef(table[a], table[b])[0, 1]
            assert pearson_zero_filled(table[a], table[b]) == pytest.approx(wanted)
    assert pearson_zero_filled(np.ones(4), table[0]) is None
