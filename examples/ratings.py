"""Recommendations from a plain table of ratings: who is alike, and what they liked.

python examples/ratings.py
"""

import numpy as np

from lingxi.recommend import NeighbourModel

CUSTOMERS = ["Ann", "Ben", "Chloe", "Dai", "Eve"]
ITEMS = ["lamp", "kettle", "tent", "stove"]
RATINGS = np.array(
    [[5, 3, 0, 1], [4, 0, 0, 1], [1, 1, 0, 5], [1, 0, 0, 2], [4, 2, 2, 5]], dtype=float
)  # 0 = not rated


def main() -> None:
    model = NeighbourModel(method="user", similarity="cosine", k=2).fit(RATINGS)
    for row, name in enumerate(CUSTOMERS):
        near = [f"{CUSTOMERS[one.index]} ({one.value:.2f})" for one in model.neighbours(row)]
        best = [f"{ITEMS[one.index]} ({one.value:.2f})" for one in model.recommend(row, n=2)]
        print(f"{name}: near {', '.join(near)}; would like {', '.join(best) or 'nothing new'}")


if __name__ == "__main__":
    main()
