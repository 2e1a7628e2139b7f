"""A virtual shop whose truth is known."""

from lingxi.simulation.settings import PRESETS, DirtSettings, SimulationSettings, preset
from lingxi.simulation.shop import Simulated, simulate, write_shop

__all__ = [
    "PRESETS",
    "DirtSettings",
    "Simulated",
    "SimulationSettings",
    "preset",
    "simulate",
    "write_shop",
]
