"""One simulated shop for all tests of this room, large enough for statistics."""

import pytest

from lingxi.simulation import Simulated, SimulationSettings, simulate


@pytest.fixture(scope="session")
def settings() -> SimulationSettings:
    return SimulationSettings(customers=3_000, items=240, days=400, seed=11)


@pytest.fixture(scope="session")
def shop(settings: SimulationSettings) -> Simulated:
    return simulate(settings)
