"""How much an event of a history counts: by what was done, how often and how long ago."""

from dataclasses import dataclass

import numpy as np

from lingxi.errors import InvalidInput, did_you_mean

REPEATS = ("log", "linear", "once")
"""How several events of one item add up; see ``Weighting``."""


@dataclass(frozen=True)
class Weighting:
    """What an event of each kind is worth, and how it fades.

    The weight of an item is ``f(sum of worth · weight over its events) · 2^(-age / half_life) ·
    position_decay^steps``. ``repeats`` says what f is: ``log`` is ``log2(1 + x)``, so that the
    tenth time adds less than the first; ``linear`` is x; ``once`` takes the highest worth among the
    events, whatever their number and weights. Age counts in days from the item's newest event
    (``half_life_days`` 0: it does not matter), steps are the different items met later in the same
    history (1.0: they do not matter). Neither counts where the order of time is not known.
    """

    view: float = 0.1
    cart: float = 0.4
    order: float = 1.0
    half_life_days: float = 0.0
    position_decay: float = 1.0
    repeats: str = "log"

    def __post_init__(self) -> None:
        worths = (self.view, self.cart, self.order, self.half_life_days)
        if not all(np.isfinite(worths)) or min(worths) < 0:
            raise InvalidInput(f"The weights of events must be numbers of at least 0: {self}.")
        if not 0 < self.position_decay <= 1:
            raise InvalidInput(
                f"position_decay must be above 0 and at most 1, but is {self.position_decay}."
            )
        if self.repeats not in REPEATS:
            raise InvalidInput(
                f"Events do not add up as {self.repeats!r}{did_you_mean(self.repeats, REPEATS)}. "
                f"Choose one of {', '.join(REPEATS)}."
            )

    @property
    def fades(self) -> bool:
        """Whether time or order has any say."""
        return self.half_life_days > 0 or self.position_decay < 1


USUAL = Weighting()
"""Orders count 1, what is done again counts less, and time does not matter."""

LINEAR = Weighting(repeats="linear")
"""The sum of the weights as they are, for matrices of ratings or counts."""
