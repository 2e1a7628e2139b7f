"""The project's own scorers keep the contract that plug-in authors are given; wrong ones do not."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from lingxi.recommend.als import Als
from lingxi.recommend.blend import Blend
from lingxi.recommend.graph import GraphFilter
from lingxi.recommend.histories import Histories
from lingxi.recommend.matrix import Csr, scale
from lingxi.recommend.neighbourhoods import UserKnn
from lingxi.recommend.operators import ItemKnn, Rp3Beta
from lingxi.recommend.popularity import Popularity
from lingxi.recommend.regression import Ease, Slim
from lingxi.recommend.scorer import Scorer
from lingxi.store import ArtefactWriter
from lingxi.testing import ScorerContract


class TestItemCosine(ScorerContract):
    def make(self) -> Scorer:
        return ItemKnn("item_cosine", k=10)


class TestItemPearson(ScorerContract):
    def make(self) -> Scorer:
        return ItemKnn("item_pearson", "pearson_zero_filled", k=10)


class TestUserCosine(ScorerContract):
    def make(self) -> Scorer:
        return UserKnn("user_cosine", "cosine", k=10)


class TestUserPearson(ScorerContract):
    def make(self) -> Scorer:
        return UserKnn("user_pearson", "pearson_zero_filled", k=10)


class TestRp3Beta(ScorerContract):
    def make(self) -> Scorer:
        return Rp3Beta("rp3beta")


class TestItemLogLikelihood(ScorerContract):
    def make(self) -> Scorer:
        return ItemKnn("item_log_likelihood", "log_likelihood", k=10)


class TestUserBm25(ScorerContract):
    def make(self) -> Scorer:
        return UserKnn("user_bm25", "bm25", k=10, shrinkage=2.0)


class TestUserJaccard(ScorerContract):
    def make(self) -> Scorer:
        return UserKnn("user_jaccard", "jaccard", k=10)


class TestAls(ScorerContract):
    def make(self) -> Scorer:
        return Als("als", factors=8, epochs=4)


class TestGraphFilter(ScorerContract):
    def make(self) -> Scorer:
        return GraphFilter("graph", rank=6)


class TestEase(ScorerContract):
    def make(self) -> Scorer:
        return Ease("ease", reg=5.0)


class TestSlim(ScorerContract):
    def make(self) -> Scorer:
        return Slim("slim", k=10, reg=2.0)


class TestBlend(ScorerContract):
    def make(self) -> Scorer:
        return Blend("blend", (ItemKnn("item_cosine", k=10), Als("als", factors=8)), (0.7, 0.2))


class TestBlendOfCustomers(ScorerContract):
    def make(self) -> Scorer:
        parts = (UserKnn("a", "cosine", k=10), UserKnn("b", "tfidf", k=10))
        return Blend("blend", parts, (0.7, 0.2))


class TestPopularity(ScorerContract):
    def make(self) -> Scorer:
        return Popularity("popularity")


class _Inexact(ItemKnn):
    def explain(self, histories: Histories, lists: NDArray[np.int64]) -> Csr:
        exact = super().explain(histories, lists)
        return scale(exact, 0.5 * exact.data)


class _Moody(ItemKnn):
    def score(self, histories: Histories) -> NDArray[np.float32]:
        scores = super().score(histories)
        return scores + np.float32(0.01 * histories.n_rows)


class _Forgetful(UserKnn):
    def save(
        self, writer: ArtefactWriter, prefix: str, customers: NDArray[np.int64]
    ) -> dict[str, str]:
        super().save(writer, prefix, customers)
        return {}


def _contract(scorer: Scorer) -> ScorerContract:
    class Check(ScorerContract):
        def make(self) -> Scorer:
            return scorer

    return Check()


def test_the_contract_catches_shares_that_do_not_add_up() -> None:
    with pytest.raises(AssertionError):
        _contract(_Inexact("inexact")).test_shares_of_the_history_add_up_to_the_score()


def test_the_contract_catches_scores_that_depend_on_the_batch() -> None:
    with pytest.raises(AssertionError):
        _contract(_Moody("moody")).test_a_history_is_scored_alike_alone_and_among_others()


def test_the_contract_catches_customers_kept_in_secret(tmp_path: Path) -> None:
    check = _contract(_Forgetful("forgetful", "cosine", k=10))
    with pytest.raises(AssertionError, match="rows of customers"):
        check.test_what_is_saved_is_loaded_and_scores_alike(tmp_path)
