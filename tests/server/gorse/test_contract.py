"""Statuses and bodies of Gorse's API, as its own server answers them."""

from typing import Any

import httpx
import pytest

from lingxi.access import Scope, create_key
from lingxi.app.people import ConsentWord, say_consent
from lingxi.app.shop import Shop

STAMP = "2026-06-01T10:20:30Z"


@pytest.fixture
def http(address: str, secret: str) -> httpx.Client:
    return httpx.Client(base_url=f"{address}/api", headers={"X-API-Key": secret}, timeout=60)


def tell(item: str, **more: Any) -> dict[str, Any]:
    return {"FeedbackType": "click", "UserId": "teller", "ItemId": item, "Timestamp": STAMP, **more}


def test_health_needs_no_key(address: str) -> None:
    for name in ("live", "ready"):
        answer = httpx.get(f"{address}/api/health/{name}")
        assert answer.status_code == 200
        assert answer.json() == {
            "Ready": True,
            "DataStoreError": None,
            "CacheStoreError": None,
            "DataStoreConnected": True,
            "CacheStoreConnected": True,
        }


def test_posted_feedback_adds_up_and_put_feedback_takes_its_place(http: httpx.Client) -> None:
    for value in (1, 2.5):
        assert http.post("/feedback", json=[tell("i1", Value=value)]).json() == {"RowAffected": 1}
    (row,) = http.get("/feedback/teller/i1").json()
    assert row["Value"] == 3.5
    later = tell("i1", Value=7, Comment="no, 7", Timestamp="2026-06-02T00:00:00Z")
    assert http.put("/feedback", json=[later]).json() == {"RowAffected": 1}
    (row,) = http.get("/feedback/teller/i1").json()
    assert {name: row[name] for name in later} == later
    assert http.post("/feedback", json=[tell("i1", Value=1)]).json() == {"RowAffected": 1}
    (row,) = http.get("/feedback/teller/i1").json()
    assert (row["Value"], row["Timestamp"]) == (8.0, STAMP)
    assert row["Updated"] == "2026-06-02T00:00:00Z"
    assert http.get("/feedback/click/teller/i1").json() == row


def test_feedback_is_deleted_by_type_or_all(http: httpx.Client) -> None:
    http.post("/feedback", json=[tell("i2", FeedbackType=kind) for kind in ("a", "b", "c")])
    assert len(http.get("/feedback/teller/i2").json()) == 3
    assert http.delete("/feedback/b/teller/i2").json() == {"RowAffected": 1}
    assert http.get("/feedback/b/teller/i2").status_code == 404
    assert http.delete("/feedback/teller/i2").json() == {"RowAffected": 2}
    assert http.get("/feedback/teller/i2").json() == []
    assert http.delete("/feedback/nobody/i2").json() == {"RowAffected": 0}
    page = http.get("/feedback/like", params={"n": 5}).json()
    assert len(page["Feedback"]) == 5
    assert {row["FeedbackType"] for row in page["Feedback"]} == {"like"}


def test_items_that_feedback_names_are_made(http: httpx.Client) -> None:
    http.post("/feedback", json=[tell("brand-new")])
    assert http.get("/item/brand-new").json() == {
        "ItemId": "brand-new",
        "IsHidden": False,
        "Categories": None,
        "Timestamp": "0001-01-01T00:00:00Z",
        "Labels": None,
        "Comment": "",
    }
    assert http.get("/user/teller").json() == {"UserId": "teller", "Labels": None, "Comment": ""}
    assert [row["UserId"] for row in http.get("/item/brand-new/feedback/").json()] == ["teller"]
    assert http.get("/item/brand-new/feedback/star").json() == []


def test_categories_are_added_and_removed(http: httpx.Client) -> None:
    http.post("/item", json={"ItemId": "c1", "Categories": ["-"], "Timestamp": STAMP})
    assert http.put("/item/c1/category/@").json() == {"RowAffected": 1}
    assert http.get("/item/c1").json()["Categories"] == ["-", "@"]
    assert [one["Id"] for one in http.get("/latest/@").json()] == ["c1"]
    assert http.delete("/item/c1/category/@").json() == {"RowAffected": 1}
    assert http.get("/item/c1").json()["Categories"] == ["-"]
    assert http.get("/latest/@").json() == []
    assert http.put("/item/nothing/category/@").status_code == 404


def test_the_latest_come_by_their_moments_and_without_what_was_seen(http: httpx.Client) -> None:
    for n in range(3):
        body = {"ItemId": f"l{n}", "Categories": ["new"], "Timestamp": f"2026-06-1{n}T00:00:00Z"}
        http.post("/item", json={**body, "IsHidden": n == 1})
    found = http.get("/latest", params={"category": "new"}).json()
    assert found == [{"Id": "l2", "Score": 1781222400.0}, {"Id": "l0", "Score": 1781049600.0}]
    http.post("/feedback", json=[tell("l2")])
    seen = http.get("/latest/", params={"category": "new", "user-id": "teller"}).json()
    assert [one["Id"] for one in seen] == ["l0"]
    assert http.get("/latest/new", params={"offset": 1}).json() == found[1:]


def test_lists_of_every_kind_answer(http: httpx.Client) -> None:
    http.post("/feedback", json=[tell("i3", FeedbackType="like", UserId="lister")])
    for path in (
        "/non-personalized/popular",
        "/collaborative-filtering/lister",
        "/collaborative-filtering/lister/jazz",
        "/item-to-item/default/i3",
        "/item/i3/neighbors/",
        "/item/i3/neighbors/jazz",
        "/user-to-user/default/lister",
        "/user/lister/neighbors/",
    ):
        answer = http.get(path, params={"n": 4})
        assert answer.status_code == 200, path
        found = answer.json()
        assert len(found) == 4, path
        assert all(set(one) == {"Id", "Score"} for one in found), path
        scores = [one["Score"] for one in found]
        assert scores == sorted(scores, reverse=True), path
    near = http.get("/user/lister/neighbors").json()
    assert all(int(one["Id"].removeprefix("u")) % 2 for one in near if one["Id"] != "teller")
    assert http.get("/user/nobody/neighbors").json() == []
    assert http.get("/item/nothing/neighbors").json() == []


def test_the_version_header_says_whether_there_are_scores(http: httpx.Client) -> None:
    plain = http.get("/recommend/u3", params={"n": 3}).json()
    scored = http.get("/recommend/u3/", params={"n": 3}, headers={"X-API-Version": "2"}).json()
    assert plain == [one["Id"] for one in scored]
    assert http.get("/recommend/u3", params={"n": 3, "offset": 10_000}).json() == []
    both = http.get("/recommend/u3", params={"category": ["jazz", "rock"]}).json()
    assert both == []
    assert http.get("/recommend/a-stranger", params={"n": 3}).status_code == 200


def test_patching_what_is_not_there_is_no_error(http: httpx.Client) -> None:
    assert http.patch("/item/nothing", json={"IsHidden": True}).json() == {"RowAffected": 1}
    assert http.patch("/user/nobody", json={"Comment": "x"}).json() == {"RowAffected": 1}
    assert http.get("/item/nothing").status_code == http.get("/user/nobody").status_code == 404


def test_a_patch_changes_what_it_names_only(http: httpx.Client) -> None:
    http.post("/user", json={"UserId": "p", "Labels": ["a"], "Comment": "old"})
    http.patch("/user/p", json={"Comment": "new"})
    assert http.get("/user/p").json() == {"UserId": "p", "Labels": ["a"], "Comment": "new"}
    http.patch("/user/p", json={"Labels": {"x": [1.5, 2]}})
    assert http.get("/user/p").json()["Labels"] == {"x": [1.5, 2]}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/user", {"UserId": "m", "Labels": ["price", 100]}),
        ("/users", [{"UserId": "m", "Labels": ["price", 100]}]),
        ("/item", {"ItemId": "m", "Labels": {"x": ["price", 1]}}),
        ("/item", {"ItemId": "m", "Timestamp": "tomorrow-ish"}),
        ("/items", [{"ItemId": ""}]),
        ("/feedback", [{"FeedbackType": "click", "UserId": "", "ItemId": "i1"}]),
        ("/feedback", [{"FeedbackType": "click", "UserId": "m"}]),
        ("/feedback", {"FeedbackType": "click", "UserId": "m", "ItemId": "i1"}),
    ],
)
def test_what_cannot_be_read_is_400_and_changes_nothing(
    http: httpx.Client, path: str, body: object
) -> None:
    assert http.post(path, json=body).status_code == 400
    assert http.get("/user/m").status_code == http.get("/item/m").status_code == 404


def test_parameters_that_cannot_be_are_400(http: httpx.Client) -> None:
    for query in ("n=many", "n=-1", "cursor=broken", "n=100001"):
        assert http.get(f"/items?{query}").status_code == 400, query
    assert http.get("/recommend/u1?write-back-delay=soon").status_code == 400


def test_each_scope_opens_its_own_doors_only(address: str, music: Shop) -> None:
    doors = {
        Scope.CUSTOMERS: ("GET", "/users"),
        Scope.ITEMS: ("GET", "/items"),
        Scope.RECOMMENDATIONS: ("GET", "/recommend/u1"),
        Scope.ITEMS_WRITE: ("DELETE", "/item/no-such"),
        Scope.EVENTS_WRITE: ("DELETE", "/feedback/no/such"),
        Scope.ADMIN: ("DELETE", "/user/no-such"),
    }
    for scope in doors:
        with music.store.write() as tx:
            made = create_key(tx, music.clock.now(), "one", [scope], actor="test")
        for needed, (method, path) in doors.items():
            answer = httpx.request(
                method, f"{address}/api{path}", headers={"X-API-Key": made.secret}
            )
            opens = scope in (needed, Scope.ADMIN)
            assert answer.status_code == (200 if opens else 403), (scope, path)
    assert httpx.get(f"{address}/api/items").status_code == 401


def test_thousands_of_calls_are_not_refused_for_haste(http: httpx.Client) -> None:
    told = [tell(f"i{n % 40}", UserId=f"bulk{n % 50}", FeedbackType="view") for n in range(2000)]
    assert http.post("/feedback", json=told).json() == {"RowAffected": 2000}
    assert {http.get("/items?n=1").status_code for _ in range(12)} == {200}
    own = str(http.base_url).replace("/gorse/api", "/v1/status")
    assert http.get(own).status_code == 200
    assert {http.get(own).status_code for _ in range(12)} == {200, 429}


def test_who_refuses_what_is_personal_has_no_neighbours_and_is_nobodys(
    http: httpx.Client, music: Shop
) -> None:
    ids = ("shy", "open")
    http.post("/feedback", json=[tell("i7", FeedbackType="like", UserId=who) for who in ids])

    def near(who: str) -> set[str]:
        found = http.get(f"/user-to-user/default/{who}", params={"n": 100}).json()
        return {one["Id"] for one in found}

    assert "shy" in near("open")
    assert "open" in near("shy")
    say_consent(music, "shy", ConsentWord(purpose="personalisation", channel="*", granted=False))
    assert near("shy") == set()
    assert near("open")
    assert "shy" not in near("open")
