"""``lingxi mail``: signing keys, what comes back, who is not written to, and the list before you
send to many."""

import sys
from collections import Counter
from pathlib import Path

import click

from lingxi.cli.frame import guarded, json_option, open_shop, print_json, print_table, shop_option
from lingxi.errors import InvalidInput

_ACTOR = "cli"


@click.group("mail")
def command() -> None:
    """E-mail: keys, bounces, suppressions, double opt-in, deliverability."""


@command.group("dkim")
def dkim() -> None:
    """Keys that sign e-mails, and the DNS records that publish them."""


@dkim.command("create")
@click.option("--selector", default="", help="Another selector than mail.dkim_selector.")
@click.option(
    "--kind", "kinds", multiple=True, type=click.Choice(["rsa", "ed25519"]), help="Both if absent."
)
@shop_option
@json_option
@guarded
def create(selector: str, kinds: tuple[str, ...], folder: Path | None, as_json: bool) -> None:
    """Make keys for the domain of mail.sender and print the records to publish."""
    from lingxi.messaging.email.address import domain_of
    from lingxi.messaging.email.dkim_keys import KINDS, create_keys

    with open_shop(folder) as shop:
        mail = shop.settings.mail
        if not mail.sender:
            raise InvalidInput("Set mail.sender first: its domain is the one that signs.")
        keys = create_keys(
            shop.settings.folder / "keys",
            domain_of(mail.sender),
            selector or mail.dkim_selector,
            kinds=kinds or KINDS,
        )
    _print_records([(key.record_name, key.record) for key in keys], as_json)


@dkim.command("show")
@click.option("--selector", default="", help="Another selector than mail.dkim_selector.")
@shop_option
@json_option
@guarded
def show(selector: str, folder: Path | None, as_json: bool) -> None:
    """Print the DNS records of the keys in use."""
    from lingxi.messaging.email.address import domain_of
    from lingxi.messaging.email.dkim_keys import load_keys

    with open_shop(folder) as shop:
        mail = shop.settings.mail
        if not mail.sender:
            raise InvalidInput("Set mail.sender first: its domain is the one that signs.")
        keys = load_keys(
            shop.settings.folder / "keys", domain_of(mail.sender), selector or mail.dkim_selector
        )
    if not keys:
        raise InvalidInput("There are no keys yet; make them with 'lingxi mail dkim create'.")
    _print_records([(key.record_name, key.record) for key in keys], as_json)


def _print_records(records: list[tuple[str, str]], as_json: bool) -> None:
    if as_json:
        print_json([{"name": name, "type": "TXT", "text": text} for name, text in records])
        return
    for name, text in records:
        parts = [text[i : i + 255] for i in range(0, len(text), 255)]
        click.echo(f"{name}. IN TXT " + " ".join(f'"{part}"' for part in parts))


@command.command("bounces")
@click.argument("source")
@shop_option
@json_option
@guarded
def bounces(source: str, folder: Path | None, as_json: bool) -> None:
    """Take in bounces and complaints from SOURCE: a maildir, an mbox, one message, or - for
    standard input."""
    from lingxi.app.mail.work import take_mail
    from lingxi.messaging.email.mailbox import read_messages

    raws = [sys.stdin.buffer.read()] if source == "-" else read_messages(Path(source))
    with open_shop(folder) as shop:
        taken = take_mail(shop, [raw for raw in raws if raw.strip()])
    counts = Counter((each.outcome, each.kind, each.weight, each.reason) for each in taken)
    if as_json:
        print_json(taken)
        return
    rows = [[*map(str, key), f"{n:,}"] for key, n in sorted(counts.items())]
    print_table(["outcome", "kind", "weight", "reason", "messages"], rows, frozenset({4}))
    closed = sum(each.suppressed for each in taken)
    click.echo(f"{closed:,} addresses are not written to any more.")


@command.group("suppress")
def suppress() -> None:
    """Addresses that are not written to; kept as keyed hashes only."""


@suppress.command("list")
@click.option("--reason", default="", help="Only this reason.")
@click.option("-n", default=50, show_default=True, type=click.IntRange(1, 500), help="Rows.")
@click.option("--cursor", default="", help="Next page: the last hash of the page before.")
@shop_option
@json_option
@guarded
def list_all(reason: str, n: int, cursor: str, folder: Path | None, as_json: bool) -> None:
    """All of them with their reasons."""
    from lingxi.app.mail.addresses import list_addresses

    with open_shop(folder) as shop:
        view = list_addresses(shop, reason=reason, n=n, cursor=cursor)
    if as_json:
        print_json(view)
        return
    rows = [
        [r.address_hash[:16], r.reason, "all" if r.everything else "marketing",
         r.at.isoformat(timespec="seconds"), r.actor, r.detail]
        for r in view.rows
    ]  # fmt: skip
    print_table(["hash", "reason", "what", "since", "by", "detail"], rows, frozenset())
    click.echo(f"{view.total:,} addresses in all.")


@suppress.command("show")
@click.argument("address")
@shop_option
@json_option
@guarded
def show_one(address: str, folder: Path | None, as_json: bool) -> None:
    """Whether ADDRESS is written to, and why not."""
    from lingxi.app.mail.addresses import find_address

    with open_shop(folder) as shop:
        found = find_address(shop, address)
    if as_json:
        print_json({"suppressed": found is not None, "why": found})
    elif found is None:
        click.echo(f"{address} is written to, where the customer agreed to it.")
    else:
        what = "at all" if found.everything else "for marketing"
        since = found.at.isoformat(timespec="seconds")
        click.echo(f"{address} is not written to {what}: {found.reason} since {since}.")


@suppress.command("add")
@click.argument("address")
@click.option("--reason", default="manual", show_default=True, help="complaint, unsubscribe, ...")
@click.option("--detail", default="", help="A word on why.")
@shop_option
@json_option
@guarded
def add(address: str, reason: str, detail: str, folder: Path | None, as_json: bool) -> None:
    """Write to ADDRESS no more."""
    from lingxi.app.mail.addresses import SuppressionRequest, add_address

    with open_shop(folder) as shop:
        row = add_address(shop, SuppressionRequest(address, reason, detail), actor=_ACTOR)
    if as_json:
        print_json(row)
    else:
        click.echo(f"{address} is not written to any more ({row.reason}).")


@suppress.command("remove")
@click.argument("address")
@click.option("--why", required=True, help="Why it may be written to again; for the audit log.")
@shop_option
@json_option
@guarded
def remove(address: str, why: str, folder: Path | None, as_json: bool) -> None:
    """Write to ADDRESS again, where the customer agreed to it."""
    from lingxi.app.mail.addresses import remove_address

    with open_shop(folder) as shop:
        gone = remove_address(shop, address, actor=_ACTOR, why=why)
    if as_json:
        print_json({"released": gone})
    else:
        click.echo(f"{address} is written to again." if gone else f"{address} was not left out.")


@command.group("optin")
def optin() -> None:
    """Double opt-in: customers who were asked to confirm their address."""


@optin.command("ask")
@click.argument("customer")
@click.option("--category", default="", help="Only for messages of this category.")
@click.option("--source", default="cli", show_default=True, help="Where they signed up.")
@click.option("--text-version", default="", help="Version of the text they signed up to.")
@shop_option
@json_option
@guarded
def ask(
    customer: str,
    category: str,
    source: str,
    text_version: str,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Ask CUSTOMER to confirm; the message leaves with the next turn of 'lingxi work'."""
    from lingxi.app.mail.opt_ins import OptInRequest, request_opt_in

    with open_shop(folder) as shop:
        row = request_opt_in(shop, OptInRequest(customer, category, source, text_version))
    if as_json:
        print_json(row)
    else:
        click.echo(f"{row.customer_id} is asked to confirm; request {row.id}.")


@optin.command("list")
@click.option("--customer", default="", help="Only this customer.")
@click.option("-n", default=50, show_default=True, type=click.IntRange(1, 500), help="Rows.")
@shop_option
@json_option
@guarded
def list_requests(customer: str, n: int, folder: Path | None, as_json: bool) -> None:
    """Requests, newest first: pending, confirmed, expired."""
    from lingxi.app.mail.opt_ins import list_opt_ins

    with open_shop(folder) as shop:
        found = list_opt_ins(shop, customer_id=customer, n=n)
    if as_json:
        print_json(found)
        return
    rows = [
        [r.customer_id, r.state, r.category or "all", r.asked_at.isoformat(timespec="seconds"),
         r.confirmed_at.isoformat(timespec="seconds") if r.confirmed_at else "", r.source]
        for r in found
    ]  # fmt: skip
    print_table(
        ["customer", "state", "category", "asked", "confirmed", "source"], rows, frozenset()
    )


@command.command("preflight")
@shop_option
@json_option
@guarded
def preflight(folder: Path | None, as_json: bool) -> None:
    """What Gmail, Yahoo and Outlook ask of who sends many; exit status 2 where something failed."""
    from lingxi.app.mail.views import run_preflight
    from lingxi.i18n import Translator

    with open_shop(folder) as shop:
        found = run_preflight(shop)
    if as_json:
        print_json(found)
    else:
        reader = Translator("en")
        for check in found.checks:
            click.echo(f"{check.state:<8} {reader.text(check.sentence)}")
    if not found.ready:
        sys.exit(2)


@command.command("status")
@click.option("--days", default=28, show_default=True, type=click.IntRange(1, 90), help="Days.")
@shop_option
@json_option
@guarded
def status(days: int, folder: Path | None, as_json: bool) -> None:
    """What became of e-mail in the last days, by mailbox provider."""
    from lingxi.app.mail.views import get_deliverability

    with open_shop(folder) as shop:
        view = get_deliverability(shop, days=days)
    if as_json:
        print_json(view)
        return
    names = ["accepted", "deferred", "failed", "unknown", "hard", "soft", "blocked", "complained"]
    rows = [
        [row.provider, *(f"{getattr(row.outcomes, name):,}" for name in names)]
        for row in view.by_provider
    ]
    print_table(["provider", *names], rows, frozenset(range(1, 9)))
    for way in view.ways:
        click.echo(f"{way.worker}: {way.state} {way.detail}".rstrip())
