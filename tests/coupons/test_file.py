"""Offers as files: what is written reads back, what is wrong is named."""

from pathlib import Path

import pytest
from coupon_shop import make_offer

from lingxi.coupons.file import parse_offer, read_files, read_offer, render_offer, write_files
from lingxi.coupons.offer import Offer
from lingxi.errors import InvalidInput

WHOLE = """\
name: first-order
benefit:
  kind: percent
  percent: 10.0
  at_most_cents: 2000
title:
  en: 10 % off
  zh: 首单九折
code:
  kind: shared
  text: WELCOME
conditions:
  minimum_cents: 3000
  categories:
  - Lamps
  first_order: true
validity:
  starts_at: '2026-01-01T00:00:00Z'
  days: 14
limits:
  budget_cents: 100000
stacks_with:
- '*'
"""


def test_a_file_is_as_short_as_can_be_and_reads_back() -> None:
    offer = parse_offer(WHOLE)
    assert render_offer(offer) == WHOLE
    assert offer.limits.per_customer == 1
    assert offer.title_in("zh") == "首单九折"


def test_a_folder_of_offers_reads_back(tmp_path: Path) -> None:
    offers = {"a": make_offer("a"), "b": make_offer("b", paused=True)}
    assert set(write_files(tmp_path, offers.values())) == {"a", "b"}
    assert read_files(tmp_path) == offers
    assert read_files(tmp_path / "nowhere") == {}
    (tmp_path / "offers" / "b.yaml").rename(tmp_path / "offers" / "c.yaml")
    with pytest.raises(InvalidInput, match=r"offers/c\.yaml holds the offer 'b'"):
        read_files(tmp_path)


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"benefit": {"kind": "percent", "percent": 0}}, "percent"),
        ({"benefit": {"kind": "percent", "percent": 101}}, "percent"),
        ({"benefit": {"kind": "cash"}}, "kind"),
        ({"benefit": {"kind": "amount", "cents": -5}}, "cents"),
        ({"conditions": {"minimun_cents": 5}}, "minimun_cents"),
        ({"validity": {"starts_at": "2026-05-01T00:00:00"}}, "time zone"),
        (
            {"validity": {"starts_at": "2026-05-02T00:00:00Z", "ends_at": "2026-05-01T00:00:00Z"}},
            "after",
        ),
        ({"code": {"kind": "shared", "text": "a b"}}, "text"),
        ({"code": {"kind": "unique", "length": 4}}, "length"),
        ({"code": {"kind": "unique", "prefix": "spring"}}, "prefix"),
        ({"title": {"fr": "dix"}}, "languages"),
        ({"budget": 5}, "budget"),
    ],
)
def test_what_is_wrong_is_named(parts: dict[str, object], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        make_offer(**parts)


def test_an_offer_needs_a_name_that_can_be_a_file() -> None:
    with pytest.raises(InvalidInput, match="no name"):
        read_offer({"name": "../x", "benefit": {"kind": "amount", "cents": 5}})
    with pytest.raises(InvalidInput, match="mapping"):
        read_offer(["x"])
    assert isinstance(make_offer(), Offer)
