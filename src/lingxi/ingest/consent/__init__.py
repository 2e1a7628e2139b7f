"""Consent: said as events, kept as a projection, asked where data is used."""

from lingxi.ingest.consent.ask import (
    Answers,
    Permissions,
    count_consent,
    is_allowed,
    keep_permitted,
    list_consent,
    read_answers,
    read_permissions,
)
from lingxi.ingest.consent.project import (
    CHANNELS,
    PURPOSES,
    ConsentProjection,
    consent_event,
    narrow,
)

__all__ = [
    "CHANNELS",
    "PURPOSES",
    "Answers",
    "ConsentProjection",
    "Permissions",
    "consent_event",
    "count_consent",
    "is_allowed",
    "keep_permitted",
    "list_consent",
    "narrow",
    "read_answers",
    "read_permissions",
]
