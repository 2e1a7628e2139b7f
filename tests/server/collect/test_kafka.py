"""Kafka in front of the log: what an answer means while the brokers work, and while they do not."""

from collections.abc import Iterator

import pytest

from conftest import Collector
from kafka_cluster import Apart, run_apart
from lingxi.app.doctor import examine
from lingxi.app.drains import drain
from lingxi.store import silent


@pytest.fixture(scope="module")
def brokers() -> Iterator[Apart]:
    with run_apart() as running:
        yield running


@pytest.fixture
def environ(brokers: Apart) -> dict[str, str]:
    return {
        "LINGXI_COLLECT_QUEUE": "kafka",
        "LINGXI_COLLECT_PATIENCE_SECONDS": "1",
        "LINGXI_KAFKA_BROKERS": brokers.address,
    }


def batch(*names: str) -> dict[str, object]:
    view = {"type": "track", "event": "Product Viewed", "userId": "u1"}
    return {"batch": [{**view, "messageId": each, "properties": {"sku": each}} for each in names]}


def test_what_was_answered_200_is_in_the_log_once_it_was_drained(
    collector: Collector, brokers: Apart
) -> None:
    def send(*names: str):
        return collector.client.post("/v1/batch", json=batch(*names), headers=collector.basic)

    assert send("a", "b").status_code == 200
    assert collector.events() == []
    brokers.stand_still()
    try:
        refused = send("c")
    finally:
        brokers.go_on()
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
    assert refused.json()["success"] is False
    assert send("c").status_code == 200  # perhaps the second time
    assert send("b", "d").status_code == 200
    lags = {each.name: each.behind for each in collector.shop.answers.status().lags}
    assert lags["kafka"] >= 5
    checks = {each.name: each.state for each in examine(collector.shop)}
    assert checks["kafka"] == "ok"
    done = drain(collector.shop, silent)
    assert (done.stored, done.dropped) == (4, 0)
    assert sorted(each.event_id for each in collector.events()) == [
        f"web:{each}" for each in "abcd"
    ]
    lags = {each.name: each.behind for each in collector.shop.answers.status().lags}
    assert lags["kafka"] == 0


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ('[collect]\nqueue = "redis"\n', "'log' or 'kafka'"),
        ('[collect]\nqueue = "kafka"\n', "kafka.brokers is empty"),
    ],
)
def test_a_queue_that_cannot_be_used_is_told(shop, more: str, told: str) -> None:
    from lingxi.config import load_settings
    from lingxi.errors import InvalidSetting

    with (shop.settings.folder / "lingxi.toml").open("a") as config:
        config.write(more)
    with pytest.raises(InvalidSetting, match=told):
        load_settings(shop.settings.folder, {})
