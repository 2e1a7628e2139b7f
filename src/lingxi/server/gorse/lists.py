"""Lists of Gorse: recommendations, neighbours, what is new and what is popular."""

from collections.abc import Sequence
from typing import Annotated

from litestar import get, post
from litestar.params import HeaderParameter, JSONBody, QueryParameter

from lingxi.access.roles import Scope
from lingxi.app.answers import Answers
from lingxi.app.queries.gorse import Ask
from lingxi.gorse.nouns import FeedbackBody, Score
from lingxi.server.dependencies import AskAnswers
from lingxi.server.gorse.route import (
    Categories,
    Category,
    ForUser,
    ItemId,
    ListName,
    Number,
    Offset,
    UserId,
    read_duration,
    route,
)

Version = Annotated[
    str, HeaderParameter(name="X-API-Version", description="``2``: items with their scores.")
]
WriteBackType = Annotated[
    str,
    QueryParameter(
        name="write-back-type",
        max_length=100,
        description="Note under this type that the items were shown.",
    ),
]
WriteBackDelay = Annotated[
    str,
    QueryParameter(
        name="write-back-delay", max_length=40, description="From when on it counts: ``10m``."
    ),
]
Scores = Sequence[Score]
_READ = Scope.RECOMMENDATIONS


@route(get, "/recommend/{user_id:str}", _READ, "Recommend to a user")
def recommend(
    answers: AskAnswers,
    user_id: UserId,
    categories: Categories = None,
    n: Number = 10,
    offset: Offset = 0,
    write_back_type: WriteBackType = "",
    write_back_delay: WriteBackDelay = "",
    version: Version = "1",
) -> Sequence[str] | Scores:
    """Items for a user without those they gave feedback on; ids, or with version 2 scores too."""
    ask = Ask(n, offset, tuple(categories or ()), user_id)
    return _recommend(answers, ask, write_back_type, write_back_delay, version)


@route(get, "/recommend/{user_id:str}/{category:str}", _READ, "Recommend of a category")
def recommend_of_category(
    answers: AskAnswers,
    user_id: UserId,
    category: Category,
    n: Number = 10,
    offset: Offset = 0,
    write_back_type: WriteBackType = "",
    write_back_delay: WriteBackDelay = "",
    version: Version = "1",
) -> Sequence[str] | Scores:
    """Items of one category for a user without those they gave feedback on."""
    ask = Ask(n, offset, (category,), user_id)
    return _recommend(answers, ask, write_back_type, write_back_delay, version)


def _recommend(
    answers: Answers, ask: Ask, write_back_type: str, write_back_delay: str, version: str
) -> Sequence[str] | Scores:
    delay = read_duration(write_back_delay)
    found = answers.gorse.recommend(ask)
    ids = [one.id for one in found]
    if write_back_type and ids:
        answers.gorse.write_back(ask.user_id, ids, write_back_type, delay)
    return found if version.strip() == "2" else ids


@route(post, "/session/recommend", _READ, "Recommend to a session")
def recommend_to_session(
    answers: AskAnswers,
    data: JSONBody[list[FeedbackBody]],
    categories: Categories = None,
    n: Number = 10,
    offset: Offset = 0,
) -> Scores:
    """Items like those of a session's feedback, of which nothing is kept."""
    return answers.gorse.session(data, Ask(n, offset, tuple(categories or ())))


@route(post, "/session/recommend/{category:str}", _READ, "Recommend of a category to a session")
def recommend_of_category_to_session(
    answers: AskAnswers,
    category: Category,
    data: JSONBody[list[FeedbackBody]],
    n: Number = 10,
    offset: Offset = 0,
) -> Scores:
    """Items of one category like those of a session's feedback."""
    return answers.gorse.session(data, Ask(n, offset, (category,)))


@route(get, "/latest", _READ, "Latest items")
def list_latest(
    answers: AskAnswers,
    categories: Categories = None,
    user_id: ForUser = "",
    n: Number = 10,
    offset: Offset = 0,
) -> Scores:
    """The newest items; the score is the moment in seconds since 1970."""
    return answers.gorse.latest(Ask(n, offset, tuple(categories or ()), user_id))


@route(get, "/latest/{category:str}", _READ, "Latest items of a category")
def list_latest_of_category(
    answers: AskAnswers,
    category: Category,
    user_id: ForUser = "",
    n: Number = 10,
    offset: Offset = 0,
) -> Scores:
    """The newest items of one category."""
    return answers.gorse.latest(Ask(n, offset, (category,), user_id))


@route(get, "/non-personalized/{name:str}", _READ, "A list for everybody")
def list_for_everybody(
    answers: AskAnswers,
    name: ListName,
    categories: Categories = None,
    user_id: ForUser = "",
    n: Number = 10,
    offset: Offset = 0,
) -> Scores:
    """What is popular of late, whatever the list's name; ``latest`` is what is new."""
    ask = Ask(n, offset, tuple(categories or ()), user_id)
    return answers.gorse.latest(ask) if name == "latest" else answers.gorse.popular(ask)


@route(get, "/collaborative-filtering/{user_id:str}", _READ, "The model's own list")
def list_collaborative(
    answers: AskAnswers,
    user_id: UserId,
    categories: Categories = None,
    n: Number = 10,
    offset: Offset = 0,
) -> Scores:
    """Items that the model in use scores for a user, not filled up with popular ones."""
    return answers.gorse.collaborative(Ask(n, offset, tuple(categories or ()), user_id))


@route(
    get,
    "/collaborative-filtering/{user_id:str}/{category:str}",
    _READ,
    "The model's own list of a category",
)
def list_collaborative_of_category(
    answers: AskAnswers, user_id: UserId, category: Category, n: Number = 10, offset: Offset = 0
) -> Scores:
    """Items of one category that the model in use scores for a user."""
    return answers.gorse.collaborative(Ask(n, offset, (category,), user_id))


@route(get, "/item-to-item/{name:str}/{item_id:str}", _READ, "Items like this one")
def list_item_to_item(
    answers: AskAnswers,
    name: ListName,
    item_id: ItemId,
    categories: Categories = None,
    user_id: ForUser = "",
    n: Number = 10,
    offset: Offset = 0,
) -> Scores:
    """Neighbours of an item in the model in use, whatever the list's name."""
    del name
    return answers.gorse.neighbours(item_id, Ask(n, offset, tuple(categories or ()), user_id))


@route(get, "/item/{item_id:str}/neighbors", _READ, "Neighbours of an item")
def list_neighbours(
    answers: AskAnswers,
    item_id: ItemId,
    categories: Categories = None,
    user_id: ForUser = "",
    n: Number = 10,
    offset: Offset = 0,
) -> Scores:
    """Neighbours of an item in the model in use, best first."""
    return answers.gorse.neighbours(item_id, Ask(n, offset, tuple(categories or ()), user_id))


@route(get, "/item/{item_id:str}/neighbors/{category:str}", _READ, "Neighbours of a category")
def list_neighbours_of_category(
    answers: AskAnswers,
    item_id: ItemId,
    category: Category,
    user_id: ForUser = "",
    n: Number = 10,
    offset: Offset = 0,
) -> Scores:
    """Neighbours of an item that are of one category."""
    return answers.gorse.neighbours(item_id, Ask(n, offset, (category,), user_id))


@route(get, "/user-to-user/{name:str}/{user_id:str}", Scope.CUSTOMERS, "Users like this one")
def list_user_to_user(
    answers: AskAnswers, name: ListName, user_id: UserId, n: Number = 10, offset: Offset = 0
) -> Scores:
    """Users who took interest in the same items, whatever the list's name."""
    del name
    return answers.gorse.user_neighbours(user_id, Ask(n, offset))


@route(get, "/user/{user_id:str}/neighbors", Scope.CUSTOMERS, "Neighbours of a user")
def list_user_neighbours(
    answers: AskAnswers, user_id: UserId, n: Number = 10, offset: Offset = 0
) -> Scores:
    """Users who took interest in the same items, most alike first."""
    return answers.gorse.user_neighbours(user_id, Ask(n, offset))


ROUTES = [
    recommend,
    recommend_of_category,
    recommend_to_session,
    recommend_of_category_to_session,
    list_latest,
    list_latest_of_category,
    list_for_everybody,
    list_collaborative,
    list_collaborative_of_category,
    list_item_to_item,
    list_neighbours,
    list_neighbours_of_category,
    list_user_to_user,
    list_user_neighbours,
]
