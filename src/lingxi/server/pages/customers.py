"""Customers: the list with its filters, the same list as a file, and one customer."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath
from litestar.response import Stream

from lingxi.access import Scope
from lingxi.app.answers import Answers
from lingxi.app.views import CustomerRow, CustomersView, CustomerView
from lingxi.errors import NotTrained
from lingxi.i18n import minor_units
from lingxi.ingest.merging import undo_merge
from lingxi.schema import Name
from lingxi.server.api.parameters import (
    LARGEST_NUMBER,
    Cursor,
    Filter,
    Search,
    Sort,
    check_cursor,
    check_id,
    check_text,
)
from lingxi.server.dependencies import AskAnswers, AskShop
from lingxi.server.pages.customer_automation import tell_automation
from lingxi.server.pages.frame import AskFrame
from lingxi.server.pages.links import Address, customer_link
from lingxi.server.pages.session import see
from lingxi.server.pages.vocabulary import ACTIONS, SEGMENTS, STAGES
from lingxi.server.pages.words import Words

_ROWS = 50
_ROWS_OF_FILE = 500
_RECOMMENDED = 6
_EVENTS = 30
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@get("/customers", opt={"scope": Scope.CUSTOMERS}, sync_to_thread=True)
def get_customers(
    frame: AskFrame,
    answers: AskAnswers,
    search: Search = "",
    stage: Filter = "",
    segment: Filter = "",
    action: Filter = "",
    country: Filter = "",
    sort: Sort = "-revenue",
    cursor: Cursor = None,
) -> Response[str]:
    """The list of customers."""
    filters = _check(search, stage, segment, action, country)
    view = answers.customers(**filters, sort=sort, cursor=check_cursor("cursor", cursor), n=_ROWS)
    query = {**filters, "sort": "" if sort == "-revenue" else sort, "cursor": cursor or ""}
    if view.total == 0 and not any(filters.values()):
        return frame.page("customers_empty.html")
    context = {
        "view": view,
        "filters": filters,
        "sort": sort,
        "cursor": cursor,
        "filtered": any(filters.values()),
        "stages": STAGES,
        "segments": SEGMENTS,
        "actions": ACTIONS,
        "countries": sorted({row.country for row in view.rows if row.country}),
        "answer": answer_customers(frame.words, view, filters),
    }
    return frame.list_page("customers.html", context, Address("/customers", query))


@get("/customers.csv", opt={"scope": Scope.CUSTOMERS}, sync_to_thread=True)
def get_customers_file(
    answers: AskAnswers,
    search: Search = "",
    stage: Filter = "",
    segment: Filter = "",
    action: Filter = "",
    country: Filter = "",
    sort: Sort = "-revenue",
) -> Stream:
    """Every customer that matches the filters, as CSV."""
    filters = _check(search, stage, segment, action, country)
    first = answers.customers(**filters, sort=sort, n=_ROWS_OF_FILE)
    return Stream(
        _write_file(answers, first, filters, sort),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="customers.csv"'},
    )


@get("/customers/{customer_id:path}", opt={"scope": Scope.CUSTOMERS}, sync_to_thread=True)
def get_customer(
    frame: AskFrame,
    answers: AskAnswers,
    shop: AskShop,
    customer_id: FromPath[str],
    before: Cursor = None,
) -> Response[str]:
    """One customer."""
    wanted = check_id("customer_id", customer_id.removeprefix("/"))
    view = answers.customer(wanted, before=check_cursor("before", before), n=_EVENTS)
    try:
        recommended = answers.recommendations(wanted, n=_RECOMMENDED)
    except NotTrained:
        recommended = None
    churn = view.churn
    context = {
        "view": view,
        "recommended": recommended,
        "before": before,
        "bought": list_bought(view),
        "identity": answers.identity(wanted),
        "consent": answers.consent(wanted),
        **tell_automation(frame, shop, wanted),
        "may_change": frame.user is not None and frame.user.can(Scope.ADMIN),
        "largest": max((abs(r.contribution) for r in churn.reasons), default=0.0) if churn else 0.0,
    }
    return frame.page("customer.html", context)


def answer_customers(words: Words, view: CustomersView, filters: dict[str, str]) -> str:
    """The list in one sentence."""
    if not any(filters.values()):
        return words.text("customers.answer.all", n=view.total)
    if view.total == 0:
        return words.text("customers.answer.none")
    return words.text("customers.answer.filtered", n=view.total)


def list_bought(view: CustomerView) -> frozenset[str]:
    """Items of the orders on the page: a cause outside it may have been looked at only."""
    return frozenset(
        line.item_id
        for entry in view.timeline
        if entry.name == Name.ORDER_COMPLETED
        for line in entry.lines
    )


def _check(search: str, stage: str, segment: str, action: str, country: str) -> dict[str, str]:
    given = {
        "search": search,
        "stage": stage,
        "segment": segment,
        "action": action,
        "country": country,
    }
    return {name: check_text(name, text).strip() for name, text in given.items()}


def _write_file(
    answers: Answers, view: CustomersView, filters: dict[str, str], sort: str
) -> Iterator[str]:
    yield "\ufeff" + _line(list(CustomerRow.__struct_fields__))
    while True:
        yield "".join(_line(_cells(row, view.currency)) for row in view.rows)
        if view.next_cursor is None:
            return
        view = answers.customers(**filters, sort=sort, cursor=view.next_cursor, n=_ROWS_OF_FILE)


def _cells(row: CustomerRow, currency: str) -> list[str]:
    cells = []
    for name in CustomerRow.__struct_fields__:
        value = getattr(row, name)
        if value is not None and name.endswith("_cents"):
            digits = minor_units(currency)
            cells.append(f"{value / 10**digits:.{digits}f}")
        elif name.endswith("_at"):
            cells.append(value.isoformat() if value else "")
        else:
            cells.append(
                _defuse(value) if isinstance(value, str) else "" if value is None else str(value)
            )
    return cells


def _defuse(text: str) -> str:
    """A cell that a spreadsheet will not take for a formula."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _line(cells: list[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()


@dataclass(frozen=True)
class UndoForm:
    """A merge to be undone, and the customer whose page asked for it."""

    merge_id: Annotated[int, msgspec.Meta(ge=1, le=LARGEST_NUMBER)]
    customer_id: str


UndoData = Annotated[UndoForm, Body(media_type=RequestEncodingType.URL_ENCODED)]


@post("/identity/undo", opt={"scope": Scope.ADMIN}, sync_to_thread=True, status_code=200)
def post_undo(data: UndoData, shop: AskShop) -> Response[str]:
    """Make two customers again of what a merge made one."""
    undo_merge(shop.store, data.merge_id)
    return see(customer_link(check_id("customer_id", data.customer_id)) + "#identity")


ROUTES = [get_customers, get_customers_file, get_customer, post_undo]
