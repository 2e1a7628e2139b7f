"""What cleaning goes by: the shop's currency, its own traffic, and exchange rates."""

from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

import msgspec

from lingxi.config import Settings
from lingxi.errors import InvalidSetting
from lingxi.i18n import minor_units
from lingxi.ingest.rates import Rate, no_rates


class Rules(msgspec.Struct, frozen=True):
    """The rules of one shop. ``internal_*`` name the shop's own staff and tests."""

    currency: str
    digits: int
    rate: Rate = no_rates
    internal_agents: tuple[str, ...] = ()
    internal_domains: frozenset[str] = frozenset()
    internal_networks: tuple[IPv4Network | IPv6Network, ...] = ()

    @property
    def has_internal(self) -> bool:
        """Whether the shop has named anybody of its own."""
        return bool(self.internal_agents or self.internal_domains or self.internal_networks)

    @classmethod
    def of(cls, settings: Settings, rate: Rate = no_rates) -> "Rules":
        """The rules of a shop, from its settings.

        Raises
        ------
        InvalidSetting
            If an address of ``[cleaning] internal_addresses`` is none.
        """
        own = settings.cleaning
        try:
            networks = tuple(ip_network(text, strict=False) for text in own.internal_addresses)
        except ValueError as error:
            raise InvalidSetting(
                f"[cleaning] internal_addresses: {error}; write 203.0.113.7 or 203.0.113.0/24."
            ) from error
        return cls(
            currency=settings.shop.currency,
            digits=minor_units(settings.shop.currency),
            rate=rate,
            internal_agents=tuple(text.lower() for text in own.internal_agents),
            internal_domains=frozenset(text.lower() for text in own.internal_domains),
            internal_networks=networks,
        )

    def is_internal(self, address: str) -> bool:
        """Whether an internet address is one of the shop's own."""
        return bool(self.internal_networks) and is_within(address, self.internal_networks)


@lru_cache(maxsize=4_096)
def is_within(address: str, networks: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    """Whether an address lies in one of the networks; what is no address lies nowhere."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return any(found in network for network in networks)
