"""Which item codes are no products: postage, fees, discounts, samples, corrections by hand.

Two witnesses. The words: a description made of nothing but cost words and their usual companions
("next day carriage"). The shape: a code unlike the shop's own codes ("POST" among "85123A"), which
makes one cost word in the description enough ("DOTCOM POSTAGE"), or, without any word, a price
that is different nearly every time. A shape alone proves nothing, so a product with an odd code
stays a product, and so does a "carriage clock" with an ordinary one.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingxi.ingest.text import Mask, word_set

_COST_WORDS = word_set(
    """
    postage post p&p pp shipping shipment delivery freight carriage courier handling packing
    packaging surcharge fee fees charge charges commission discount discounts rebate voucher
    vouchers coupon coupons manual adjustment adjustments adjust correction sample samples
    tip gratuity donation insurance vat tax taxes duty customs rounding deposit refund
    credit debt cod overpayment versand versandkosten porto rabatt gutschein gebühr gebühren
    liefergebühr livraison frais port remise envío envio gastos descuento comisión
    spedizione sconto verzendkosten korting frete desconto
    """
)
_COMPANIONS = word_set(
    """
    to for and the of a with on per from by cost costs rate flat standard express economy
    priority premium tracked signed recorded special first second class next same day days
    hour saturday royal mail dhl ups dpd hermes fedex usps parcel parcelforce international
    worldwide domestic local overseas uk eu europe european usa us de fr order orders bank
    card payment paypal stripe klarna amazon ebay etsy marketplace platform transaction
    service processing booking admin administration gift wrapping wrap code promo
    promotional promotion sale customer loyalty staff student off free extra additional
    partial full total item line goodwill gesture refundable bad adjust write restocking
    cancellation small import export store late import remote area de la du d' y e di und
    für mit des frais gastos
    """
)
_LEDGER = re.compile(r"\b(bad debts?|write[- ]?offs?|written off|adjust bad)\b|坏账|呆账")
_CJK_COST = re.compile(
    r"(运费|邮费|快递费|配送费|物流费|手续费|服务费|包装费|打包费|差价|补差|补邮|折扣|优惠|满减|抵扣|优惠券|代金券|"
    r"佣金|税费|税金|保险费|样品|试用装|小费|押金|调整|送料|手数料|値引き?)(券|金额|费用|专用|链接|专拍)*$"
)
_CODE_WORDS = word_set(
    """
    post postage ship shipping delivery freight carriage discount disc fee fees commission
    handling manual adjust adjustment sample samples voucher coupon tip tax vat surcharge
    giftwrap
    """
)
_WORD = re.compile(r"[^\W\d_]+(?:['&][^\W\d_]+)*")
_CJK = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
_DOMINANT_SHARE = 0.8
_ORDINARY_SHARE = 0.01
_MANY_PRICES = 0.5
_ENOUGH_LINES = 10


@dataclass(frozen=True, eq=False)
class ItemFacts:
    """One entry per distinct item: its code, usual name, lines, and different prices."""

    codes: Sequence[str]
    names: Sequence[str | None]
    lines: NDArray[np.int64]
    prices: NDArray[np.int64]


def judge_costs(facts: ItemFacts) -> Mask:
    """Which items are order costs and no products, one truth per item."""
    odd = find_odd_shapes(facts.codes, facts.lines)
    cost = np.zeros(len(facts.codes), dtype=np.bool_)
    for place, (code, name) in enumerate(zip(facts.codes, facts.names, strict=True)):
        lines, prices = int(facts.lines[place]), int(facts.prices[place])
        if is_cost_text(name or code):
            cost[place] = True
        elif odd[place]:
            cost[place] = (
                _names_cost(name or "")
                or not set(_split(code)).isdisjoint(_CODE_WORDS)
                or (
                    not any(c.isdigit() for c in code)
                    and lines >= _ENOUGH_LINES
                    and prices > _MANY_PRICES * lines
                )
            )
    return cost


def is_cost_text(text: str) -> bool:
    """Whether a description speaks of nothing but a cost.

    >>> is_cost_text("Next Day Carriage"), is_cost_text("BLACK CARRIAGE CLOCK")
    (True, False)
    >>> is_cost_text("运费")
    True
    """
    if _CJK.search(text):
        return len(text) <= 8 and _CJK_COST.search(text.strip()) is not None
    words = _split(text)
    return (
        bool(words)
        and not _COST_WORDS.isdisjoint(words)
        and all(word in _COST_WORDS or word in _COMPANIONS for word in words)
    )


def is_ledger_text(text: str) -> bool:
    """Whether a description is bookkeeping, neither sold nor charged: a bad debt, a write-off."""
    return _LEDGER.search(text.lower()) is not None


def _names_cost(text: str) -> bool:
    return not _COST_WORDS.isdisjoint(_split(text)) or _CJK_COST.search(text) is not None


def _split(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def find_odd_shapes(codes: Sequence[str], lines: NDArray[np.int64]) -> Mask:
    """Which codes look unlike the shop's usual ones.

    A shape writes every digit as 9 and every letter as A. Shapes with at least 1 % of the lines are
    ordinary; where these together hold less than 80 % of the lines, the shop has no usual shape and
    no code is odd. A shape without a digit is ordinary only where most of the codes have none.
    """
    shapes = [re.sub(r"[^\W\d_]", "A", re.sub(r"\d", "9", code)) for code in codes]
    total = max(int(lines.sum()), 1)
    weight: dict[str, int] = {}
    for shape, count in zip(shapes, lines.tolist(), strict=True):
        weight[shape] = weight.get(shape, 0) + count
    lettered = sum(n for shape, n in weight.items() if "9" not in shape) > 0.5 * total
    ordinary = {
        shape
        for shape, n in weight.items()
        if n >= _ORDINARY_SHARE * total and ("9" in shape or lettered)
    }
    if sum(weight[shape] for shape in ordinary) < _DOMINANT_SHARE * total:
        return np.zeros(len(codes), dtype=np.bool_)
    return np.array([shape not in ordinary for shape in shapes], dtype=np.bool_)
