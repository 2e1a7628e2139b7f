"""Money: an amount in minor units, with its currency."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Money:
    """An amount in minor units of a currency (ISO 4217): 1234 GBP is twelve pounds thirty-four.

    >>> Money(100, "GBP") + Money(20, "GBP")
    Money(cents=120, currency='GBP')
    """

    cents: int
    currency: str

    def __add__(self, other: "Money") -> "Money":
        if self.currency != other.currency:
            raise ValueError(f"cannot add {other.currency} to {self.currency}")
        return Money(self.cents + other.cents, self.currency)
