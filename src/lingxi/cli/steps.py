"""Progress bars for long steps, and one line of summary after each."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)


class Step:
    """One long step: receives progress, ends with a summary."""

    def __init__(self, title: str, bars: Progress | None, *, quiet: bool = False) -> None:
        self.title = title
        self.summary = ""
        self._bars = bars
        self._quiet = quiet
        self._tasks: dict[str, TaskID] = {}

    def progress(self, step: str, done: int, total: int | None, /) -> None:
        """Show how far a part of the step is."""
        if self._bars is None:
            return
        if step not in self._tasks:
            self._tasks[step] = self._bars.add_task(step, total=total)
        self._bars.update(self._tasks[step], completed=done, total=total)

    def say(self, text: str) -> None:
        """Show a line that stays, above the bars where there are any."""
        if self._bars is not None:
            self._bars.console.print(text, highlight=False)
        elif not self._quiet:
            click.echo(text, err=True)


@contextmanager
def long_step(title: str, *, quiet: bool = False) -> Iterator[Step]:
    """Bars while the step runs, then ``title: summary (seconds)`` on one line.

    Bars go to the error stream and only to a terminal; the summary goes there as well, so that
    standard output holds nothing but the answer.
    """
    started = time.perf_counter()
    if quiet or not sys.stderr.isatty():
        step = Step(title, None, quiet=quiet)
        yield step
    else:
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
            bars.add_task(title, total=None)
            step = Step(title, bars)
            yield step
    if not quiet:
        seconds = time.perf_counter() - started
        click.echo(f"{title}: {step.summary} ({seconds:.1f} s)", err=True)
