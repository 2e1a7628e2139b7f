"""Decision tree and random forest, kept as plain arrays: nothing to unpickle, exact to explain."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lingxi.learning.model import (
    Contributions,
    Labels,
    Matrix,
    PartReader,
    PartWriter,
    check_labels,
)

if TYPE_CHECKING:
    from sklearn.tree import DecisionTreeClassifier

_PARTS = ("left", "right", "feature", "threshold", "missing_left", "value", "roots")


@dataclass(frozen=True)
class TreeModel:
    """The mean of one or more trees; the score is a probability.

    All arrays run over the nodes of all trees one after the other: ``left`` and ``right`` are node
    numbers (-1 at a leaf), ``feature`` what is asked, ``threshold`` at most which goes left,
    ``missing_left`` whether a missing value does, ``value`` the share of label 1 among the training
    rows that came by. ``roots`` are the first nodes.
    """

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    feature: NDArray[np.int64]
    threshold: Matrix
    missing_left: NDArray[np.bool_]
    value: Matrix
    roots: NDArray[np.int64]
    unit: str = "probability"

    def score(self, X: Matrix) -> Matrix:
        """Mean share of label 1 in the leaves a row falls into, shape (n_rows,)."""
        total = np.zeros(len(X))
        for root in self.roots:
            nodes = np.full(len(X), root, dtype=np.int64)
            rows = np.arange(len(X))
            while len(rows):
                rows, nodes = self._descend(X, rows, nodes)
            total += self.value[nodes]
        return total / len(self.roots)

    def predict(self, X: Matrix) -> Matrix:
        """The score itself."""
        return self.score(X)

    def explain(self, X: Matrix) -> Contributions:
        """What each question on the way to the leaf changed, credited to the feature asked.

        Source
        ------
        Saabas (2014), "Interpreting random forests": value of leaf = value of root + sum of the
        changes on the path.
        """
        values = np.zeros_like(X)
        for root in self.roots:
            nodes = np.full(len(X), root, dtype=np.int64)
            rows = np.arange(len(X))
            while len(rows):
                before = nodes.copy()
                rows, nodes = self._descend(X, rows, nodes)
                asked = self.feature[before[rows]]
                values[rows, asked] += self.value[nodes[rows]] - self.value[before[rows]]
        n = len(self.roots)
        return Contributions(float(self.value[self.roots].mean()), values / n)

    def _descend(
        self, X: Matrix, rows: NDArray[np.int64], nodes: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """One step down for the rows that are not at a leaf: which moved, and all nodes after."""
        rows = rows[self.left[nodes[rows]] >= 0]
        at = nodes[rows]
        asked = X[rows, self.feature[at]].astype(np.float32).astype(np.float64)
        goes_left = np.where(np.isnan(asked), self.missing_left[at], asked <= self.threshold[at])
        nodes[rows] = np.where(goes_left, self.left[at], self.right[at])
        return rows, nodes

    def save(self, writer: PartWriter) -> None:
        """One array for each part."""
        for part in _PARTS:
            writer.save_array(part, getattr(self, part))

    @staticmethod
    def load(reader: PartReader) -> "TreeModel":
        """The model that ``save`` wrote."""
        return TreeModel(
            left=reader.load_array("left").astype(np.int64),
            right=reader.load_array("right").astype(np.int64),
            feature=reader.load_array("feature").astype(np.int64),
            threshold=reader.load_array("threshold").astype(np.float64),
            missing_left=reader.load_array("missing_left").astype(np.bool_),
            value=reader.load_array("value").astype(np.float64),
            roots=reader.load_array("roots").astype(np.int64),
        )


def flatten_trees(trees: "Sequence[DecisionTreeClassifier]") -> TreeModel:
    """Fitted scikit-learn trees of two classes as one ``TreeModel``."""
    sizes = [t.tree_.node_count for t in trees]
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)
    left, right, value = [], [], []
    for start, fitted in zip(starts, trees, strict=True):
        tree = fitted.tree_
        leaf = tree.children_left < 0
        left.append(np.where(leaf, -1, tree.children_left + start))
        right.append(np.where(leaf, -1, tree.children_right + start))
        counts = tree.value[:, 0, :]
        value.append(counts[:, 1] / counts.sum(axis=1))
    return TreeModel(
        left=np.concatenate(left).astype(np.int64),
        right=np.concatenate(right).astype(np.int64),
        feature=np.concatenate([t.tree_.feature for t in trees]).astype(np.int64),
        threshold=np.concatenate([t.tree_.threshold for t in trees]).astype(np.float64),
        missing_left=np.concatenate([t.tree_.missing_go_to_left for t in trees]).astype(np.bool_),
        value=np.concatenate(value).astype(np.float64),
        roots=starts,
    )


@dataclass(frozen=True)
class DecisionTree:
    """One shallow tree; a leaf holds at least 1% of the rows, and never fewer than ``min_leaf``."""

    max_depth: int = 5
    min_leaf: int = 10
    name: str = "decision_tree"

    def fit(self, X: Matrix, y: Labels, *, seed: int) -> TreeModel:
        """Fit on rows that may have holes."""
        from sklearn.tree import DecisionTreeClassifier  # a second: only to fit

        check_labels(X, y)
        estimator: Callable[..., DecisionTreeClassifier] = DecisionTreeClassifier
        tree = estimator(
            max_depth=self.max_depth,
            min_samples_leaf=max(self.min_leaf, len(y) // 100),
            random_state=seed,
        )
        return flatten_trees([tree.fit(X, y)])


@dataclass(frozen=True)
class RandomForest:
    """Many trees on resampled rows; a leaf holds at least 0.2% of the rows."""

    n_trees: int = 150
    max_depth: int = 10
    min_leaf: int = 5
    name: str = "random_forest"

    def fit(self, X: Matrix, y: Labels, *, seed: int) -> TreeModel:
        """Fit on rows that may have holes."""
        from sklearn.ensemble import RandomForestClassifier  # a second: only to fit

        check_labels(X, y)
        estimator: Callable[..., RandomForestClassifier] = RandomForestClassifier
        forest = estimator(
            n_estimators=self.n_trees,
            max_depth=self.max_depth,
            min_samples_leaf=max(self.min_leaf, len(y) // 500),
            max_features="sqrt",
            n_jobs=2,
            random_state=seed,
        )
        return flatten_trees(forest.fit(X, y).estimators_)
