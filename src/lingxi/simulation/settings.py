"""What a simulated shop is made from: sizes, habits and dirt, all in one frozen value."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lingxi.errors import InvalidInput, did_you_mean


@dataclass(frozen=True)
class DirtSettings:
    """How much of the raw files is dirty; each kind occurs at least once where it can.

    Order rates are shares of the sold lines, event rates shares of the web events.
    """

    duplicate_line: float = 0.006
    """Lines written twice, equal in every column."""
    zero_price: float = 0.003
    """Free samples added to an order at no price."""
    missing_description: float = 0.004
    """Lines whose description is empty."""
    mixed_case_code: float = 0.006
    """Product codes typed in lower case or with a space behind."""
    padded_description: float = 0.01
    """Descriptions with a space behind."""
    stock_adjustment: float = 0.003
    """Lines without customer, at no price, with a negative quantity: the warehouse's own."""
    impossible_date: float = 0.0004
    """Lines of orders whose date cannot be."""
    untied_refund: float = 0.002
    """Cancellations of something bought before the file begins."""
    keying_error: float = 0.0002
    """Absurd quantities, cancelled at once."""
    manual_charge: float = 0.002
    """Lines that are no product: manual entries and discounts; above 0 also bank charges each
    month and two lines of bad debt."""
    bot: float = 0.02
    """Events of crawlers and headless browsers."""
    duplicate_event: float = 0.005
    """Events sent twice under one message id."""
    missing_time: float = 0.0005
    """Events without a time."""
    absurd_time: float = 0.0005
    """Events in 1970 or far in the future."""
    missing_product: float = 0.001
    """Product events that name no product."""
    unknown_product: float = 0.001
    """Product events with a product the catalogue does not have."""
    missing_identity: float = 0.001
    """Events with neither a user nor a device."""
    odd_name: float = 0.001
    """Event names written in another case."""
    custom_event: float = 0.01
    """Events of the shop's own making, in no specification."""


@dataclass(frozen=True)
class SimulationSettings:
    """One simulated shop; the same settings give the same bytes."""

    customers: int = 5_000
    """Customers who register, most of them within the period."""
    items: int = 600
    """Items in the catalogue, some of them launched within the period."""
    days: int = 540
    """Whole days of the period before the day of ``end``."""
    seed: int = 7
    """Seed of everything random."""
    end: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    """End of the period: nothing happens at or after it."""
    timezone: str = "UTC"
    """IANA time zone of the times in orders.csv, which carry none."""
    visits_per_month: float = 1.15
    """Mean visits of a living customer in 30 days, before reminders to buy again."""
    lifetime_days: float = 280.0
    """Typical time until a customer leaves for good."""
    one_time_share: float = 0.17
    """Customers who leave at once after their first order, whatever their activity."""
    established_share: float = 0.15
    """Customers who had registered before the period begins."""
    visitors_per_customer: float = 1.6
    """Visitors who never register, for each customer; some order as guests."""
    tracked_share: float = 0.94
    """Visits with an order that the web tracking sees; the rest leave only the order."""
    refund_share: float = 0.025
    """Sold lines that come back."""
    dirt: DirtSettings = field(default_factory=DirtSettings)
    """How dirty the raw files are."""

    def __post_init__(self) -> None:
        for name, low in (("customers", 1), ("items", 12), ("days", 30), ("seed", 0)):
            if getattr(self, name) < low:
                raise InvalidInput(
                    f"A simulated shop needs {name} of at least {low}, not {getattr(self, name)}."
                )
        if self.end.tzinfo is None:
            raise InvalidInput("The end of a simulated shop must be an aware moment, such as UTC.")
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise InvalidInput(
                f"{self.timezone!r} is not an IANA time zone; write one such as 'Europe/London'."
            ) from error

    @property
    def start(self) -> datetime:
        """The first moment of the period: a midnight in UTC, ``days`` before the end's own day."""
        midnight = self.end.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight - timedelta(days=self.days)

    @property
    def seconds(self) -> int:
        """Length of the period in whole seconds."""
        return int((self.end - self.start).total_seconds())

    @property
    def calendar_days(self) -> int:
        """Days of the calendar that the period touches."""
        return -(-self.seconds // 86_400)


PRESETS = {
    "demo": SimulationSettings(),
    "tiny": SimulationSettings(
        customers=300, items=60, days=365, visits_per_month=1.8, visitors_per_customer=1.0
    ),
}
"""Ready shops: ``demo`` for a first look, ``tiny`` for tests."""


def preset(
    name: str,
    *,
    seed: int | None = None,
    end: datetime | None = None,
    timezone: str | None = None,
) -> SimulationSettings:
    """The settings of a ready shop, with another seed, end or time zone where given.

    Raises
    ------
    InvalidInput
        If there is no preset of this name.

    Examples
    --------
    >>> preset("tiny", seed=3).customers
    300
    """
    if name not in PRESETS:
        raise InvalidInput(f"No simulated shop {name!r}{did_you_mean(name, PRESETS)}.")
    chosen = PRESETS[name]
    return replace(
        chosen,
        seed=chosen.seed if seed is None else seed,
        end=chosen.end if end is None else end,
        timezone=chosen.timezone if timezone is None else timezone,
    )
