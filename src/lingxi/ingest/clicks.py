"""Web and app events as typed columns, and the steps that clean them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo

import numpy as np
from numpy.typing import NDArray

from lingxi.ingest.dates import NO_TIME, parse_moments
from lingxi.ingest.drops import EARLIEST_MICROS, MOST_PRICE, MOST_UNITS
from lingxi.ingest.event_names import NEEDS_ITEM, is_bot, is_reserved, name_event
from lingxi.ingest.numbers import parse_numbers
from lingxi.ingest.puts import tidy, tidy_id
from lingxi.ingest.raw import RawTable, map_cells
from lingxi.ingest.reasons import DropReason
from lingxi.ingest.text import Mask, Text
from lingxi.ingest.words import is_guest
from lingxi.schema.ecommerce import ORDER_NAMES

_ORDERS_ONLY = ORDER_NAMES - {"Order Completed"}
"""What a file of clicks cannot tell: it has no lines to give back."""


@dataclass(frozen=True, eq=False)
class Clicks:
    """One part of an event file, columns of equal length; nothing is dropped yet."""

    raw: RawTable
    text: Mapping[str, Text]
    micros: NDArray[np.int64]
    quantity: NDArray[np.float64]
    price: NDArray[np.float64]
    bad_number: Mask

    def __len__(self) -> int:
        return len(self.micros)


@dataclass(frozen=True)
class Reader:
    """How the columns of an event file are read."""

    mapping: Mapping[str, str]
    zone: tzinfo
    form: str
    decimal_mark: str
    spelling: Callable[[Text], Text]

    def read(self, raw: RawTable) -> Clicks:
        """Interpret one part."""
        changes: dict[str, Callable[[str], str | None]] = {
            "message": tidy_id,
            "event": _name,
            "user": _person,
            "anonymous": _person,
            "session": tidy_id,
            "item": tidy_id,
            "category": tidy_id,
            "query": _query,
            "agent": tidy,
            "country": tidy_id,
            "currency": tidy_id,
            "order": tidy_id,
        }
        text = {f: map_cells(raw, self.mapping.get(f), change) for f, change in changes.items()}
        text["item"] = self.spelling(text["item"])
        text["time"] = map_cells(raw, self.mapping.get("time"), str.strip)
        quantity, bad_quantity = self._numbers(raw, "quantity")
        price, bad_price = self._numbers(raw, "price")
        moments = parse_moments(text["time"].values, self.form, self.zone)
        return Clicks(
            raw=raw,
            text=text,
            micros=np.append(moments, NO_TIME)[text["time"].codes],
            quantity=quantity,
            price=price,
            bad_number=bad_quantity | bad_price,
        )

    def _numbers(self, raw: RawTable, field: str) -> tuple[NDArray[np.float64], Mask]:
        column = map_cells(raw, self.mapping.get(field), str.strip)
        values, bad = parse_numbers(column.values, self.decimal_mark)
        return column.spread_numbers(values), column.spread(bad)


def _name(cell: str) -> str | None:
    tidied = tidy_id(cell)
    if tidied is None or is_reserved(tidied):
        return None
    name = name_event(tidied)
    return None if name in _ORDERS_ONLY else name


def _person(cell: str) -> str | None:
    tidied = tidy_id(cell)
    return None if tidied is None or is_guest(tidied) else tidied


def _query(cell: str) -> str | None:
    """What was searched for; an address typed into the search box is nobody's business."""
    tidied = tidy_id(cell)
    return None if tidied is None or "@" in tidied else tidied.lower()


class Seen:
    """Messages met so far in the file."""

    def __init__(self) -> None:
        self._ids: set[str] = set()

    def find_repeated(self, messages: Text, keep: Mask) -> Mask:
        """The lines, among those kept, whose message was met before."""
        repeated = np.zeros(len(messages), dtype=np.bool_)
        values, ids = messages.values, self._ids
        codes = messages.codes.tolist()
        for line in np.flatnonzero(keep & ~messages.missing).tolist():
            message = values[codes[line]]
            if message in ids:
                repeated[line] = True
            else:
                ids.add(message)
        return repeated


@dataclass(frozen=True, eq=False)
class ClickDrop:
    """What one step set aside of one part."""

    step: str
    reason: DropReason
    index: NDArray[np.int64]


def clean_clicks(clicks: Clicks, seen: Seen, latest: datetime) -> tuple[Mask, list[ClickDrop]]:
    """Which lines are kept, and what each step set aside; first reason wins."""
    keep = np.ones(len(clicks), dtype=np.bool_)
    drops: list[ClickDrop] = []

    def drop(step: str, reason: DropReason, mask: Mask) -> None:
        nonlocal keep
        index = np.flatnonzero(mask & keep)
        if len(index):
            drops.append(ClickDrop(step, reason, index))
            keep = keep & ~mask

    text, micros = clicks.text, clicks.micros
    limit = int(latest.timestamp() * 1e6)
    drop("drop_missing_event", DropReason.EVENT_MISSING, text["event"].missing)
    drop("drop_bot", DropReason.BOT, text["agent"].where(is_bot))
    nobody = text["user"].missing & text["anonymous"].missing
    drop("drop_missing_visitor", DropReason.VISITOR_MISSING, nobody)
    drop("drop_missing_time", DropReason.TIME_MISSING, text["time"].missing)
    drop("drop_unreadable_time", DropReason.TIME_UNREADABLE, micros == NO_TIME)
    impossible = (micros < EARLIEST_MICROS) | (micros > limit)
    drop("drop_impossible_time", DropReason.TIME_IMPOSSIBLE, impossible)
    about_item = text["event"].where(lambda name: name in NEEDS_ITEM)
    drop("drop_missing_item", DropReason.ITEM_MISSING, about_item & text["item"].missing)
    drop("drop_unreadable_number", DropReason.NUMBER_UNREADABLE, clicks.bad_number)
    drop("drop_absurd_number", DropReason.NUMBER_ABSURD, _find_absurd(clicks))
    repeated = seen.find_repeated(text["message"], keep)
    drop("drop_repeated_message", DropReason.EXACT_DUPLICATE, repeated)
    return keep, drops


def _find_absurd(clicks: Clicks) -> Mask:
    quantity = np.nan_to_num(clicks.quantity, nan=1.0)
    price = np.nan_to_num(clicks.price, nan=0.0)
    absurd = (quantity < 0) | (quantity > MOST_UNITS) | (price < 0) | (price > MOST_PRICE)
    return np.asarray(absurd, dtype=np.bool_)
