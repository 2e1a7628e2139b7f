"""With ``store.analytics = "spark"`` every question about the events gets the same answer."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from demo_shop import DEMO_END
from lingxi.app import jobs
from lingxi.app.shop import Shop
from lingxi.clock import FixedClock
from lingxi.features import compute_features
from lingxi.lifecycle import read_history
from lingxi.policy.replenish import find_due
from lingxi.recommend.interactions import read_interactions
from lingxi.store import Analytics

pytestmark = [pytest.mark.engine, pytest.mark.timeout(1800), pytest.mark.xdist_group("spark")]
pytest.importorskip("pyspark", reason="pip install 'lingxi[spark]'")


@pytest.fixture(scope="module")
def spark_shop(demo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A copy of the shop whose settings name Spark."""
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java")
    folder = tmp_path_factory.mktemp("spark") / "shop"
    shutil.copytree(demo_folder, folder)
    environ = {"LINGXI_STORE_ANALYTICS": "spark"}
    shop = Shop.open(folder, clock=FixedClock(DEMO_END), environ=environ)
    yield shop
    shop.close()


def as_lists(value: object) -> dict[str, object]:
    """A dataclass of arrays as plain lists."""
    return {
        name: part.tolist() if isinstance(part, np.ndarray) else part
        for name, part in vars(value).items()
    }


def rounded(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """Floating point to nine digits: the engines add in another order."""
    return [
        {k: float(f"{v:.9g}") if isinstance(v, float) else v for k, v in row.items()}
        for row in rows
    ]


READS: dict[str, Callable[[Analytics], object]] = {
    "orders and refunds of the lifecycle": lambda a: as_lists(read_history(a)),
    "interactions of the recommenders": lambda a: as_lists(read_interactions(a)),
    "what is due for replenishment": lambda a: rounded(
        find_due(a, DEMO_END).sort_by([("customer", "ascending")]).to_pylist()
    ),
    "features": lambda a: rounded(compute_features(a, DEMO_END).sort_by("customer").to_pylist()),
}


@pytest.mark.parametrize(
    "read",
    [
        pytest.param(read, id=name, marks=[pytest.mark.slow] if name == "features" else [])
        for name, read in READS.items()
    ],
)
def test_a_room_reads_the_same(
    demo_shop: Shop, spark_shop: Shop, read: Callable[[Analytics], object]
) -> None:
    with demo_shop.store.analytics() as analytics:
        expected = read(analytics)
    with spark_shop.store.analytics() as analytics:
        assert analytics.connection.name == "pyspark"
        found = read(analytics)
    assert found == expected
    assert expected


def test_the_answers_are_the_same(demo_shop: Shop, spark_shop: Shop) -> None:
    assert spark_shop.answers.status().engine == "sqlite + spark"
    for ask in (
        lambda s: s.answers.overview(),
        lambda s: s.answers.items(n=100),
    ):
        assert msgspec.to_builtins(ask(spark_shop)) == msgspec.to_builtins(ask(demo_shop))


@pytest.mark.slow
def test_the_plan_is_the_same(demo_shop: Shop, spark_shop: Shop) -> None:
    before = demo_shop.answers.plan_file("csv").read_bytes()
    jobs.make_plan(spark_shop)
    assert spark_shop.answers.plan_file("csv").read_bytes() == before


@pytest.mark.slow
def test_training_on_spark_chooses_the_same(demo_shop: Shop, spark_shop: Shop) -> None:
    for job in jobs.TRAINING:
        job.run(spark_shop, lambda *_: None)
    jobs.make_plan(spark_shop)
    chosen = [
        {m.kind: m.chosen for m in shop.answers.models().versions if m.active}
        for shop in (demo_shop, spark_shop)
    ]
    assert chosen[0] == chosen[1]
    plans = [shop.answers.plan(n=500) for shop in (demo_shop, spark_shop)]
    assert plans[0].by_action == plans[1].by_action


def test_sessions_share_one_small_spark_but_no_names(spark_shop: Shop, demo_shop: Shop) -> None:
    with (
        spark_shop.store.analytics() as one,
        demo_shop.store.analytics(engine="spark") as other,
    ):
        other.register("lake", pa.table({"n": [1]}))
        count = one.to_arrow(one.events.aggregate(n=one.events.event_id.nunique()))
        assert count.column("n").to_pylist() == [spark_shop.store.log.count()]
        java = [a.connection._session.sparkContext._jvm for a in (one, other)]
        options = dict(one.connection._session.sparkContext.getConf().getAll())
    assert java[0] is java[1]
    assert java[0].java.lang.Runtime.getRuntime().maxMemory() <= 1 << 30
    assert options["spark.ui.enabled"] == "false"
    assert options["spark.driver.host"] == "127.0.0.1"
    assert not Path("spark-warehouse").exists()
    assert not Path("metastore_db").exists()
