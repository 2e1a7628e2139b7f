"""The addresses that a message carries, each signed for its own purpose."""

from dataclasses import dataclass

from lingxi.messaging.email.tokens import Purpose, Ticket, seal, seal_narrow, tag_of

PREFIX = "/mail"
UNSUBSCRIBE, PREFERENCES, CONFIRM = "unsubscribe", "preferences", "confirm"
CLICK, OPEN = "c", "o"


@dataclass(frozen=True)
class Links:
    """Makes the links of one shop. ``key`` is ``keyring.derive("links")``, ``public_url`` where the
    shop's customers reach Lingxi, without a slash at its end."""

    key: bytes
    public_url: str

    def unsubscribe(
        self, message_id: str, customer: int, address_hash: str, category: str = ""
    ) -> str:
        """Where one POST unsubscribes and a GET asks first (RFC 8058)."""
        ticket = self._ticket(Purpose.UNSUBSCRIBE, message_id, customer, address_hash, category)
        return self._place(UNSUBSCRIBE, ticket)

    def preferences(self, message_id: str, customer: int, address_hash: str) -> str:
        """Where the customer chooses what to receive, and how."""
        ticket = self._ticket(Purpose.PREFERENCES, message_id, customer, address_hash)
        return self._place(PREFERENCES, ticket)

    def confirm(self, request: str, customer: int, address_hash: str) -> str:
        """Where a customer says yes to what was asked for in their name: double opt-in."""
        return self._place(CONFIRM, self._ticket(Purpose.OPT_IN, request, customer, address_hash))

    def click(
        self, message_id: str, customer: int, address_hash: str, number: int, target: str
    ) -> str:
        """The way round to ``target`` that notes the click; ``number`` counts the links of a
        message from 1."""
        extra = f"{number} {target}"
        return self._place(
            CLICK, self._ticket(Purpose.CLICK, message_id, customer, address_hash, extra)
        )

    def opened(self, message_id: str, customer: int, address_hash: str) -> str:
        """The picture of one dot that notes the opening."""
        ticket = self._ticket(Purpose.OPEN, message_id, customer, address_hash)
        return self._place(OPEN, ticket) + ".gif"

    def return_path(
        self, message_id: str, customer: int, address_hash: str, prefix: str, domain: str
    ) -> str:
        """The address that bounces of this message come back to (VERP)."""
        ticket = self._ticket(Purpose.RETURN, message_id, customer, address_hash)
        return f"{prefix}+{seal_narrow(self.key, ticket)}@{domain}"

    def is_own(self, url: str) -> bool:
        """Whether an address is one of these pages, which are never rewritten."""
        return url.startswith(f"{self.public_url}{PREFIX}/")

    def _place(self, kind: str, ticket: Ticket) -> str:
        return f"{self.public_url}{PREFIX}/{kind}/{seal(self.key, ticket)}"

    @staticmethod
    def _ticket(
        purpose: Purpose, message_id: str, customer: int, address_hash: str, extra: str = ""
    ) -> Ticket:
        return Ticket(purpose, message_id, customer, tag_of(address_hash), extra)
