"""``lingxi drain``: from Kafka into the log."""

import signal
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import click

from lingxi.cli.frame import guarded, json_option, open_shop, print_json, shop_option
from lingxi.cli.steps import long_step

if TYPE_CHECKING:
    from lingxi.ingest.draining import Drained


@click.command("drain")
@click.option("--keep", is_flag=True, help="Go on until stopped.")
@shop_option
@json_option
@guarded
def command(keep: bool, folder: Path | None, as_json: bool) -> None:
    """Bring the events that wait in Kafka ([kafka] of lingxi.toml) into the log, each once.

    The server does so by itself where queue = "kafka" stands under [collect]; more of these, on
    other machines too, share the topic's partitions.
    """
    from lingxi.app.drains import drain, keep_draining

    with open_shop(folder) as shop:
        if keep:
            stop = Event()
            signal.signal(signal.SIGTERM, lambda *_: stop.set())
            keep_draining(shop, lambda done: _tell(done, as_json), stop.is_set)
            return
        with long_step("Drain", quiet=as_json) as step:
            found = drain(shop, step.progress)
            step.summary = _summarise(found)
    if as_json:
        print_json(found)


def _summarise(drained: "Drained") -> str:
    known = f", {drained.duplicates:,} known already" if drained.duplicates else ""
    aside = f", {drained.dropped:,} set aside" if drained.dropped else ""
    return f"{drained.stored:,} new messages{known}{aside}"


def _tell(drained: "Drained", as_json: bool) -> None:
    if as_json:
        import msgspec

        click.echo(msgspec.json.encode(drained).decode())
    else:
        click.echo(_summarise(drained))
