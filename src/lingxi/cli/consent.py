"""``lingxi consent``: what a customer has agreed to."""

from pathlib import Path

import click

from lingxi.cli.frame import guarded, json_option, open_shop, print_json, print_table, shop_option


@click.group("consent")
def command() -> None:
    """Consent by purpose (marketing, personalisation, analytics) and channel."""


@command.command("show")
@click.argument("customer")
@shop_option
@json_option
@guarded
def show(customer: str, folder: Path | None, as_json: bool) -> None:
    """What holds for CUSTOMER, said or assumed."""
    with open_shop(folder) as shop:
        view = shop.answers.consent(customer)
    if as_json:
        print_json(view)
        return
    rows = [
        [
            row.purpose,
            row.channel,
            "yes" if row.granted else "no",
            row.at.isoformat(timespec="seconds") if row.at else "assumed",
            row.source or "",
            row.text_version or "",
        ]
        for row in view.rows
    ]
    heads = ["purpose", "channel", "agreed", "since", "source", "text"]
    print_table(heads, rows, frozenset())


def _options(function: click.decorators.FC) -> click.decorators.FC:
    for option in (
        click.argument("customer"),
        click.argument("purpose"),
        click.option("--channel", default="*", show_default=True, help="email, sms, push, ..."),
        click.option("--source", default="cli", show_default=True, help="Where it was said."),
        click.option("--text-version", default="", help="Version of the text they agreed to."),
        shop_option,
        json_option,
    )[::-1]:
        function = option(function)
    return function


@command.command("give")
@_options
@guarded
def give(
    customer: str,
    purpose: str,
    channel: str,
    source: str,
    text_version: str,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Record that CUSTOMER agreed to PURPOSE."""
    _say(customer, purpose, channel, source, text_version, folder, as_json, granted=True)


@command.command("withdraw")
@_options
@guarded
def withdraw(
    customer: str,
    purpose: str,
    channel: str,
    source: str,
    text_version: str,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Record that CUSTOMER no longer agrees to PURPOSE."""
    _say(customer, purpose, channel, source, text_version, folder, as_json, granted=False)


def _say(
    customer: str,
    purpose: str,
    channel: str,
    source: str,
    text_version: str,
    folder: Path | None,
    as_json: bool,
    *,
    granted: bool,
) -> None:
    from lingxi.app.people import ConsentWord, say_consent

    word = ConsentWord(purpose, channel, granted, source, text_version)
    with open_shop(folder) as shop:
        view = say_consent(shop, customer, word)
    if as_json:
        print_json(view)
    else:
        click.echo(f"{customer}: {purpose} ({channel}) is now {'yes' if granted else 'no'}.")
