"""What a customer would like: trained on the log, served from each one's own history, with reasons.

Without a server: ``RecommenderModel`` fits any model on a matrix or a data frame,
``recommend_from_ratings`` and ``NeighbourModel`` predict ratings of a table, and there are
``evaluate`` and the scorers (``lingxi.recommend.operators``, ``.neighbourhoods``) on matrices.
"""

from typing import TYPE_CHECKING

from lingxi.doors import open_door

if TYPE_CHECKING:
    from lingxi.recommend.baskets import Together
    from lingxi.recommend.erasure import forget
    from lingxi.recommend.estimator import RecommenderModel
    from lingxi.recommend.evaluation import evaluate
    from lingxi.recommend.ratings import NeighbourModel, Rated, recommend_from_ratings
    from lingxi.recommend.recommender import Recommender
    from lingxi.recommend.rules import RuleSettings
    from lingxi.recommend.scorer import Scorer
    from lingxi.recommend.standing import Recommended
    from lingxi.recommend.train import train_recommenders
else:
    __getattr__ = open_door(__name__, __file__)

__all__ = [
    "NeighbourModel",
    "Rated",
    "Recommended",
    "Recommender",
    "RecommenderModel",
    "RuleSettings",
    "Scorer",
    "Together",
    "evaluate",
    "forget",
    "recommend_from_ratings",
    "train_recommenders",
]
