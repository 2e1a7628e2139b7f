"""The unmodified Python client of Gorse, PyGorse, runs its own workflow against our server."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from gorse import AsyncGorse, Gorse, GorseException
from lingxi.app.shop import Shop

STAMP = "2026-06-01T10:20:30Z"
Call = Callable[..., Any]


@pytest.fixture(params=["sync", "async"])
def client(request: pytest.FixtureRequest, address: str, secret: str) -> Call:
    """A call by the method's name, through one client or the other; each has ids of its own."""
    if request.param == "sync":
        plain = Gorse(address, secret)
        return lambda name, *given, **named: getattr(plain, name)(*given, **named)
    modern = AsyncGorse(address, secret)
    return lambda name, *given, **named: asyncio.run(getattr(modern, name)(*given, **named))


@pytest.fixture
def mine(request: pytest.FixtureRequest) -> str:
    """The beginning of ids that no other test uses."""
    return request.node.name.replace("[", "-").replace("]", "-")


def test_users(client: Call, mine: str) -> None:
    user = {"UserId": mine, "Labels": ["a", "b", "c"], "Subscribe": ["d", "e"], "Comment": "words"}
    assert client("insert_user", user) == {"RowAffected": 1}
    assert client("get_user", mine) == user
    others = [{"UserId": f"{mine}{n}", "Labels": {"n": n}, "Comment": ""} for n in range(3)]
    assert client("insert_users", others) == {"RowAffected": 3}
    assert client("get_user", f"{mine}1") == others[1]
    assert client("delete_user", mine) == {"RowAffected": 1}
    with pytest.raises(GorseException) as refused:
        client("get_user", mine)
    assert refused.value.status_code == 404


def test_pages_of_users_hold_everybody_once(client: Call) -> None:
    seen: list[str] = []
    cursor = ""
    while True:
        users, cursor = client("get_users", 7, cursor)
        seen += [user["UserId"] for user in users]
        if not cursor:
            break
    assert {f"u{n}" for n in range(60)} <= set(seen)
    assert len(seen) == len(set(seen))


def test_items(client: Call, mine: str) -> None:
    items = [
        {
            "ItemId": f"{mine}{n}",
            "IsHidden": True,
            "Labels": ["a", "b"],
            "Categories": ["d", "e"],
            "Timestamp": STAMP,
            "Comment": "words",
        }
        for n in range(5)
    ]
    for item in items:
        assert client("insert_item", item) == {"RowAffected": 1}
    assert client("get_item", f"{mine}0") == items[0]
    found = client("search_items", mine, 10)
    assert found == items
    assert client("update_item", f"{mine}0", labels=["x", "y"]) == {"RowAffected": 1}
    assert client("get_item", f"{mine}0") == {**items[0], "Labels": ["x", "y"]}
    assert client("update_item", f"{mine}0", is_hidden=False, categories=["z"], comment="new")
    changed = {**items[0], "Labels": ["x", "y"], "IsHidden": False}
    assert client("get_item", f"{mine}0") == {**changed, "Categories": ["z"], "Comment": "new"}
    assert client("delete_item", f"{mine}0") == {"RowAffected": 1}
    with pytest.raises(GorseException) as refused:
        client("get_item", f"{mine}0")
    assert refused.value.status_code == 404
    assert client("search_items", mine, 10) == items[1:]


def test_pages_of_items_end_with_an_empty_cursor(client: Call) -> None:
    seen: list[str] = []
    cursor = ""
    while True:
        items, cursor = client("get_items", 9, cursor)
        seen += [item["ItemId"] for item in items]
        if not cursor:
            break
    assert {f"i{n}" for n in range(40)} <= set(seen)
    assert len(seen) == len(set(seen))


def test_feedback(client: Call, mine: str) -> None:
    assert client("insert_feedback", "like", mine, "i1", STAMP) == {"RowAffected": 1}
    told = [
        {"FeedbackType": "read", "UserId": mine, "ItemId": item, "Timestamp": STAMP}
        for item in ("i2", "i3")
    ]
    assert client("insert_feedbacks", told) == {"RowAffected": 2}
    listed = client("list_feedbacks", "read", mine)
    assert [{name: row[name] for name in told[0]} for row in listed] == told
    assert {row["Comment"] for row in listed} == {""}
    everything: list[dict[str, Any]] = []
    cursor = ""
    while True:
        rows, cursor = client("get_feedbacks", 100, cursor)
        everything += rows
        if not cursor:
            break
    assert len(everything) >= 483
    assert [row for row in everything if row["UserId"] == mine] == [
        *client("list_feedbacks", "like", mine),
        *listed,
    ]
    assert client("delete_feedback", mine, "i2") == {"RowAffected": 1}
    assert [row["ItemId"] for row in client("list_feedbacks", "read", mine)] == ["i3"]
    assert client("delete_feedback", mine, "i2") == {"RowAffected": 0}


def test_feedback_counts_in_the_very_next_recommendation(client: Call, mine: str) -> None:
    stamp = datetime(2026, 6, 30, tzinfo=UTC).isoformat()
    client("insert_feedback", "like", mine, "i1", stamp)
    jazz = [int(score.id[1:]) for score in client("get_recommend", mine, n=5)]
    assert all(item < 20 for item in jazz)
    assert 1 not in jazz
    client("delete_feedback", mine, "i1")
    client("insert_feedback", "like", mine, "i21", stamp)
    rock = [int(score.id[1:]) for score in client("get_recommend", mine, n=5)]
    assert all(item >= 20 for item in rock)
    assert 21 not in rock


def test_recommendations_are_scored_cut_and_of_a_category(client: Call) -> None:
    whole = client("get_recommend", "u1", n=12)
    scores = [one.score for one in whole]
    assert scores == sorted(scores, reverse=True)
    part = client("get_recommend", "u1", n=4, offset=3)
    assert [one.id for one in part] == [one.id for one in whole][3:7]
    rock = client("get_recommend", "u1", category="rock", n=30)
    assert {int(one.id[1:]) >= 20 for one in rock} == {True}
    liked = {row["ItemId"] for row in client("list_feedbacks", "like", "u1")}
    assert not liked & {one.id for one in client("get_recommend", "u1", n=40)}


def test_what_was_written_back_is_not_recommended_again(client: Call, mine: str) -> None:
    client("insert_user", {"UserId": mine})
    client("insert_feedback", "like", mine, "i1", STAMP)
    first = client("get_recommend", mine, n=3, write_back_type="read")
    second = client("get_recommend", mine, n=3, write_back_type="read", write_back_delay="10m")
    third = client("get_recommend", mine, n=3)
    ids = [[one.id for one in each] for each in (first, second, third)]
    assert not set(ids[0]) & set(ids[1])
    assert ids[1] == ids[2]  # the delay is not over yet
    assert [row["ItemId"] for row in client("list_feedbacks", "read", mine)] == sorted(ids[0])


def test_a_session_is_served_and_not_kept(client: Call) -> None:
    told = [
        {
            "FeedbackType": "like",
            "UserId": "nobody",
            "ItemId": f"i{n}",
            "Timestamp": f"20{10 - n}-01-01",
        }
        for n in (1, 2)
    ]
    found = client("session_recommend", told, 3)
    assert len(found) == 3
    assert all(int(one["Id"][1:]) < 20 for one in found)
    assert not {"i1", "i2"} & {one["Id"] for one in found}
    with pytest.raises(GorseException):
        client("get_user", "nobody")
    for user in ({"UserId": ""}, {}):  # of a visitor nobody knows
        anonymous = [{"FeedbackType": "like", "ItemId": f"i{n}", **user} for n in (1, 2)]
        assert len(client("session_recommend", anonymous, 3)) == 3
        with pytest.raises(GorseException, match="UserId"):
            client("insert_feedbacks", anonymous)


def test_neighbours_are_of_the_same_taste(client: Call) -> None:
    found = client("get_neighbors", "i5", 6)
    assert len(found) == 6
    assert all(int(one["Id"][1:]) < 20 and one["Id"] != "i5" for one in found)
    assert client("get_neighbors", "i5", 3, 2) == found[2:5]


def test_a_deleted_item_is_gone_from_the_next_answer(client: Call, music: Shop, mine: str) -> None:
    client("insert_feedback", "like", mine, "i1", STAMP)
    (first, *_) = client("get_recommend", mine, n=3)
    client("update_item", first.id, is_hidden=True)
    assert first.id not in {one.id for one in client("get_recommend", mine, n=40)}
    client("update_item", first.id, is_hidden=False)
    assert first.id in {one.id for one in client("get_recommend", mine, n=40)}
    extra = f"{mine}-extra"
    client("insert_item", {"ItemId": extra, "Timestamp": STAMP})
    client("insert_feedback", "read", mine, extra, STAMP)
    client("delete_item", extra)
    assert client("list_feedbacks", "read", mine) == []
    with music.store.read() as tx:
        assert (
            tx.exec_driver_sql(
                "select count(*) from item_history where item_id = ?", (extra,)
            ).scalar_one()
            == 0
        )


def test_a_wrong_key_is_refused(address: str) -> None:
    with pytest.raises(GorseException) as refused:
        Gorse(address, "wrong").get_items(1)
    assert refused.value.status_code == 401
