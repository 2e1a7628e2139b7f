"""Items held back together belong together; in a dense table the popular do not by that alone."""

import numpy as np

from lingxi.recommend.bunch import hold_bunches
from lingxi.recommend.histories import Histories


def test_what_is_popular_belongs_to_no_bunch_by_that_alone():
    # by the cosine, two items that half of all have are nearer than two that belong together
    rng = np.random.default_rng(5)
    chances = np.linspace(0.1, 0.9, 40)
    rows, items = np.nonzero(rng.random((600, 40)) < chances)
    taught = Histories.of_events(rows, items, (600, 40))
    held = np.zeros(len(items), dtype=np.bool_)
    held[taught.indptr[:-1]] = True  # as many of each customer as here: four
    for more in range(1, 4):
        held[taught.indptr[:-1] + more] = True
    lost = hold_bunches(taught, held, np.arange(600), np.random.default_rng(0))
    assert (np.bincount(taught.owners[lost], minlength=600) == 4).all()
    assert (
        abs(chances[taught.items[lost]].mean() - chances[taught.items].mean()) < 0.06
    )  # 0.2 by the cosine


def test_what_belongs_together_is_lost_together_beside_what_everybody_has():
    rng = np.random.default_rng(6)
    table = np.zeros((400, 20), dtype=np.bool_)
    table[:, :8] = rng.random((400, 8)) < 0.8
    for row in range(400):
        first = 8 + 6 * (row % 2)
        table[row, first : first + 6] = rng.random(6) < 0.7
    rows, items = np.nonzero(table)
    taught = Histories.of_events(rows, items, (400, 20))
    places = np.arange(len(items)) - taught.indptr[taught.owners]
    lost = hold_bunches(taught, places < 2, np.arange(400), np.random.default_rng(0))
    kinds = np.bincount(taught.owners[lost & (taught.items >= 8)], minlength=400)
    assert (kinds == 1).mean() < 0.2  # two of the circle's own, or two of what everybody has
