"""``lingxi coupon``: coupons issued, checked, redeemed, and what became of them all."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lingxi.cli.frame import (
    guarded,
    json_option,
    open_shop,
    print_json,
    print_table,
    read_file,
    shop_option,
)

if TYPE_CHECKING:
    from lingxi.app.coupons.views import VerdictView
    from lingxi.coupons import Basket

_ACTOR = "cli"
_customer = click.option("--customer", default=None, help="The shop's own id of the customer.")
_basket = click.option(
    "--basket",
    "basket_file",
    type=click.Path(path_type=Path),
    required=True,
    help="File (JSON or YAML) with the basket: lines with item_id, price_cents, quantity.",
)


@click.group("coupon")
def command() -> None:
    """Coupons. A code is money to whoever holds it: it is printed when issued, and never again."""


@command.command("issue")
@click.argument("offer")
@_customer
@click.option("--key", required=True, help="What it is issued for; the same key: the same coupon.")
@shop_option
@json_option
@guarded
def issue(offer: str, customer: str | None, key: str, folder: Path | None, as_json: bool) -> None:
    """Give a customer a coupon of OFFER, and print its code."""
    with open_shop(folder) as shop:
        view = shop.counter.issue(offer, customer, key, actor=_ACTOR)
    if as_json:
        print_json(view)
        return
    until = "" if view.expires_at is None else f", valid until {view.expires_at:%Y-%m-%d %H:%M} UTC"
    click.echo(f"{view.code}  (coupon {view.coupon}{until})")


@command.command("check")
@click.argument("code")
@_basket
@_customer
@shop_option
@json_option
@guarded
def check(
    code: str, basket_file: Path, customer: str | None, folder: Path | None, as_json: bool
) -> None:
    """Whether CODE may be used on a basket, and what it would take off."""
    basket = _read_basket(basket_file)
    with open_shop(folder) as shop:
        view = shop.counter.check(code, basket, customer, caller=_ACTOR)
    if as_json:
        print_json(view)
        return
    _print_verdict(view)


@command.command("redeem")
@click.argument("code")
@click.option("--order", "order_id", required=True, help="The order that it is used on.")
@click.option("--key", required=True, help="Idempotency key: the same key, the same answer.")
@_basket
@_customer
@shop_option
@json_option
@guarded
def redeem(
    code: str,
    order_id: str,
    key: str,
    basket_file: Path,
    customer: str | None,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Use CODE on an order, once."""
    basket = _read_basket(basket_file)
    with open_shop(folder) as shop:
        view = shop.counter.redeem(
            code, basket, customer, order_id=order_id, key=key, caller=_ACTOR
        )
    if as_json:
        print_json(view)
        return
    if view.redeemed:
        again = " before" if view.replayed else ""
        click.echo(f"Redeemed{again} for order {order_id} (redemption {view.redemption}).")
    _print_verdict(view.verdict)


@command.command("release")
@click.argument("order_id", metavar="ORDER")
@shop_option
@json_option
@guarded
def release(order_id: str, folder: Path | None, as_json: bool) -> None:
    """Give back what ORDER redeemed: it was cancelled."""
    with open_shop(folder) as shop:
        view = shop.counter.release(order_id, actor=_ACTOR)
    if as_json:
        print_json(view)
        return
    click.echo(f"{view.released} coupons of order {order_id} are given back.")


@command.command("revoke")
@click.argument("coupon", metavar="NUMBER_OR_CODE")
@click.option("--note", default="", help="Why, for the ledger.")
@shop_option
@json_option
@guarded
def revoke(coupon: str, note: str, folder: Path | None, as_json: bool) -> None:
    """Make a coupon worthless."""
    with open_shop(folder) as shop:
        number = shop.counter.find_number(coupon)
        view = shop.counter.revoke(number, actor=_ACTOR, note=note)
    if as_json:
        print_json(view)
        return
    click.echo(f"Coupon {view.coupon} of {view.offer} is {view.state}.")


@command.command("import")
@click.argument("offer")
@click.argument("file", type=click.Path(path_type=Path))
@shop_option
@json_option
@guarded
def import_codes(offer: str, file: Path, folder: Path | None, as_json: bool) -> None:
    """Add the codes of FILE (CSV, a column named code) to the pool of OFFER."""
    with open_shop(folder) as shop:
        view = shop.offers.import_file(offer, file, actor=_ACTOR)
    if as_json:
        print_json(view)
        return
    click.echo(
        f"{view.new:,} codes are new, {view.known:,} were known, {view.refused:,} are no codes. "
        f"{view.free:,} wait in the pool of {offer}."
    )


@command.command("ledger")
@click.option("--offer", default="", help="Only this offer.")
@click.option("--coupon", type=int, default=None, help="Only the coupon of this number.")
@click.option("--customer", default="", help="Only of this customer, by the shop's own id.")
@click.option("--cursor", default=None, help="next_cursor of the page before this one.")
@click.option("-n", default=50, show_default=True, help="Lines, newest first.")
@click.option("--check", "balance", is_flag=True, help="Say where the ledger does not balance.")
@shop_option
@json_option
@guarded
def ledger(
    offer: str,
    coupon: int | None,
    customer: str,
    cursor: str | None,
    n: int,
    balance: bool,
    folder: Path | None,
    as_json: bool,
) -> None:
    """What became of coupons, line by line."""
    with open_shop(folder) as shop:
        view = shop.offers.read_ledger(
            offer=offer,
            coupon_id=coupon,
            customer_id=customer,
            cursor=cursor,
            n=n,
            check=balance,
        )
    if as_json:
        print_json(view)
        return
    head = ["entry", "at", "offer", "coupon", "customer", "from", "to", "coupons", "cents", "order"]
    rows = [
        [
            str(each.entry),
            f"{each.at:%Y-%m-%d %H:%M}",
            each.offer,
            str(each.coupon or ""),
            each.customer_id or "",
            each.source,
            each.target,
            f"{each.coupons:,}",
            f"{each.cents:,}",
            each.order_id or "",
        ]
        for each in view.rows
    ]
    print_table(head, rows, frozenset({0, 3, 7, 8}))
    for line in view.differences or ():
        click.echo(line)
    if view.differences == ():
        click.echo("The ledger balances.")


@command.command("liability")
@shop_option
@json_option
@guarded
def liability(folder: Path | None, as_json: bool) -> None:
    """What outstanding coupons may still cost."""
    with open_shop(folder) as shop:
        view = shop.offers.report()
    if as_json:
        print_json(view)
        return
    from lingxi.i18n import Translator

    words = Translator("en", currency=view.currency)

    def spell(cents: int | None) -> str:
        return "unknown" if cents is None else words.money(cents)

    rows = [
        [
            each.offer,
            f"{each.outstanding:,}",
            words.money(each.spent_cents),
            "no bound" if each.most_cents is None else words.money(each.most_cents),
            spell(each.expected_cents),
            spell(each.expected_low_cents),
            spell(each.expected_high_cents),
        ]
        for each in view.rows
    ]
    head = ["offer", "outstanding", "spent", "at most", "expected", "from", "to"]
    print_table(head, rows, frozenset({1, 2, 3, 4, 5, 6}))


@command.command("export")
@click.argument("offer")
@click.option("--to", "form", type=click.Choice(["shopify"]), default="shopify", show_default=True)
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="File for the price rules (JSON)."
)
@shop_option
@json_option
@guarded
def export(offer: str, form: str, out: Path, folder: Path | None, as_json: bool) -> None:
    """Write OFFER and its outstanding codes as Shopify's price rules. The file is a secret."""
    from lingxi.app.coupons.export import write_secret

    with open_shop(folder) as shop:
        rules = shop.offers.export_shopify(offer, actor=_ACTOR)
    write_secret(out, rules)
    codes = sum(len(each["discount_codes"]) for rule in rules for each in rule["batches"])
    if as_json:
        print_json({"offer": offer, "to": form, "price_rules": len(rules), "codes": codes})
        return
    click.echo(f"{out}: {len(rules)} price rules with {codes:,} codes. Keep it from others.")


def _read_basket(path: Path) -> "Basket":
    from lingxi.coupons import Basket
    from lingxi.forms import convert, parse_form

    return convert(str(path), parse_form(read_file(path), str(path)), Basket)


def _print_verdict(view: "VerdictView") -> None:
    from lingxi.i18n import Translator

    if not view.valid:
        for line in view.words:
            click.echo(f"Not valid: {line}")
        return
    words = Translator("en", currency=view.currency)
    click.echo(f"Valid: {words.money(view.discount_cents)} off.")
    if view.gift_item_id:
        click.echo(f"Gift: {view.gift_quantity} x {view.gift_item_id}.")
    if view.points:
        click.echo(f"Points: {view.points:,}.")
