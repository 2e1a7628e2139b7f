"""``lingxi evaluate``: how good a recommender is, on a shop's own data or on files."""

import math
import sys
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

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lingxi.recommend.measures import ShopReport
    from lingxi.recommend.report import Measure

_FILE = click.Path(path_type=Path, dir_okay=False)
_LONGEST = 1000


@click.group("evaluate")
def command() -> None:
    """Measure models on data that they have not seen."""


def _read_lengths(_ctx: click.Context, _param: click.Parameter, value: str) -> tuple[int, ...]:
    try:
        lengths = tuple(dict.fromkeys(int(part) for part in value.split(",")))
    except ValueError:
        lengths = ()
    if not lengths or min(lengths) < 1 or max(lengths) > _LONGEST:
        raise click.BadParameter(
            f"Give list lengths from 1 to {_LONGEST}, separated by commas, such as 10,20."
        )
    return lengths


def _refuse_nan(_context: click.Context, _option: click.Parameter, value: float) -> float:
    if math.isnan(value):
        raise click.BadParameter("nan is no number.")
    return value


def _choose_tell(as_json: bool) -> "Callable[[str], None]":
    """Where steps are told: on standard error, with JSON only if that is a terminal."""
    if as_json and not sys.stderr.isatty():
        return lambda _text: None
    return lambda text: click.echo(f"  {text}", err=True)


@command.command("recommend")
@click.option("--train", required=True, type=_FILE, help="Events to learn from.")
@click.option("--test", required=True, type=_FILE, help="Events to be found.")
@click.option("--history", type=_FILE, help="Events known when serving, but not learnt from.")
@click.option(
    "--at", default="10,20", show_default=True, callback=_read_lengths, help="List lengths."
)
@click.option("--model", default="auto", show_default=True, help="A model's name, or auto.")
@click.option("--include-seen", is_flag=True, help="Items of the history may be recommended.")
@click.option(
    "--seconds",
    default=300.0,
    show_default=True,
    type=click.FloatRange(min=0, min_open=True),
    callback=_refuse_nan,
    help="Time for choosing and fitting the model.",
)
@click.option(
    "--memory-gb",
    default=4.0,
    show_default=True,
    type=click.FloatRange(min=0, min_open=True),
    callback=_refuse_nan,
    help="Models that would take more memory are left out, and named.",
)
@json_option
@guarded
def recommend(
    train: Path,
    test: Path,
    history: Path | None,
    at: tuple[int, ...],
    model: str,
    include_seen: bool,
    seconds: float,
    memory_gb: float,
    as_json: bool,
) -> None:
    """Fit on TRAIN, rank all items for every customer of TEST, and report how much is found.

    Files: Parquet or CSV (also gzipped) with the columns customer_id and item_id, optionally
    timestamp (dates or seconds since 1970) and weight; or SciPy CSR matrices (.npz, rows are
    customers).
    """
    from lingxi.recommend.dataset import read_dataset
    from lingxi.recommend.report import Wish, report

    wish = Wish(at=at, model=model, include_seen=include_seen, seconds=seconds, memory_gb=memory_gb)
    data = read_dataset(train, test, history)
    tell = _choose_tell(as_json)
    answer = report(data, wish, tell)
    if as_json:
        print_json(answer)
        return
    _print(answer)


@command.command("shop")
@shop_option
@json_option
@guarded
def shop(folder: Path | None, as_json: bool) -> None:
    """Measure the recommender in use on the last days of the shop's own data.

    It learns from what came before and is asked what each customer bought for the first time
    after it, beside popularity and item-based neighbours. The dashboard shows the report.
    """
    from lingxi.app.queries.reports import make_report

    tell = _choose_tell(as_json)
    with open_shop(folder) as opened:
        made = make_report(opened, tell)
    if as_json:
        print_json(made)
        return
    _print_report(made)


def _print_report(made: "ShopReport") -> None:
    click.echo(
        f"Learnt from {made.events} events before {made.cutoff:%Y-%m-%d}; asked for {made.wanted} "
        f"first purchases of {made.customers} customers until {made.data_to:%Y-%m-%d}"
    )
    names = [f"{m.name} (in use)" if m.chosen else m.name for m in made.models]
    rows = [
        [metric, *[_show(model.measures[metric]) for model in made.models]]
        for metric in made.models[0].measures
    ]
    rows.append(["fit_seconds", *[f"{model.fit_seconds} s" for model in made.models]])
    print_table(["", *names], rows, frozenset(range(1, len(names) + 1)))
    for name, gains in made.over.items():
        shown = ", ".join(f"{k} {_show(v)}" for k, v in gains.items() if k.startswith("ndcg"))
        click.echo(f"over {name}: {shown}")


def _print(answer: "Mapping[str, object]") -> None:
    """The report as a table: a row a metric, a column a model."""
    others = answer["models"]
    assert isinstance(others, dict)
    models = {f"{answer['model']} (chosen)": answer, **others}
    click.echo(
        f"{answer['customers']} customers, {answer['items']} items, "
        f"{answer['train_events']} events to learn from, {answer['test_items']} to find"
    )
    click.echo(f"Chosen: {answer['model']}. {answer['why']}")
    for note in answer["notes"] if isinstance(answer["notes"], list) else []:
        click.echo(f"Note: {note}")
    for name, reason in answer["skipped"].items() if isinstance(answer["skipped"], dict) else ():
        click.echo(f"Skipped {name}: {reason}")
    keys = [key for key in answer if "@" in key]
    rows = [[key, *[_show(model[key]) for model in models.values()]] for key in keys]
    for key, unit in (("fit_seconds", "s"), ("customers_per_second", "/s")):
        rows.append([key, *[f"{model[key]} {unit}" for model in models.values()]])
    print_table(["", *models], rows, frozenset(range(1, len(models) + 1)))
    for other in ("over_popularity", "over_item_knn"):
        gains = answer[other]
        assert isinstance(gains, dict)
        shown = ", ".join(f"{k} {_show(gains[k])}" for k in gains if k.startswith("ndcg"))
        click.echo(f"{other}: {shown}")
    click.echo(f"Search {answer['search_seconds']} s, peak memory {answer['peak_memory_mb']} MB")


def _show(measure: "Measure | object") -> str:
    value, low, high = (getattr(measure, name) for name in ("value", "low", "high"))
    if value is None:
        return "-"
    return f"{value:.4f}" + (f" [{low:.4f}, {high:.4f}]" if low is not None else "")
