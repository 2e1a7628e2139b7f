"""Features: declared once as Ibis expressions, computed as of any moment and online."""

from typing import TYPE_CHECKING

from lingxi.doors import open_door

if TYPE_CHECKING:
    from lingxi.features.compute import compute_features
    from lingxi.features.feature import Feature, Grain
    from lingxi.features.online import online_features
    from lingxi.features.registry import FEATURES, get_features
else:
    __getattr__ = open_door(__name__, __file__)

__all__ = ["FEATURES", "Feature", "Grain", "compute_features", "get_features", "online_features"]
