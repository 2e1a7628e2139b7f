"""Messages: templates, channels, what is checked when a message is sent, and its delivery."""

from typing import TYPE_CHECKING

from lingxi.doors import open_door
from lingxi.messaging.tables import metadata

if TYPE_CHECKING:
    from lingxi.messaging.channels.channel import Channel
    from lingxi.messaging.erasure import forget
    from lingxi.messaging.nouns import Message, Parcel, SkipReason, State, message_id
    from lingxi.messaging.queue import cancel_messages, queue_message, queue_messages
else:
    __getattr__ = open_door(__name__, __file__)

__all__ = [
    "Channel",
    "Message",
    "Parcel",
    "SkipReason",
    "State",
    "cancel_messages",
    "forget",
    "message_id",
    "metadata",
    "queue_message",
    "queue_messages",
]
