"""What ``lingxi doctor`` says of a shop whose log is damaged."""

from collections.abc import Callable

import msgspec
import pytest
import sqlalchemy as sa

from lingxi.access.sources import SourceKind, create_source, disable_source
from lingxi.app.doctor import CHECKS, examine
from lingxi.app.shop import Shop
from lingxi.errors import EventDamaged
from lingxi.i18n import Translator
from lingxi.schema import Event
from lingxi.store.tables import event

Damage = Callable[[bytes], bytes]
DAMAGES: dict[str, Damage] = {
    "other bytes": lambda _: b"\xff\x00junk",
    "nothing": lambda _: b"",
    "a list": lambda _: b"[]",
    "an empty object": lambda _: b"{}",
    "letters that are none": lambda payload: payload.replace(b"Order", b"\xff\xfe"),
    "a number beyond all engines": lambda payload: _with(payload, amount_cents=2**63),
    "a moment without a zone": lambda payload: _with(payload, occurred_at="2026-01-01T00:00:00"),
    "no such day": lambda payload: _with(payload, occurred_at="2026-02-31T00:00:00Z"),
}


def _with(payload: bytes, **fields: object) -> bytes:
    return msgspec.json.encode({**msgspec.json.decode(payload), **fields})


def damage(shop: Shop, position: int, how: Damage) -> None:
    column = event.c.position == position
    with shop.store.write() as tx:
        payload = tx.execute(sa.select(event.c.payload).where(column)).scalar_one()
        tx.execute(sa.update(event).where(column).values(payload=how(payload)))


@pytest.fixture
def traded(shop: Shop) -> Shop:
    now = shop.clock.now()
    sold = [
        Event(event_id=f"e{n}", name="Order Completed", occurred_at=now, received_at=now)
        for n in range(20)
    ]
    shop.store.log.append(sold)
    return shop


@pytest.mark.parametrize("how", DAMAGES.values(), ids=DAMAGES)
def test_a_log_with_junk_in_it_is_told_and_does_not_end_the_checks(
    traded: Shop, how: Damage
) -> None:
    damage(traded, 7, how)
    checks = {check.name: check for check in examine(traded)}
    assert checks.keys() == CHECKS.keys() - {"kafka", "sources"}
    assert checks["log"].state == checks["lake"].state == "failed"
    assert checks["log"].sentence.params == {"n": 1, "events": 20, "positions": "7"}
    assert "at position 7" in Translator("en").text(checks["lake"].sentence)
    assert checks["write"].state == "ok"


def test_of_many_damaged_events_the_first_are_named(traded: Shop) -> None:
    for position in range(2, 12):
        damage(traded, position, DAMAGES["nothing"])
    (told,) = [check for check in examine(traded) if check.name == "log"]
    text = Translator("en").text(told.sentence)
    assert text.startswith(
        "10 of 20 events in the log cannot be read, at positions 2, 3, 4, 5, 6, …"
    )


def test_a_whole_log_is_whole(traded: Shop) -> None:
    assert traded.store.log.find_damaged() == []


def test_who_reads_the_log_hears_which_event_is_damaged(traded: Shop) -> None:
    damage(traded, 7, DAMAGES["nothing"])
    assert len(traded.store.log.read(upto=6)) == 6
    with pytest.raises(EventDamaged, match="position 7 of the log"):
        traded.store.log.read()


def test_a_check_that_breaks_in_a_way_not_foreseen_is_a_failed_one(
    traded: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(_: Shop) -> None:
        raise ZeroDivisionError("by nothing")

    monkeypatch.setitem(CHECKS, "disk", break_down)
    (told,) = [check for check in examine(traded) if check.name == "disk"]
    assert told.state == "failed"
    assert Translator("en").text(told.sentence) == "ZeroDivisionError: by nothing"


def test_two_woocommerce_shops_in_one_folder_are_warned_of(shop: Shop) -> None:
    """Their ids would be taken for each other's; a source that is out of use does no harm."""

    def warned() -> list[str]:
        told = [check.sentence for check in examine(shop) if check.name == "sources"]
        return [str(sentence.params["names"]) for sentence in told]

    now = shop.clock.now()
    kinds = {"woo": SourceKind.WOOCOMMERCE, "shopify": SourceKind.SHOPIFY}
    kinds |= {"shopify-2": SourceKind.SHOPIFY, "woo-2": SourceKind.WOOCOMMERCE}
    for name, kind in kinds.items():
        assert warned() == []
        with shop.store.write() as tx:
            create_source(tx, shop.store.keyring, now, name, kind, actor="test", secret="s3cret")
    assert warned() == ["woo, woo-2"]
    with shop.store.write() as tx:
        disable_source(tx, now, "woo-2", actor="test")
    assert warned() == []
