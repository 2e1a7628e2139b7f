"""What clients send, as bytes: unpacked, told apart and cut into messages. Pure; no cleaning."""

from lingxi.ingest.wire.mend import decode
from lingxi.ingest.wire.parcel import LARGEST_EVENT, MOST_EVENTS, Parcel, Sender, address_parcel
from lingxi.ingest.wire.posthog import read_posthog
from lingxi.ingest.wire.replay import read_raw
from lingxi.ingest.wire.segment import read_body, read_query
from lingxi.ingest.wire.unpack import unpack

__all__ = [
    "LARGEST_EVENT",
    "MOST_EVENTS",
    "Parcel",
    "Sender",
    "address_parcel",
    "decode",
    "read_body",
    "read_posthog",
    "read_query",
    "read_raw",
    "unpack",
]
