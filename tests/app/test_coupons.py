"""Coupons over the counter and on the command line: by the shop's own ids, slowed down, audited."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from lingxi.access.tables import audit_table
from lingxi.app.coupons.counter import MOST_WRONG
from lingxi.app.coupons.export import write_secret
from lingxi.app.shop import Shop
from lingxi.app.tasks import TASKS
from lingxi.app.work import work_off
from lingxi.cli import main
from lingxi.clock import FixedClock
from lingxi.coupons import Basket, BasketLine, Offer
from lingxi.coupons.book import list_offers
from lingxi.coupons.file import read_offer
from lingxi.coupons.openness import read_used_up
from lingxi.errors import Conflict, InvalidInput, RateLimited, UnknownCustomer, UnknownSegment
from lingxi.ingest.identity import ANONYMOUS, CUSTOMER, resolve_subjects
from lingxi.store.tables import identity

BASKET = Basket(lines=(BasketLine("LAMP", 5_000),))
FIRST = {"benefit": {"kind": "percent", "percent": 10}, "conditions": {"first_order": True}}


def make(name: str = "spring", **parts: object) -> Offer:
    return read_offer({"benefit": {"kind": "percent", "percent": 10}, **parts}, name=name)


@pytest.fixture
def clock(shop: Shop) -> FixedClock:
    assert isinstance(shop.clock, FixedClock)
    return shop.clock


def test_a_checkout_names_customers_nobody_has_heard_of(shop: Shop) -> None:
    shop.offers.put(make(**FIRST, code={"kind": "shared", "text": "HELLO"}), actor="t")
    counter = shop.counter
    assert counter.check("HELLO", BASKET, "C-new", caller="key:1").valid
    done = counter.redeem("HELLO", BASKET, "C-new", order_id="o1", key="k1", caller="key:1")
    assert done.redeemed
    again = counter.redeem("HELLO", BASKET, "C-new", order_id="o2", key="k2", caller="key:1")
    assert (again.redeemed, again.verdict.words) == (
        False,
        ("The customer has used the offer already.",),
    )
    newest = shop.offers.read_ledger(check=True)
    assert {row.customer_id for row in newest.rows} == {"C-new"}
    assert newest.differences == ()


def test_coupons_are_the_persons_after_a_merge_too(shop: Shop) -> None:
    """A code was refused to whoever signed up after it was given, and could be used twice."""
    shop.offers.put(make("first", personal=True), actor="t")
    counter = shop.counter
    with shop.store.write() as tx:
        browser = resolve_subjects(tx, ANONYMOUS, ["b-7"], known=True)["b-7"]
        ann = resolve_subjects(tx, CUSTOMER, ["ann"], known=True)["ann"]
    first, other = (
        counter.issue("first", f"visitor-{browser}", key, actor="t").code or ""
        for key in ("k1", "k2")
    )
    assert counter.redeem(
        first, BASKET, f"visitor-{browser}", order_id="o1", key="o1", caller="key:1"
    ).redeemed
    with shop.store.write() as tx:
        tx.execute(sa.update(identity).where(identity.c.subject == browser).values(customer=ann))
    words = counter.check(other, BASKET, "ann", caller="key:1").words
    assert words == ("The customer has used the offer already.",)
    assert counter.issue("first", "ann", "k2", actor="t").customer_id == "ann"
    with shop.store.read() as tx:
        offers = [kept.offer for kept in list_offers(tx)]
        assert read_used_up(tx, offers) == {ann: frozenset({"first"})}
    assert {row.customer_id for row in shop.offers.read_ledger().rows} == {"ann"}


def test_a_key_does_not_tell_one_customer_anothers_code(shop: Shop) -> None:
    shop.offers.put(make("first"), actor="t")
    with shop.store.write() as tx:
        resolve_subjects(tx, CUSTOMER, ["ann", "ben"], known=True)
    assert shop.counter.issue("first", "ann", "welcome", actor="t").new
    for other in ("ben", None):
        with pytest.raises(Conflict, match="another customer"):
            shop.counter.issue("first", other, "welcome", actor="t")


def test_an_address_is_not_taken_as_a_customers_id(shop: Shop) -> None:
    shop.offers.put(make(**FIRST, code={"kind": "shared", "text": "HELLO"}), actor="t")
    mail = "someone@example.com"
    done = shop.counter.redeem("HELLO", BASKET, mail, order_id="o1", key="k1", caller="key:1")
    assert done.redeemed
    assert {row.customer_id for row in shop.offers.read_ledger().rows} == {None}
    assert mail.encode() not in (shop.settings.folder / "data" / "state.sqlite").read_bytes()


def test_whoever_tries_codes_is_slowed_down_and_nobody_else(shop: Shop, clock: FixedClock) -> None:
    shop.offers.put(make(code={"kind": "shared", "text": "HELLO"}), actor="t")

    def check(code: str, visitor: str) -> bool:
        return shop.counter.check(code, BASKET, None, caller="key:1", visitor=visitor).valid

    for at in range(MOST_WRONG):
        assert not check(f"GUESS-{at}", "mallory")
    with pytest.raises(RateLimited) as caught:
        check("HELLO", "mallory")
    assert caught.value.retry_after_seconds > 0
    with pytest.raises(RateLimited):
        shop.counter.redeem(
            "HELLO", BASKET, None, order_id="o", key="o", caller="key:1", visitor="mallory"
        )
    assert check("HELLO", "alice")
    clock.advance(timedelta(minutes=11))
    assert check("HELLO", "mallory")


def test_a_code_that_was_typed_was_seen(shop: Shop) -> None:
    shop.offers.put(make(), actor="t")
    view = shop.counter.issue("spring", None, "k", actor="t")
    assert shop.counter.describe(view.coupon).state == "issued"
    assert view.code is not None
    assert shop.counter.check(view.code, BASKET, None, caller="t").valid
    assert shop.counter.describe(view.coupon).state == "seen"
    assert shop.counter.describe(view.coupon).code is None


def test_what_was_done_is_in_the_audit_without_a_code(shop: Shop) -> None:
    shop.offers.put(make(code={"kind": "pool"}), actor="user:a")
    shop.offers.import_text("spring", "POOL-CODE-1", actor="user:a")
    view = shop.counter.issue("spring", None, "k", actor="user:a")
    shop.offers.export_shopify("spring", actor="user:a")
    shop.counter.revoke(view.coupon, actor="user:a")
    with shop.store.read() as tx:
        rows = tx.execute(sa.select(audit_table.c.action, audit_table.c.target)).all()
    assert [row.action for row in rows][-5:] == [
        "put_offer",
        "import_codes",
        "issue_coupon",
        "export_codes",
        "revoke_coupon",
    ]
    assert "POOL-CODE" not in repr(rows)


def test_coupons_expire_by_the_standing_work(shop: Shop, clock: FixedClock) -> None:
    shop.offers.put(make(validity={"days": 1}), actor="t")
    view = shop.counter.issue("spring", None, "k", actor="t")
    clock.advance(timedelta(days=3))
    work_off(shop, [task for task in TASKS if task.name == "coupons"])
    assert shop.counter.describe(view.coupon).state == "expired"


def test_what_does_not_exist_is_named(shop: Shop) -> None:
    with pytest.raises(UnknownSegment):
        shop.offers.put(make(conditions={"segment": "nobody"}), actor="t")
    shop.offers.put(make(), actor="t")
    with pytest.raises(UnknownCustomer):
        shop.counter.issue("spring", "C-none", "k", actor="t")
    with pytest.raises(InvalidInput, match="cursor"):
        shop.offers.read_ledger(cursor="x")


def test_a_file_of_codes_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "rules.json"
    write_secret(path, [{"code": "A"}])
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(InvalidInput, match="exists"):
        write_secret(path, [])


def test_the_command_line_goes_the_whole_road(shop: Shop, tmp_path: Path) -> None:
    folder = str(shop.settings.folder)
    offer, basket, codes = tmp_path / "o.yaml", tmp_path / "b.json", tmp_path / "c.csv"
    offer.write_text("name: spring\nbenefit: {kind: amount, cents: 500}\ncode: {kind: pool}\n")
    basket.write_text('{"lines": [{"item_id": "MUG", "price_cents": 2000}]}')
    codes.write_text("code\nPOOL-0001\nPOOL-0002\n")

    def run(*words: str) -> dict[str, object]:
        done = CliRunner().invoke(main, [*words, "--shop", folder, "--json"])
        assert done.exit_code == 0, done.output
        found: dict[str, object] = json.loads(done.output)
        return found

    assert run("offer", "put", str(offer))["offer"]["state"] == "active"
    assert run("coupon", "import", "spring", str(codes))["free"] == 2
    issued = run("coupon", "issue", "spring", "--key", "k")
    assert issued["code"] == "POOL-0001"
    near = ("--basket", str(basket))
    assert run("coupon", "check", "pool0001", *near)["discount_cents"] == 500
    order = ("--order", "o1", "--key", "o1", *near)
    assert run("coupon", "redeem", "POOL-0001", *order)["redeemed"] is True
    assert run("coupon", "release", "o1")["released"] == 1
    assert run("coupon", "liability")["rows"][0]["most_cents"] == 500
    out = tmp_path / "rules.json"
    assert run("coupon", "export", "spring", "--out", str(out))["codes"] == 1
    assert run("coupon", "revoke", "POOL-0001")["state"] == "revoked"
    ledger = run("coupon", "ledger", "--check")
    assert ledger["differences"] == []
    assert [row["target"] for row in ledger["rows"]] == [
        "revoked",
        "seen",
        "redeemed",
        "seen",
        "issued",
        "free",
    ]
    for words in (
        ["offer", "list"],
        ["offer", "show", "spring"],
        ["coupon", "liability"],
        ["coupon", "ledger"],
    ):
        done = CliRunner().invoke(main, [*words, "--shop", folder])
        assert (done.exit_code, "spring" in done.output) == (0, True), done.output
        assert "POOL-0002" not in done.output
