"""Differences between two groups with their intervals: of shares, and of means.

They are what a simple comparison with a holdout needs; neither adjusts for anything.
"""

from dataclasses import dataclass
from math import isfinite, sqrt

from scipy.special import ndtri, stdtrit

from lingxi.errors import InvalidInput, NotEnoughData
from lingxi.stats.bootstrap import Interval


@dataclass(frozen=True)
class Moments:
    """What is known of an outcome in a group: units, their sum and their sum of squares."""

    n: int
    total: float
    squares: float

    @property
    def mean(self) -> float:
        """The mean per unit."""
        return self.total / self.n

    @property
    def variance(self) -> float:
        """The unbiased variance; rounding never makes it negative."""
        spread = self.squares - self.total * self.total / self.n
        return max(0.0, spread) / (self.n - 1)


def wilson_interval(successes: int, n: int, *, alpha: float = 0.05) -> Interval:
    """A share with Wilson's score interval.

    Raises
    ------
    NotEnoughData
        If there is nobody.
    InvalidInput
        If there are more successes than units, or fewer than none.

    Source
    ------
    Wilson (1927), Journal of the American Statistical Association 22(158).

    Examples
    --------
    >>> wilson_interval(0, 10).high < 0.28
    True
    """
    if n < 1:
        raise NotEnoughData("A share needs at least one unit, but there is none.")
    if not 0 <= successes <= n:
        raise InvalidInput(f"{successes} of {n} is no share.")
    z = float(ndtri(1 - alpha / 2))
    share = successes / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return Interval(share, max(0.0, middle - half), min(1.0, middle + half))


def difference_of_shares(
    successes: int, n: int, other_successes: int, other_n: int, *, alpha: float = 0.05
) -> Interval:
    """A share minus another, of independent groups, with Newcombe's hybrid score interval.

    It holds its coverage with few units and with shares near 0 or 1, where the textbook's
    normal interval does not.

    Raises
    ------
    NotEnoughData
        If one of the groups is empty.
    InvalidInput
        If a group has more successes than units.

    Source
    ------
    Newcombe (1998), Statistics in Medicine 17(8), method 10.

    Examples
    --------
    >>> found = difference_of_shares(56, 70, 48, 80)
    >>> round(found.value, 4), round(found.low, 4), round(found.high, 4)
    (0.2, 0.0524, 0.3339)
    """
    first = wilson_interval(successes, n, alpha=alpha)
    second = wilson_interval(other_successes, other_n, alpha=alpha)
    value = first.value - second.value
    down = sqrt((first.value - first.low) ** 2 + (second.high - second.value) ** 2)
    up = sqrt((first.high - first.value) ** 2 + (second.value - second.low) ** 2)
    return Interval(value, value - down, value + up)


def difference_of_means(first: Moments, second: Moments, *, alpha: float = 0.05) -> Interval:
    """A mean minus another, of independent groups, with Welch's interval, in the outcome's unit.

    Raises
    ------
    NotEnoughData
        If a group has fewer than two units, or what is known of it is not finite.

    Source
    ------
    Welch (1947), Biometrika 34(1-2); degrees of freedom of Satterthwaite (1946), Biometrics
    Bulletin 2(6).

    Examples
    --------
    >>> round(difference_of_means(Moments(100, 20, 20), Moments(100, 10, 10)).value, 6)
    0.1
    """
    for group in (first, second):
        if group.n < 2 or not (isfinite(group.total) and isfinite(group.squares)):
            raise NotEnoughData(
                f"A difference of means needs at least two units in each group, but one has "
                f"{group.n}."
            )
    value = first.mean - second.mean
    parts = (first.variance / first.n, second.variance / second.n)
    error = sqrt(sum(parts))
    if error == 0.0:
        return Interval(value, value, value)
    freedom = sum(parts) ** 2 / (parts[0] ** 2 / (first.n - 1) + parts[1] ** 2 / (second.n - 1))
    half = float(stdtrit(freedom, 1 - alpha / 2)) * error
    return Interval(value, value - half, value + half)
