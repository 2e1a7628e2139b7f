"""``lingxi quality``: what cleaning kept, changed and set aside."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lingxi.cli.frame import guarded, json_option, open_shop, print_json, print_table, shop_option
from lingxi.cli.quarantine import tell_messages

if TYPE_CHECKING:
    from lingxi.app.views import ImportReport
    from lingxi.i18n import Translator


@click.command("quality")
@shop_option
@json_option
@guarded
def command(folder: Path | None, as_json: bool) -> None:
    """The data-quality report of every import, before and after cleaning."""
    from lingxi.i18n import Translator

    with open_shop(folder) as shop:
        view = shop.answers.quality()
        if as_json:
            print_json(view)
            return
        messages = shop.answers.waiting(n=1).by_reason
        words = Translator("en", currency=shop.settings.shop.currency)
    if not view.imports:
        click.echo("Nothing was imported yet. Start with: lingxi import orders FILE")
    for report in view.imports:
        _show(report, words)
    click.echo(f"In quarantine: {view.quarantined:,} lines. See: lingxi quarantine list")
    tell_messages(messages)


def _show(report: "ImportReport", words: "Translator") -> None:
    click.echo(f"{report.file} ({words.time(report.started_at)}, {report.seconds:.1f} s)")
    click.echo(
        f"  {report.lines_in:,} lines in = {report.lines_kept:,} kept "
        f"+ {report.lines_set_aside:,} set aside"
    )
    if report.kind == "orders":
        _show_orders(report, words)
    else:
        counts = {
            "new events": report.events_new,
            "orders": report.orders,
            "customers": report.customers,
            "items": report.items,
        }
        told = [f"{n:,} {name}" for name, n in counts.items() if n]
        click.echo(f"  {', '.join(told) or 'nothing new'}")
    _show_reasons(report, words)
    _show_columns(report)
    click.echo("")


def _show_orders(report: "ImportReport", words: "Translator") -> None:
    click.echo(
        f"  {report.orders:,} orders, {report.refunds:,} refunds ({report.refunds_tied:,} tied to "
        f"their order), {report.anonymous_baskets:,} anonymous baskets, "
        f"{report.customers:,} customers, {report.items:,} items"
    )
    click.echo(
        f"  goods value {words.money(report.revenue_before_cents, report.currency)} before, "
        f"{words.money(report.revenue_after_cents, report.currency)} after"
    )


def _show_reasons(report: "ImportReport", words: "Translator") -> None:
    rows = [
        [
            "kept" if count.kept else "set aside",
            count.step,
            f"{count.lines:,}",
            words.text(f"clean.reason.{count.reason}"),
        ]
        for count in report.reasons
    ]
    if rows:
        print_table(["", "step", "lines", "why"], rows, frozenset({2}))


def _show_columns(report: "ImportReport") -> None:
    if report.columns:
        columns = [
            [
                column.column,
                f"{column.missing_before:.2%}",
                f"{column.missing_after:.2%}",
                f"{column.low_before or '-'} .. {column.high_before or '-'}",
                f"{column.low_after or '-'} .. {column.high_after or '-'}",
            ]
            for column in report.columns
        ]
        head = ["column", "missing before", "after", "range before", "range after"]
        print_table(head, columns, frozenset({1, 2}))
