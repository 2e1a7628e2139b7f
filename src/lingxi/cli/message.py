"""``lingxi message``: what was sent and what was not, and why."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lingxi.cli.frame import (
    guarded,
    json_option,
    open_shop,
    print_json,
    print_table,
    shop_option,
)
from lingxi.cli.template import ACTOR, read_context

if TYPE_CHECKING:
    from lingxi.app.messages.views import MessageReport
    from lingxi.i18n import Translator


@click.group("message")
def command() -> None:
    """Messages: the log of them, tests, what they came to; see docs/messaging.md."""


@command.command("list")
@click.option("--customer", default="", help="Only to this customer.")
@click.option("--template", default="", help="Only of this template.")
@click.option("--journey", default="", help="Only of this journey.")
@click.option("--channel", default="", help="Only on this channel.")
@click.option("--state", default="", help="queued, sending, accepted, failed, skipped, unknown.")
@click.option("--reason", default="", help="Only for this reason, such as no_consent.")
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="Only those queued on this day.")
@click.option("--n", default=50, show_default=True, help="The most messages to list.")
@click.option("--cursor", default=None, help="next_cursor of the page before.")
@shop_option
@json_option
@guarded
def list_all(
    customer: str,
    template: str,
    journey: str,
    channel: str,
    state: str,
    reason: str,
    day: datetime | None,
    n: int,
    cursor: str | None,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Messages, the last queued first."""
    with open_shop(folder) as shop:
        view = shop.messages.list_all(
            customer_id=customer,
            template=template,
            journey=journey,
            channel=channel,
            state=state,
            reason=reason,
            day=day.date() if day else None,
            cursor=cursor,
            n=n,
        )
        words = _words(shop.settings.shop.timezone)
    if as_json:
        print_json(view)
        return
    rows = [
        [
            words.time(each.queued_at),
            each.id,
            each.customer_id,
            each.channel,
            each.template,
            each.state,
            each.reason,
        ]
        for each in view.messages
    ]
    head = ["queued", "message", "customer", "channel", "template", "state", "reason"]
    print_table(head, rows, frozenset())
    if view.next_cursor:
        click.echo(f"More: --cursor {view.next_cursor}")


@command.command("why")
@click.argument("message_id", metavar="MESSAGE")
@shop_option
@json_option
@guarded
def why(message_id: str, folder: Path | None, as_json: bool) -> None:
    """Why MESSAGE was sent, or was not."""
    with open_shop(folder) as shop:
        view = shop.messages.why(message_id)
        words = _words(shop.settings.shop.timezone)
    if as_json:
        print_json(view)
        return
    message = view.message
    click.echo(f"{message.channel} to {message.customer_id}: {words.text(message.why)}")
    origin = f"journey {message.journey}, step {message.node}" if message.journey else "no journey"
    version = f" version {message.template_version}" if message.template_version else ""
    click.echo(f"  template {message.template}{version}, {message.message_class}, {origin}")
    if message.detail:
        click.echo(f"  {message.detail}")
    for step in view.steps:
        click.echo(f"  {words.time(step.at)}  {step.name}  {step.reason}".rstrip())
    if view.now is not None:
        click.echo(f"  {words.text(view.now)}")


@command.command("report")
@click.option("--template", default="", help="Of this template.")
@click.option("--journey", default="", help="Of this journey.")
@click.option("--days", default=30, show_default=True, help="Orders count so long.")
@shop_option
@json_option
@guarded
def report(template: str, journey: str, days: int, folder: Path | None, as_json: bool) -> None:
    """What messages came to, and what customers did against those held out."""
    with open_shop(folder) as shop:
        view = shop.messages.report(template=template, journey=journey, days=days)
        words = _words(shop.settings.shop.timezone, shop.settings.shop.currency)
    if as_json:
        print_json(view)
        return
    click.echo(f"{view.total:,} messages")
    print_table(
        ["state", "reason", "messages"],
        [[each.state, each.reason, f"{each.n:,}"] for each in view.counts],
        frozenset({2}),
    )
    _print_outcomes(view, words)


@command.command("send-test")
@click.argument("name", metavar="TEMPLATE")
@click.option("--to", required=True, help="The address it goes to.")
@click.option("--customer", default="", help="As this customer would get it.")
@click.option("--language", default="", help="In this language: en or zh.")
@click.option("--context", multiple=True, metavar="KEY=VALUE", help="What a journey would know.")
@shop_option
@json_option
@guarded
def send_test(
    name: str,
    to: str,
    customer: str,
    language: str,
    context: tuple[str, ...],
    folder: Path | None,
    as_json: bool,
) -> None:
    """Send the draft of TEMPLATE to an address at once, marked as a test."""
    with open_shop(folder) as shop:
        view = shop.templates.send_test(
            name,
            to,
            actor=ACTOR,
            customer_id=customer,
            language=language,
            context=read_context(context),
        )
    if as_json:
        print_json(view)
        return
    click.echo(f"{view.outcome} {view.reason} {view.detail}".strip())


@command.command("queue")
@click.argument("name", metavar="TEMPLATE")
@click.argument("customer")
@click.option("--key", default="", help="The same key is the same message, sent once.")
@click.option("--context", multiple=True, metavar="KEY=VALUE", help="Ids that the text needs.")
@shop_option
@json_option
@guarded
def queue(
    name: str,
    customer: str,
    key: str,
    context: tuple[str, ...],
    folder: Path | None,
    as_json: bool,
) -> None:
    """Queue one message of the published TEMPLATE to CUSTOMER; 'lingxi work' sends it."""
    with open_shop(folder) as shop:
        view = shop.messages.queue(name, customer, key=key, context=read_context(context))
    if as_json:
        print_json(view)
        return
    click.echo(f"Queued {view.id}; see 'lingxi message why {view.id}'.")


@command.command("channels")
@click.option("--secret", is_flag=True, help="Show what webhooks are signed with.")
@shop_option
@json_option
@guarded
def channels(secret: bool, folder: Path | None, as_json: bool) -> None:
    """The channels that are set up, and the trait that holds an address for each."""
    from lingxi.app.messages.ways import find_push_key, find_secret

    with open_shop(folder) as shop:
        held = {name: each.address_trait for name, each in shop.postroom.channels.items()}
        key = find_push_key(shop)
        told = find_secret(shop) if secret else ""
    if as_json:
        print_json({"channels": held, "push_key": key, **({"secret": told} if secret else {})})
        return
    print_table(["channel", "trait"], [[name, trait] for name, trait in held.items()], frozenset())
    if key:
        click.echo(f"Web push key: {key}")
    if told:
        click.echo(f"Webhook secret: {told}")


def _words(timezone: str, currency: str = "GBP") -> "Translator":
    from zoneinfo import ZoneInfo

    from lingxi.i18n import Translator

    return Translator("en", ZoneInfo(timezone), currency)


def _print_outcomes(view: "MessageReport", words: "Translator") -> None:
    for outcome in view.outcomes:
        click.echo(f"\n{outcome.journey}: orders within {outcome.days} days")
        rows = [
            [
                each.arm,
                f"{each.customers:,}",
                f"{each.buyers:,}",
                "" if each.buyers_share is None else words.percent(each.buyers_share, 1),
                "" if each.revenue_cents is None else words.money(each.revenue_cents),
            ]
            for each in outcome.arms
        ]
        head = ["arm", "customers", "bought", "share", "revenue each"]
        print_table(head, rows, frozenset({1, 2, 3, 4}))
        share, revenue = outcome.buyers_share, outcome.revenue_cents
        if share is not None:
            low, high = words.percent(share.low, 1), words.percent(share.high, 1)
            click.echo(f"  difference {words.percent(share.value, 1)} (95 %: {low} to {high})")
        if revenue is not None:
            low, high = words.money(revenue.low), words.money(revenue.high)
            click.echo(f"  per customer {words.money(revenue.value)} (95 %: {low} to {high})")
        if share is None or revenue is None:
            click.echo("  Too few customers were held out so far to tell a difference.")
