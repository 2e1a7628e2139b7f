"""A table with holes whose outcome is known by construction, and a place to keep model parts."""

import lightgbm
import numpy as np
import pytest


class MemoryParts:
    """Keeps the parts of one model, LightGBM as text."""

    def __init__(self):
        self.kept = {}

    def save_array(self, name, array):
        self.kept[name] = np.array(array)

    def save_json(self, name, value):
        self.kept[name] = value

    def save_lightgbm(self, name, booster):
        self.kept[name] = booster.model_to_string()

    def load_array(self, name):
        return self.kept[name]

    def load_json(self, name):
        return self.kept[name]

    def load_lightgbm(self, name):
        return lightgbm.Booster(model_str=self.kept[name])


def draw_table(n, seed):
    """Log-odds = 1.5 x0 - x1 + (x2 missing); x3 is noise, x4 constant, x5 always missing."""
    rng = np.random.default_rng(seed)
    X = rng.normal(0, 1, (n, 6))
    missing = rng.uniform(size=n) < 0.3
    odds = 1.5 * X[:, 0] - X[:, 1] + missing
    y = (rng.uniform(size=n) < 1 / (1 + np.exp(-odds))).astype(np.int8)
    X[missing, 2] = np.nan
    X[:, 4] = 3.0
    X[:, 5] = np.nan
    return X, y


@pytest.fixture
def parts():
    return MemoryParts()


@pytest.fixture(scope="session")
def table():
    return draw_table(3000, 0)


@pytest.fixture(scope="session")
def later_table():
    return draw_table(1500, 1)
