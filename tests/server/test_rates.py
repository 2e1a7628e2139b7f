"""Exchange rates over HTTP."""

from collections.abc import Callable

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from lingxi.access import Scope

Client = TestClient[Litestar]
DAY = {"base": "EUR", "day": "2020-02-27", "rates": {"USD": "1.25", "GBP": 0.8}}


def test_rates_of_a_day_are_put_and_listed(client: Client, key: dict[str, str]) -> None:
    answer = client.put("/v1/rates", json=DAY, headers=key)
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"kept": 2, "waiting": 0}
    client.put("/v1/rates", json={**DAY, "rates": {"USD": "1.3"}}, headers=key)
    known = client.get("/v1/rates", headers=key).json()
    assert [(k["currency"], k["value"], k["days"]) for k in known] == [
        ("GBP", "0.8", 1),
        ("USD", "1.3", 1),
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"day": "2999-01-01"},
        {"day": "yesterday"},
        {"base": "EURO"},
        {"base": "QQQ"},
        {"rates": {}},
        {"rates": {"USD": "0"}},
        {"rates": {"USD": "NaN"}},
        {"rates": {"USD": "1e999999999"}},
        {"rates": {"USD": "1." + "1" * 100_000}},
        {"rates": {"usd": "1"}},
        {"more": 1},
    ],
)
def test_what_is_no_rate_is_refused(
    client: Client, key: dict[str, str], change: dict[str, object]
) -> None:
    answer = client.put("/v1/rates", json={**DAY, **change}, headers=key)
    assert answer.status_code == 400, answer.text
    assert len(answer.text) < 1000
    assert client.get("/v1/rates", headers=key).json() == []


def test_who_may_read_may_not_put(client: Client, make_key: Callable[..., dict[str, str]]) -> None:
    own = make_key(Scope.OVERVIEW)
    assert client.get("/v1/rates", headers=own).status_code == 200
    assert client.put("/v1/rates", json=DAY, headers=own).status_code == 403
