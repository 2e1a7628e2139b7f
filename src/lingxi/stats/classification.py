"""How well a score tells those to whom something happened from the others.

Everywhere ``labels`` is 0 or 1 (1: it happened), ``scores`` is higher where it is more likely, and
ties are treated without favour: they count one half, or share what they take part in.
"""

from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from lingxi.errors import NotEnoughData
from lingxi.stats.bootstrap import Interval
from lingxi.stats.ranks import rank_average

_EPSILON = 1e-15


def area_under_curve(
    labels: NDArray[np.int8], scores: NDArray[np.float64], *, alpha: float = 0.05
) -> Interval:
    """Area under the ROC curve: the chance that a positive scores above a negative.

    Raises
    ------
    NotEnoughData
        If either class has fewer than two members.

    Source
    ------
    DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44(3); ranks after Sun and Xu (2014), IEEE
    Signal Processing Letters 21(11).

    Examples
    --------
    >>> area_under_curve(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8])).value
    0.75
    """
    of_positives, of_negatives = _placements(labels, scores)
    value = float(of_positives.mean())
    variance = of_positives.var(ddof=1) / len(of_positives)
    variance += of_negatives.var(ddof=1) / len(of_negatives)
    return _normal_interval(value, float(np.sqrt(variance)), alpha, 0.0, 1.0)


def auc_difference(
    labels: NDArray[np.int8],
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    *,
    alpha: float = 0.05,
) -> Interval:
    """AUC of ``first`` less AUC of ``second`` on the same customers, their correlation counted.

    Raises
    ------
    NotEnoughData
        If either class has fewer than two members.

    Source
    ------
    DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44(3).
    """
    positives_1, negatives_1 = _placements(labels, first)
    positives_2, negatives_2 = _placements(labels, second)
    on_positives, on_negatives = positives_1 - positives_2, negatives_1 - negatives_2
    variance = on_positives.var(ddof=1) / len(on_positives)
    variance += on_negatives.var(ddof=1) / len(on_negatives)
    value = float(on_positives.mean())
    return _normal_interval(value, float(np.sqrt(variance)), alpha, -1.0, 1.0)


def average_precision(labels: NDArray[np.int8], scores: NDArray[np.float64]) -> float:
    """Precision averaged over the recall gained at each distinct score; base rate if random.

    Raises
    ------
    NotEnoughData
        If there is no positive.

    Examples
    --------
    >>> round(average_precision(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8])), 4)
    0.8333
    """
    _check(labels, scores, positives=1, negatives=0)
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    last_of_group = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)
    hits = np.cumsum(labels[order])[last_of_group]
    precision = hits / (last_of_group + 1)
    recall = hits / hits[-1]
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def precision_at_share(
    labels: NDArray[np.int8], scores: NDArray[np.float64], share: float
) -> float:
    """Share of positives among the ``share`` with the highest scores (rounded up to a whole head).

    Those tied at the edge are taken in proportion, so the order of rows does not matter.

    Raises
    ------
    NotEnoughData
        If there are no rows.
    ValueError
        If ``share`` is not in (0, 1].

    Examples
    --------
    >>> precision_at_share(np.array([1, 0, 1, 0]), np.array([0.9, 0.8, 0.8, 0.1]), 0.5)
    0.75
    """
    _check(labels, scores, positives=0, negatives=0)
    if not 0 < share <= 1:
        raise ValueError(f"share must be in (0, 1], not {share}")
    size = int(np.ceil(share * len(labels)))
    edge = np.partition(scores, len(scores) - size)[len(scores) - size]
    above, at_edge = scores > edge, scores == edge
    taken = float(labels[above].sum())
    taken += float(labels[at_edge].mean()) * (size - int(above.sum()))
    return taken / size


def brier_score(labels: NDArray[np.int8], probabilities: NDArray[np.float64]) -> float:
    """Mean squared distance of the probability from what happened; lower is better.

    Raises
    ------
    NotEnoughData
        If there are no rows.

    Source
    ------
    Brier (1950), Monthly Weather Review 78(1).
    """
    _check(labels, probabilities, positives=0, negatives=0)
    return float(np.mean((probabilities - labels) ** 2))


def log_loss(labels: NDArray[np.int8], probabilities: NDArray[np.float64]) -> float:
    """Mean negative log-likelihood in nats, probabilities kept 1e-15 from 0 and 1.

    Raises
    ------
    NotEnoughData
        If there are no rows.
    """
    _check(labels, probabilities, positives=0, negatives=0)
    p = np.clip(probabilities, _EPSILON, 1 - _EPSILON)
    return float(-np.mean(labels * np.log(p) + (1 - labels) * np.log1p(-p)))


def _placements(
    labels: NDArray[np.int8], scores: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """For each positive the share of negatives below it, and for each negative of positives above.

    Both average to the AUC; their variances make DeLong's.
    """
    _check(labels, scores, positives=2, negatives=2)
    positive = labels == 1
    high, low = scores[positive], scores[~positive]
    ranks = rank_average(np.concatenate([high, low]))
    of_high = (ranks[: len(high)] - rank_average(high)) / len(low)
    of_low = 1 - (ranks[len(high) :] - rank_average(low)) / len(high)
    return of_high, of_low


def _normal_interval(
    value: float, error: float, alpha: float, floor: float, ceiling: float
) -> Interval:
    reach = NormalDist().inv_cdf(1 - alpha / 2) * error
    return Interval(value, max(floor, value - reach), min(ceiling, value + reach))


def _check(
    labels: NDArray[np.int8], scores: NDArray[np.float64], *, positives: int, negatives: int
) -> None:
    if len(labels) != len(scores):
        raise ValueError(f"{len(labels)} labels but {len(scores)} scores")
    found = int(np.sum(labels))
    if len(labels) == 0 or found < positives or len(labels) - found < negatives:
        raise NotEnoughData(
            f"This measure needs at least {positives} customers to whom it happened and"
            f" {negatives} to whom it did not, but there are {found} and {len(labels) - found}."
            " Take a longer period or more customers."
        )
