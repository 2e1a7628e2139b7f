"""A recipe: everything that, with the data, determines a fitted model; kept in the artefact."""

import msgspec

from lingxi.errors import InvalidInput, did_you_mean
from lingxi.recommend.history import Weighting
from lingxi.recommend.neighbourhoods import UserKnn
from lingxi.recommend.operators import ItemKnn, Rp3Beta
from lingxi.recommend.popularity import Popularity
from lingxi.recommend.scorer import Scorer

NAMES = ("popularity", "item_cosine", "item_pearson", "rp3beta", "user_cosine", "user_pearson")
"""The models, the simpler first."""

ITEM_NAMES = ("item_cosine", "item_pearson", "rp3beta")
"""Those that are item-item operators, and can serve a visitor."""


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """A model's name and its hyper-parameters; half-lives are in days, 0 for none.

    ``taught_half_life``: ageing of what the model learns from; ``history_half_life``: of what it
    scores from; ``trend_half_life`` and ``trend``: see ``model.find_trend``.
    """

    name: str
    k: int = 100
    length: int = 400
    shrinkage: float = 0.0
    alpha: float = 0.6
    beta: float = 0.2
    taught_half_life: float = 0.0
    history_half_life: float = 0.0
    trend_half_life: float = 7.0
    trend: float = 0.0

    @property
    def taught_weighting(self) -> Weighting:
        """Weights of what the model learns from."""
        return Weighting(half_life_days=self.taught_half_life)

    @property
    def history_weighting(self) -> Weighting:
        """Weights of the history it scores from."""
        return Weighting(half_life_days=self.history_half_life)


def build_scorer(recipe: Recipe) -> Scorer:
    """The unfitted scorer of a recipe.

    Raises
    ------
    InvalidInput
        If no model has this name.

    Examples
    --------
    >>> build_scorer(Recipe(name="rp3beta")).personal
    False
    """
    match recipe.name:
        case "popularity":
            return Popularity(recipe.name)
        case "item_cosine" | "item_pearson":
            return ItemKnn(
                recipe.name,
                "cosine" if recipe.name == "item_cosine" else "pearson_zero_filled",
                k=recipe.k,
                length=recipe.length,
                shrinkage=recipe.shrinkage,
            )
        case "rp3beta":
            return Rp3Beta(
                recipe.name,
                k=recipe.k,
                alpha=recipe.alpha,
                beta=recipe.beta,
                length=recipe.length,
            )
        case "user_cosine":
            return UserKnn(recipe.name, "cosine", k=recipe.k)
        case "user_pearson":
            return UserKnn(recipe.name, "pearson_zero_filled", k=recipe.k)
    raise InvalidInput(
        f"There is no model {recipe.name!r}{did_you_mean(recipe.name, NAMES)}. "
        f"Choose one of {', '.join(NAMES)}."
    )
