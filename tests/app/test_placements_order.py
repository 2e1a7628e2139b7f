"""An order told with the request, whose event has not come in yet."""

import shutil
from pathlib import Path

import msgspec
import pytest

from demo_shop import DEMO_END
from lingxi.app.placements.request import Ask
from lingxi.app.placements.views import PlacementView
from lingxi.app.shop import Shop
from lingxi.clock import FixedClock
from lingxi.ingest import find_customer
from lingxi.schema import Event, Line, Name


def ids(view: PlacementView) -> list[str]:
    return [item.item_id for item in view.items]


@pytest.mark.parametrize("name", ["home", "after_purchase"])
def test_an_order_told_with_the_request_counts_like_its_event(
    demo_folder: Path, tmp_path: Path, name: str
) -> None:
    shutil.copytree(demo_folder, tmp_path / "shop")
    shop = Shop.open(tmp_path / "shop", clock=FixedClock(DEMO_END))
    desk = shop.answers.placements
    who = Ask(customer_id=shop.answers.customers(sort="-orders", n=1).rows[0].customer_id)
    before = desk.recommend(name, who, log=False)
    bought = ids(before)[1]
    told = desk.recommend(name, msgspec.structs.replace(who, bought=(bought,)), log=False)
    with shop.store.read() as tx:
        customer = find_customer(tx, who.customer_id)
    order = Event(
        event_id="o1",
        name=Name.ORDER_COMPLETED.value,
        subject=customer,
        occurred_at=DEMO_END,
        received_at=DEMO_END,
        source="test",
        lines=(Line(bought, 1, 250),),
        order_id="o1",
    )
    shop.store.log.append([order])
    after = desk.recommend(name, who, log=False)
    shop.close()
    assert bought not in ids(after)
    assert ids(told) == ids(after) != ids(before)
    scores = [item.score for item in told.items]
    assert scores == pytest.approx([item.score for item in after.items])
