"""Moments in any common form, and what a feedback type means."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingxi.config import GorseSettings
from lingxi.errors import InvalidInput, InvalidSetting
from lingxi.gorse.kinds import Kinds
from lingxi.gorse.moments import read_moment, show_moment


@pytest.mark.parametrize(
    "text",
    [
        "2026-05-01T12:30:00Z",
        "2026-05-01T14:30:00+02:00",
        "2026-05-01 12:30:00",
        "2026-05-01 12:30:00 +0000 UTC",
        "Fri, 01 May 2026 12:30:00 GMT",
        "May 1, 2026 12:30:00",
        "1777638600",
        "1777638600000",
    ],
)
def test_any_common_form_names_the_same_moment(text: str) -> None:
    assert read_moment(text) == datetime(2026, 5, 1, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize("text", ["soon", "9" * 70, "2026-13-01", "yesterday at 5"])
def test_what_names_no_moment_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        read_moment(text)


@given(st.datetimes(timezones=st.just(UTC)).filter(lambda moment: moment.year > 1))
def test_a_moment_written_is_read_back(moment: datetime) -> None:
    assert read_moment(show_moment(moment)) == moment


def test_the_first_strongest_rule_that_fits_counts() -> None:
    settings = GorseSettings(
        order=("rating>=4.5",), wish=("rating > 3", "like"), shown=("rating<2",)
    )
    kinds = Kinds.of(settings)
    found = [kinds.find("rating", value).value for value in (5.0, 4.0, 3.0, 1.0)]
    assert found == [
        "Order Completed",
        "Product Added to Wishlist",
        "Product Viewed",
        "Product List Viewed",
    ]
    assert kinds.find("like", 0.0).value == "Product Added to Wishlist"
    assert kinds.find("never heard of", 0.0).value == "Product Viewed"
    assert not kinds.is_interest("rating", 1.0)


def test_an_entry_that_is_no_rule_is_refused() -> None:
    with pytest.raises(InvalidSetting, match=r"gorse\.cart"):
        Kinds.of(GorseSettings(cart=("rating=>4",)))


def test_defaults_tell_interest_from_what_was_only_shown() -> None:
    kinds = Kinds.of(GorseSettings())
    assert kinds.is_interest("read", 0.0)
    assert not kinds.is_interest("impression", 0.0)
