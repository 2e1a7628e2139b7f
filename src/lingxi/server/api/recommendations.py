"""What a customer or a visitor would like, and what is like an item."""

from lingxi.access.roles import Scope
from lingxi.app.views import RecommendationsView, SimilarView
from lingxi.server.api.parameters import (
    CustomerId,
    History,
    ItemId,
    Length,
    Like,
    Log,
    check_id,
    check_text,
    read_id,
)
from lingxi.server.api.route import read
from lingxi.server.dependencies import AskAnswers


@read("/v1/recommendations", Scope.RECOMMENDATIONS, "Recommendations for a visitor")
def recommend_to_visitor(
    answers: AskAnswers,
    n: Length = 10,
    history: History = None,
    like: Like = None,
    log: Log = True,
) -> RecommendationsView:
    """Items for someone unknown: from the items of ``history``, else the popular ones."""
    return answers.recommendations(
        None, n=n, history=_read_history(history), like=_read_taste(like), log=log
    )


@read("/v1/recommendations/{customer_id:path}", Scope.RECOMMENDATIONS, "For one customer")
def recommend_to_customer(
    answers: AskAnswers,
    customer_id: CustomerId,
    n: Length = 10,
    history: History = None,
    like: Like = None,
    log: Log = True,
) -> RecommendationsView:
    """Items for one customer, each with the share that past purchases have in its score.

    An id that the shop has never seen is answered as a visitor (``known`` is false), so that a
    page of the shop never stays empty.
    """
    wanted = read_id("customer_id", customer_id)
    return answers.recommendations(
        wanted, n=n, history=_read_history(history), like=_read_taste(like), log=log
    )


@read("/v1/similar/{item_id:path}", Scope.RECOMMENDATIONS, "Items like this one")
def list_similar(answers: AskAnswers, item_id: ItemId, n: Length = 10) -> SimilarView:
    """The items nearest to one item in the model that is in use, best first."""
    return answers.similar(read_id("item_id", item_id), n=n)


def _read_taste(like: list[str] | None) -> tuple[str, ...]:
    return tuple(check_text("like", term) for term in like or ())


def _read_history(history: list[str] | None) -> tuple[str, ...]:
    return tuple(check_id("history", item_id) for item_id in history or ())


ROUTES = [recommend_to_visitor, recommend_to_customer, list_similar]
