"""What a model made of others is made of: nouns only, for those who tell of it."""

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from lingxi.store import Artefact

FILE = "makeup"


class Signal(msgspec.Struct, frozen=True):
    """A signal: its name, of which ``model`` it tells ("" for none), and what it gives."""

    name: str
    model: str
    value: float


class PartWeights(msgspec.Struct, frozen=True):
    """How a model made of others hears one of them.

    A blend multiplies the part's score by ``share``. A learnt blend adds ``linear · r +
    logarithmic · log(r + 0.02)`` to the logit, r being the part's score by that of its best item;
    ``most`` is what its best item has above one that it does not name.
    """

    model: str
    share: float | None = None
    linear: float | None = None
    logarithmic: float | None = None
    most: float | None = None


class Makeup(msgspec.Struct, frozen=True):
    """What a model is made of; ``signals``: of what trees look at, the share of each in what they
    gained, the largest first."""

    parts: tuple[PartWeights, ...] = ()
    item_met: float | None = None
    item_trend: float | None = None
    signals: tuple[Signal, ...] = ()


def load_makeup(artefact: "Artefact") -> Makeup | None:
    """What the recipe for customers of a version is made of; nothing of a single model."""
    if f"{FILE}.json" not in artefact.manifest.files:
        return None
    return artefact.load_json(FILE, Makeup)
