"""One code, a thousand tries at once, one success: threads and processes, on both engines."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from coupon_shop import BASKET, NOW, is_member, make_offer, open_store, put

from lingxi.config import Settings, ShopSettings, StoreSettings
from lingxi.coupons import Coupons
from lingxi.coupons.ledger import audit, read_totals

_TRY = """
import sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from coupon_shop import BASKET, NOW, is_member, open_store
from lingxi.config import Settings, ShopSettings, StoreSettings
from lingxi.coupons import Coupons
store = open_store(Settings(
    folder=Path({folder!r}), shop=ShopSettings(currency="GBP"), store=StoreSettings(url={url!r})
))
till = Coupons(store, is_member)
won = 0
for at in range({n}):
    with store.write(eager=True) as tx:
        name = "{name}-%d" % at
        won += till.redeem(tx, {code!r}, BASKET, None, order_id=name, key=name, now=NOW).redeemed
print(won)
"""


class AtOnceContract:
    """Runs on the fixture ``settings`` of an empty store."""

    threads = 8
    tries = 1_000

    @pytest.fixture
    def till(self, settings: Settings) -> Iterator[Coupons]:
        store = open_store(settings)
        yield Coupons(store, is_member)
        store.close()

    def test_a_thousand_threads_tries_redeem_one_code_once(self, till: Coupons) -> None:
        put(till, make_offer(limits={"per_customer": None}))
        with till.store.write() as tx:
            code = till.issue(tx, "spring", 7, "k", NOW).text

        def redeem(at: int) -> bool:
            with till.store.write(eager=True) as tx:
                order = f"o{at}"
                done = till.redeem(tx, code, BASKET, None, order_id=order, key=order, now=NOW)
            return done.redeemed

        with ThreadPoolExecutor(self.threads) as pool:
            won = sum(pool.map(redeem, range(self.tries)))
        assert won == 1
        self.check(till, redeemed=1)

    def test_tries_with_one_key_redeem_once_and_all_hear_of_it(self, till: Coupons) -> None:
        put(till, make_offer())
        with till.store.write() as tx:
            code = till.issue(tx, "spring", 7, "k", NOW).text

        def redeem(_at: int) -> int | None:
            with till.store.write(eager=True) as tx:
                done = till.redeem(tx, code, BASKET, 7, order_id="o", key="o", now=NOW)
            return done.redemption

        with ThreadPoolExecutor(self.threads) as pool:
            numbers = set(pool.map(redeem, range(100)))
        assert len(numbers) == 1
        assert None not in numbers
        self.check(till, redeemed=1)

    @pytest.mark.slow
    def test_processes_redeem_a_code_once_and_a_shared_one_as_often_as_it_may(
        self, till: Coupons, settings: Settings
    ) -> None:
        put(till, make_offer())
        limits = {"redemptions": 7, "per_customer": None}
        put(till, make_offer("all", code={"kind": "shared", "text": "ALL-24"}, limits=limits))
        with till.store.write() as tx:
            code = till.issue(tx, "spring", 7, "k", NOW).text
        assert self.run_processes(settings, code) == 1
        assert self.run_processes(settings, "ALL-24") == 7
        self.check(till, redeemed=1)
        with till.store.read() as tx:
            assert read_totals(tx, "all").coupons["redeemed"] == 7

    def run_processes(self, settings: Settings, code: str) -> int:
        started = [
            subprocess.Popen(
                [
                    sys.executable,
                    "-c",
                    _TRY.format(
                        tests=str(Path(__file__).parent),
                        folder=str(settings.folder),
                        url=settings.store.url,
                        n=20,
                        name=f"{code}-{at}",
                        code=code,
                    ),
                ],
                stdout=subprocess.PIPE,
                text=True,
            )
            for at in range(3)
        ]
        return sum(int(each.communicate(timeout=300)[0]) for each in started)

    def check(self, till: Coupons, *, redeemed: int) -> None:
        with till.store.read() as tx:
            assert audit(tx) == []
            totals = read_totals(tx, "spring")
        assert totals.coupons["redeemed"] == redeemed
        assert totals.spent_cents == 500 * redeemed
        assert len(till.store.log.read(names=["Coupon Redeemed"])) >= redeemed


class TestSQLite(AtOnceContract):
    @pytest.fixture
    def settings(self, tmp_path: Path) -> Settings:
        return Settings(folder=tmp_path, shop=ShopSettings(currency="GBP"))


@pytest.mark.engine
class TestPostgreSQL(AtOnceContract):
    threads = 16

    @pytest.fixture
    def settings(self, tmp_path: Path, new_database: Callable[[], str]) -> Settings:
        url = new_database()
        base = Settings(folder=tmp_path, shop=ShopSettings(currency="GBP"))
        return replace(base, store=StoreSettings(url=url))
