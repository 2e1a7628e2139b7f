"""E-mail done properly: letters, signatures, the way out, what comes back, and who may be written
to."""

from typing import TYPE_CHECKING

from lingxi.doors import open_door

if TYPE_CHECKING:
    from lingxi.messaging.email.channel import EmailChannel
    from lingxi.messaging.email.links import Links
    from lingxi.messaging.email.open import open_email, open_links
    from lingxi.messaging.email.providers import provider_of
    from lingxi.messaging.email.suppression import Reason, is_suppressed, suppress
else:
    __getattr__ = open_door(__name__, __file__)

__all__ = [
    "EmailChannel",
    "Links",
    "Reason",
    "is_suppressed",
    "open_email",
    "open_links",
    "provider_of",
    "suppress",
]
