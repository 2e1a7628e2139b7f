"""The customers of a simulated shop can be written to: an address, a language, consent of most."""

from pathlib import Path

from lingxi.app import jobs
from lingxi.app.shop import Shop, init_shop
from lingxi.config import ConsentSettings
from lingxi.ingest import find_customer
from lingxi.ingest.consent import read_permissions
from lingxi.profiles.traits import read_traits
from lingxi.simulation import Simulated, preset, simulate, write_shop
from lingxi.simulation.customers_file import CONSENT_SHARE


def test_every_customer_has_a_reserved_address_of_their_own(shop: Simulated) -> None:
    emails = shop.customers.column("email").to_pylist()
    assert len(set(emails)) == len(emails) == 3_000
    assert all(email.endswith("@example.com") and email.isascii() for email in emails)
    assert set(shop.customers.column("language").to_pylist()) == {"en", "zh"}
    known = shop.truth["customers"].column("customer_id").to_pylist()
    assert sorted(shop.customers.column("customer_id").to_pylist()) == sorted(known)
    given = shop.customers.column("email_consent").to_pylist().count("yes")
    assert abs(given - CONSENT_SHARE * 3_000) < 160  # six standard deviations


def test_orders_and_customers_tell_the_same_address(shop: Simulated) -> None:
    own = {r["customer_id"]: r["email"] for r in shop.customers.to_pylist()}
    told = shop.orders.select(["customer_id", "email"]).drop_null().to_pylist()
    assert told
    assert {own[r["customer_id"]] for r in told} == {r["email"] for r in told}


def test_imported_customers_may_be_written_to_as_they_said(tmp_path: Path) -> None:
    simulated = simulate(preset("tiny", seed=7))
    write_shop(simulated, tmp_path / "raw")
    folder = tmp_path / "shop"
    init_shop(folder, name="S", currency="GBP", timezone="UTC", language="en").close()
    shop = Shop.open(folder, environ={})
    try:
        report = jobs.import_customers(shop, tmp_path / "raw" / "customers.csv")
        assert report.lines_kept == report.customers == simulated.customers.num_rows
        with shop.store.read() as tx:
            open_to = read_permissions(tx, ConsentSettings(), "marketing", "email")
            for row in simulated.customers.to_pylist():
                customer = find_customer(tx, row["customer_id"])
                traits = read_traits(shop.store, tx, customer)
                assert (traits["email"], traits["language"]) == (row["email"], row["language"])
                if row["email_consent"]:
                    assert open_to.allows(customer) == (row["email_consent"] == "yes")
    finally:
        shop.close()
