"""What an offer takes off a basket, purely: amounts in minor units, a share for each line."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from lingxi.coupons.basket import Basket
from lingxi.coupons.offer import Amount, Benefit, FreeShipping, Gift, Percent, Points, Privilege


@dataclass(frozen=True)
class Discount:
    """What the customer saves and what the shop pays.

    ``lines`` are the shares of ``goods_cents`` for each line of the basket; ``cost_cents`` counts
    against the budget.
    """

    goods_cents: int = 0
    shipping_cents: int = 0
    lines: tuple[int, ...] = ()
    gift: Gift | None = None
    points: int = 0
    cost_cents: int = 0

    @property
    def cents(self) -> int:
        """What comes off the bill."""
        return self.goods_cents + self.shipping_cents


def percent_of(cents: int, percent: float) -> int:
    """So many per cent of an amount, half a cent up.

    >>> percent_of(1005, 10), percent_of(999, 12.5)
    (101, 125)
    """
    exact = Decimal(cents) * Decimal(str(percent)) / 100
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP))


def take_off(benefit: Benefit, goods_cents: int, shipping_cents: int) -> tuple[int, int]:
    """What a benefit takes off the goods that count and off their delivery."""
    if isinstance(benefit, Percent):
        off = percent_of(goods_cents, benefit.percent)
        return (off if benefit.at_most_cents is None else min(off, benefit.at_most_cents)), 0
    if isinstance(benefit, Amount):
        return min(benefit.cents, goods_cents), 0
    if isinstance(benefit, FreeShipping):
        most = benefit.at_most_cents
        return 0, (shipping_cents if most is None else min(shipping_cents, most))
    return 0, 0


def cost_of(benefit: Benefit, goods_cents: int, shipping_cents: int) -> int:
    """What one redemption costs the shop.

    >>> cost_of(Percent(percent=10), 5000, 395), cost_of(FreeShipping(), 5000, 395)
    (500, 395)
    """
    if isinstance(benefit, Gift):
        return benefit.worth_cents * benefit.quantity
    if isinstance(benefit, Points | Privilege):
        return benefit.worth_cents
    return sum(take_off(benefit, goods_cents, shipping_cents))


def compute_discount(benefit: Benefit, basket: Basket, eligible: Sequence[bool]) -> Discount:
    """What the benefit takes off the basket; ``eligible`` says which of its lines count."""
    amounts = [
        line.amount_cents if counts else 0
        for line, counts in zip(basket.lines, eligible, strict=True)
    ]
    goods, shipping = take_off(benefit, sum(amounts), basket.shipping_cents)
    return Discount(
        goods_cents=goods,
        shipping_cents=shipping,
        lines=spread(goods, amounts),
        gift=benefit if isinstance(benefit, Gift) else None,
        points=benefit.points if isinstance(benefit, Points) else 0,
        cost_cents=cost_of(benefit, sum(amounts), basket.shipping_cents),
    )


def spread(cents: int, amounts: Sequence[int]) -> tuple[int, ...]:
    """An amount divided among others in proportion, by largest remainder; never more than each.

    >>> spread(100, [100, 100, 100]), spread(5, [0, 5])
    ((34, 33, 33), (0, 5))
    """
    total = sum(amounts)
    if total == 0:
        return tuple(0 for _ in amounts)
    parts = [cents * amount // total for amount in amounts]
    rest = [(-(cents * amount % total), at) for at, amount in enumerate(amounts)]
    for _, at in sorted(rest)[: cents - sum(parts)]:
        parts[at] += 1
    return tuple(parts)
