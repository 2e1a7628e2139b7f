"""A recipe: everything that, with the data, determines a fitted model; kept in the artefact."""

from collections.abc import Mapping

import msgspec

from lingxi.recommend.history import Weighting

Param = float | int | str

COMMON: Mapping[str, Param] = {
    "taught_half_life": 0.0,
    "history_half_life": 0.0,
    "position_decay": 1.0,
    "repeats": "log",
    "trend": 0.0,
    "trend_half_life": 7.0,
    "damping": 0.0,
}
"""Parameters that every recipe may have, with what holds where it does not say.

``taught_half_life`` (days): ageing of what the model learns from; ``history_half_life`` and
``position_decay``: of what it scores from; ``repeats``: how several events of one item add up
(``history.Weighting``); ``trend``, ``trend_half_life`` and ``damping``: see
``factors.find_factor``.
"""


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """A model's name and those parameters that differ from its family's defaults.

    ``parts`` are the recipes a blend is made of, ``shares`` their factors; ``trees`` are those of a
    ranker, as LightGBM writes them. Made and checked by ``families.make_recipe``.
    """

    name: str
    params: dict[str, Param] = {}
    parts: "tuple[Recipe, ...]" = ()
    shares: tuple[float, ...] = ()
    trees: str = ""

    def common(self, name: str) -> Param:
        """One of the parameters that every recipe may have."""
        return self.params.get(name, COMMON[name])

    @property
    def taught_weighting(self) -> Weighting:
        """Weights of what the model learns from."""
        return Weighting(
            half_life_days=float(self.common("taught_half_life")),
            repeats=str(self.common("repeats")),
        )

    @property
    def history_weighting(self) -> Weighting:
        """Weights of the history it scores from."""
        return Weighting(
            half_life_days=float(self.common("history_half_life")),
            position_decay=float(self.common("position_decay")),
            repeats=str(self.common("repeats")),
        )
