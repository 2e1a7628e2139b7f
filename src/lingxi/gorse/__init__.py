"""Users, items and feedback as Gorse has them, kept in the rooms below: nothing is kept twice."""

from typing import TYPE_CHECKING

from lingxi.doors import open_door
from lingxi.gorse.tables import metadata

if TYPE_CHECKING:
    from lingxi.gorse.erasure import forget
    from lingxi.gorse.kinds import Kinds
    from lingxi.gorse.load import import_gorse
    from lingxi.gorse.project import PROJECTIONS
else:
    __getattr__ = open_door(__name__, __file__)

__all__ = ["PROJECTIONS", "Kinds", "forget", "import_gorse", "metadata"]
