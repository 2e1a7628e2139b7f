"""Moments as shops write them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingxi.errors import InvalidInput
from lingxi.ingest.dates import NO_TIME, Order, parse_moment, read_moments
from lingxi.ingest.text import Text
from lingxi.store.tables import from_micros, to_micros

LONDON = ZoneInfo("Europe/London")
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def read(*cells: str, form: str | None = None) -> tuple[list[str], str, str]:
    column = Text.of(cells)
    moments = read_moments(column, LONDON, NOW, form)
    micros = [int(moments.micros[code]) for code in column.codes]
    shown = ["" if m == NO_TIME else from_micros(m).strftime("%Y-%m-%d %H:%M") for m in micros]
    return shown, moments.form, moments.evidence


@pytest.mark.parametrize(
    ("cell", "moment"),
    [
        ("2010-12-01 08:26:00", "2010-12-01 08:26"),
        ("2010-12-01T08:26:00Z", "2010-12-01 08:26"),
        ("2010-12-01T08:26:00+08:00", "2010-12-01 00:26"),
        ("2010/12/1 8:26", "2010-12-01 08:26"),
        ("2010年12月1日 8时26分", "2010-12-01 08:26"),
        ("20101201", "2010-12-01 00:00"),
        ("1 Dec 2010 08:26", "2010-12-01 08:26"),
        ("Dec 1, 2010 8:26 PM", "2010-12-01 20:26"),
        ("01-Dec-10", "2010-12-01 00:00"),
        ("1291191960", "2010-12-01 08:26"),
        ("1291191960000", "2010-12-01 08:26"),
        ("40513.3513888889", "2010-12-01 08:26"),
        ("2010-12-01 08:26:00 -0500", "2010-12-01 13:26"),
        ("12/01/2010 12:05 AM", "2010-12-01 00:05"),
    ],
)
def test_form_is_read(cell: str, moment: str) -> None:
    micros = parse_moment(cell, Order.MONTH_FIRST, LONDON)
    assert from_micros(micros).strftime("%Y-%m-%d %H:%M") == moment


@pytest.mark.parametrize("cell", ["", "soon", "2010-02-30", "31/31/2010", "0000-00-00", "99999999"])
def test_impossible_date_is_no_moment(cell: str) -> None:
    assert parse_moment(cell, Order.DAY_FIRST, LONDON) == NO_TIME


def test_one_date_that_fits_only_day_first_decides_the_column() -> None:
    shown, form, evidence = read("03/04/2011", "13/04/2011")
    assert shown[0] == "2011-04-02 23:00"  # midnight in London summer time
    assert (form, evidence) == ("D/M/Y", "only_fit")


def test_one_date_that_fits_only_month_first_decides_the_column() -> None:
    assert read("03/04/2011", "04/13/2011")[1:] == ("M/D/Y", "only_fit")


def test_a_stray_date_of_the_other_order_is_unreadable() -> None:
    shown, form, _ = read("13/04/2011", "14/04/2011", "04/15/2011")
    assert form == "D/M/Y"
    assert shown[2] == ""


def test_dates_that_fit_both_are_refused() -> None:
    with pytest.raises(InvalidInput, match="--date-format dmy"):
        read("03/04/2011", "05/06/2011")


def test_dates_that_run_in_order_only_one_way_are_read_that_way() -> None:
    days = [f"{day:02d}/{month:02d}/2011" for month in (1, 2, 3) for day in range(1, 13)]
    assert read(*days)[1:] == ("D/M/Y", "in_order")


def test_order_that_would_reach_the_future_is_ruled_out() -> None:
    assert read("01/12/2025", "02/02/2026", "12/01/2026")[1:] == ("D/M/Y", "not_future")


def test_stated_order_goes_before_evidence() -> None:
    assert read("03/04/2011", form="mdy")[0] == ["2011-03-04 00:00"]
    assert read("04.03.11 17h05", form="%d.%m.%y %Hh%M")[0] == ["2011-03-04 17:05"]


def test_unknown_form_is_refused() -> None:
    with pytest.raises(InvalidInput, match="dmy, mdy, ymd"):
        read("03/04/2011", form="whatever")


def test_hour_skipped_by_the_clock_moves_forward_and_repeated_one_is_the_first() -> None:
    shown, _, _ = read("2011-03-27 01:30:00", "2011-10-30 01:30:00")
    assert shown == ["2011-03-27 01:30", "2011-10-30 00:30"]


@given(
    st.integers(631_152_000, 1_893_456_000).map(lambda s: datetime.fromtimestamp(s, UTC)),
    st.sampled_from(["%Y-%m-%d %H:%M:%S", "%d/%m/%Y %H:%M:%S", "%d.%m.%Y %I:%M:%S %p"]),
)
def test_written_moment_comes_back(moment: datetime, form: str) -> None:
    assert parse_moment(moment.strftime(form), Order.DAY_FIRST, UTC) == to_micros(moment)
