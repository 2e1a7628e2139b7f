"""The segment builder without a browser: drawn, changed, saved, refused, deleted."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from lingxi.access import Credentials, Role
from lingxi.access.users import create_user
from lingxi.app.shop import Shop, init_shop
from lingxi.i18n import LANGUAGES, load_catalogue
from lingxi.segments import read_segment
from lingxi.segments.tables import segment_day
from lingxi.server.pages.segment_form import NEW
from lingxi.store.keyed import upsert
from server.pages.test_without_a_browser import PASSWORD, read_token


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = init_shop(tmp_path / "shop", name="S", currency="GBP", timezone="UTC", language="en")
    with made.store.write() as tx:
        credentials = Credentials("ada", PASSWORD)
        create_user(tx, made.clock.now(), credentials, Role.ADMINISTRATOR, actor="test")
    yield made
    made.close()


def send(client: TestClient[Litestar], path: str, **form: str) -> tuple[int, str]:
    token = read_token(client.get("/segments/x").text)
    answer = client.post(path, data={"_csrf_token": token, **form}, follow_redirects=True)
    return answer.status_code, answer.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_of_condition_is_drawn_in_words(
    client: TestClient[Litestar], language: str
) -> None:
    client.cookies.set("lingxi_language", language)
    words = load_catalogue(language)
    for kind in ("did", "aggregate", "score", "consent", "not"):
        status, page = send(
            client, "/segments/x", action=f"add:r:{kind}", **{"r.all.0.did/did": "A"}
        )
        assert status == 200, (kind, page[:300])
        assert words[f"segment.kind.{kind}"].singular in page
        assert NEW[kind]


def test_a_segment_is_saved_counted_and_deleted(client: TestClient[Litestar], shop: Shop) -> None:
    form = {"r.all.0.did/did": "Order Completed", "r.all.0.did/at_least": "2", "title": "Loyal"}
    status, page = send(client, "/segments/loyal/count", **form)
    assert (status, "0 of 0 customers" in page) == (200, True)
    status, page = send(client, "/segments/loyal", action="save", seen="0", **form)
    assert status == 200
    assert "Loyal" in page
    made = shop.segments.get("loyal")
    assert made.rule == {"all": [{"did": "Order Completed", "at_least": 2}]}
    status, page = send(client, "/segments/loyal", action="save", seen="0", **form)
    assert (status, "changed meanwhile" in page) == (400, True)
    wrong = {"r.all.0.score/score": "nope", "r.all.0.score/test/0/op": "known"}
    wrong |= {"r.all.0.score/test/0/value": "true"}
    status, page = send(client, "/segments/other", action="save", **wrong)
    assert (status, "There is no score" in page) == (400, True)
    shop.segments.keeper.run_all(shop.clock.now())
    assert client.get("/segments/loyal").status_code == 200
    assert "Loyal" in client.get("/segments").text
    status, _ = send(client, "/segments/loyal/delete")
    assert status == 200
    assert shop.segments.list().segments == ()


def test_growth_is_a_curve_once_there_are_two_days(
    client: TestClient[Litestar], shop: Shop
) -> None:
    rule = read_segment({"name": "loyal", "title": "L", "rule": {"did": "Order Completed"}})
    shop.segments.put(rule, actor="t")
    today = shop.clock.now().date()
    for back in (0, 1):
        row = {"day": f"{today - timedelta(days=back):%Y-%m-%d}", "members": 40 + back}
        with shop.store.write() as tx:
            upsert(tx, segment_day, [{"segment": "loyal", "entered": 3, "left": 2, **row}])
        page = client.get("/segments/loyal").text
        assert ('<lx-chart kind="line"' in page) is bool(back)
    assert "Day (UTC)" in page
    drawn = re.findall(r'class="number" data-tone="([^"]*)"', page)
    assert drawn == ["1", "", ""], "who entered and left stands in the table alone"
