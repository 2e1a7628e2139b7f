"""Where data comes from by itself: a watched folder, sources pulled from, the feedback of Gorse."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lingxi.errors import InvalidSetting


@dataclass(frozen=True)
class WatchSettings:
    """A folder whose files come in by themselves while the server runs."""

    folder: str = ""
    """The folder, from the shop's own; empty watches none."""
    settle_seconds: float = 5.0
    """A file is whole when its size and time have not changed for so long."""
    look_seconds: float = 2.0
    """How often the folder is looked at."""


@dataclass(frozen=True)
class PullSettings:
    """A source that is pulled from, under a name of its own: [pull.crm].

    Further entries are options of its kind; one that is secret stands in the environment:
    LINGXI_PULL_CRM_TOKEN."""

    kind: str = ""
    """What it is: folder, http, kafka, or a kind that a plug-in brings."""
    every_seconds: float = 60.0
    """How often the server pulls from it."""
    size: int = 500
    """Messages pulled at once."""
    options: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Everything else that stands in its table."""


@dataclass(frozen=True)
class GorseSettings:
    """What the feedback types of Gorse mean; ``rating>=4`` is a type with a threshold of value."""

    order: tuple[str, ...] = ("purchase", "purchased", "buy", "order")
    """Types that are an order of the item: the strongest sign of interest."""
    cart: tuple[str, ...] = ("cart", "add_to_cart", "addtocart", "add-to-cart")
    """Types that put the item into a cart."""
    wish: tuple[str, ...] = ("like", "star", "favorite", "favourite", "wishlist", "collect", "fork")
    """Types that say the item is liked; they count as much as a cart."""
    shown: tuple[str, ...] = ("impression", "exposure", "seen")
    """Types that say the item was shown: it is not recommended again, and teaches nothing."""
    other: str = "view"
    """What other types are, ``read`` and ``click`` among them: order, cart, wish, view, shown."""


def check_sources(
    watch: WatchSettings, pulls: Mapping[str, PullSettings], gorse: GorseSettings, path: Path
) -> None:
    """Refuse sources that cannot be read.

    Raises
    ------
    InvalidSetting
    """
    if gorse.other not in ("order", "cart", "wish", "view", "shown"):
        raise InvalidSetting(f"{path}: gorse.other must be order, cart, wish, view or shown.")
    if watch.settle_seconds < 0 or watch.look_seconds <= 0:
        raise InvalidSetting(
            f"{path}: watch.settle_seconds must not be below 0, and look_seconds must be above 0."
        )
    for name, pull in pulls.items():
        if pull.every_seconds <= 0 or not 1 <= pull.size <= 10_000 or not pull.kind:
            raise InvalidSetting(
                f"{path}: [pull.{name}] needs a kind, every_seconds above 0 and a size between 1 "
                "and 10,000."
            )
