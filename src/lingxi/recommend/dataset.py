"""Train, test and history files put together: who learns, who is asked, what is to be found."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lingxi.errors import NotEnoughData
from lingxi.ingest.text import Text
from lingxi.recommend.event_files import Events, read_events
from lingxi.recommend.histories import NOBODY, Histories
from lingxi.recommend.matrix import Csr, row_lengths, sum_pairs
from lingxi.recommend.overlap import find_told

Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Dataset:
    """What an evaluation needs.

    ``taught``: shape (n_taught, n_items), what models are fitted on. ``asked``: shape (n_asked,
    n_items), what is known of each customer of the test when serving, fitted row included.
    ``wanted``: the same shape, 1 for what is to be found. ``notes``: what a reader should know.
    ``barred``: what is never recommended where that is not what each has met.
    """

    taught: Histories
    asked: Histories
    wanted: Csr
    customer_ids: tuple[str, ...]
    item_ids: tuple[str, ...]
    notes: tuple[str, ...]
    barred: Csr | None = None


def read_dataset(train: Path, test: Path, history: Path | None = None) -> Dataset:
    """The three files as one data set.

    Customers and items are the same where their ids are the same text. Items of any of the files
    make the catalogue. Without times in ``train`` the order of events is not known; events of a
    history without times count as later than all of train. A history may hold the events of train
    too: they count once.

    Raises
    ------
    NotEnoughData
        If there is nothing to learn from or nothing to find.
    """
    taught, tested = read_events(train), read_events(test)
    later = read_events(history) if history is not None else None
    for events, what in ((taught, "to learn from"), (tested, "to find")):
        if not len(events):
            raise NotEnoughData(
                f"There are no events in {events.path}, so there is nothing {what}."
            )
    files = [taught, *([later] if later else []), tested]
    item_ids, items = number_together([f.items for f in files], keep_all=True)
    customer_ids, customers = number_together([f.customers for f in files])
    n_taught = int(customers[0].max()) + 1  # train comes first, so its customers have low numbers
    past = _gather(taught, customers[0], items[0], (n_taught, len(item_ids)))
    if not (past.weights > 0).any():
        raise NotEnoughData(f"All events in {train} have weight 0, so there is nothing to learn.")
    everyone = len(customer_ids)
    known = _widen(past, everyone)
    told = 0
    if later is not None:
        new = ~find_told(
            (customers[0], items[0], taught.moments), (customers[1], items[1], later.moments)
        )
        told = len(new) - int(new.sum())
        since = _gather(
            later.keep(new), customers[1][new], items[1][new], (everyone, len(item_ids))
        )
        known = known.merge(_put_after(since, past) if past.timed else since)
    wanted = _find_wanted(tested, customers[-1], items[-1], known.shape)
    rows = np.flatnonzero(row_lengths(wanted) > 0)
    if not len(rows):
        raise NotEnoughData(f"All events in {test} have weight 0, so there is nothing to find.")
    asked, wanted = _take(known, rows), wanted[rows]
    asked = replace(asked, rows=np.where(rows < n_taught, rows, NOBODY))
    ids = tuple(customer_ids[row] for row in rows.tolist())
    return Dataset(past, asked, wanted, ids, item_ids, _note(asked, wanted, past, told))


def number_together(
    columns: Sequence[Text], *, keep_all: bool = False
) -> tuple[tuple[str, ...], list[Codes]]:
    """One numbering for several columns of ids, in order of appearance."""
    numbers: dict[str, int] = {}
    answers = []
    for column in columns:
        used = np.zeros(len(column.values) + 1, dtype=np.bool_)
        used[column.codes] = True
        table = np.array(
            [
                numbers.setdefault(value.strip(), len(numbers)) if keep_all or used[at] else -1
                for at, value in enumerate(column.values)
            ]
            or [-1],
            dtype=np.int64,
        )
        answers.append(table[column.codes])
    return tuple(numbers), answers


def _gather(events: Events, rows: Codes, items: Codes, shape: tuple[int, int]) -> Histories:
    return Histories.of_events(rows, items, shape, moments=events.moments, weights=events.weights)


def _widen(histories: Histories, n_rows: int) -> Histories:
    """With empty rows at the end."""
    more = n_rows - histories.n_rows
    return replace(
        histories,
        indptr=np.concatenate((histories.indptr, np.full(more, histories.indptr[-1]))),
        rows=np.arange(n_rows),
    )


def _take(known: Histories, rows: Codes) -> Histories:
    """The histories of these rows; where they are all there are, nothing is copied."""
    return known if len(rows) == known.n_rows else known.take(rows)


def _put_after(later: Histories, past: Histories) -> Histories:
    """Events without times, as if just after all of the past; others as they are."""
    if later.timed:
        return later
    moments = np.full(len(later.items), past.newest + 1)
    return replace(later, moments=moments, timed=True)


def _find_wanted(events: Events, rows: Codes, items: Codes, shape: tuple[int, int]) -> Csr:
    weights = np.ones(len(rows)) if events.weights is None else events.weights
    found = sum_pairs(rows, items, weights, shape)
    found.data[:] = 1.0
    return found


def _note(asked: Histories, wanted: Csr, past: Histories, told: int) -> tuple[str, ...]:
    """What keeps a recommender from finding what is to be found, and what was read otherwise."""
    notes = []
    if told:
        notes.append(f"{told} events of the history are in train as well; they count once.")
    empty = int((asked.lengths == 0).sum())
    if empty:
        notes.append(
            f"{empty} of {asked.n_rows} customers of the test have no history: "
            "they get what is popular."
        )
    known = np.bincount(past.items, minlength=past.n_items) > 0
    new = int((~known[wanted.indices]).sum())
    if new:
        notes.append(f"{new} of {wanted.nnz} items to find are not in train.")
    again = (wanted * asked.seen()).nnz
    if again:
        notes.append(
            f"{again} of {wanted.nnz} items to find are in the customer's own history; "
            "they can be found with --include-seen only."
        )
    return tuple(notes)
