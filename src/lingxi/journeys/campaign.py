"""A campaign is a journey of one message to an audience at a moment; this is its short form."""

from collections.abc import Mapping
from typing import Any

from lingxi.errors import InvalidInput, did_you_mean

_SCHEDULE = ("audience", "at", "time", "weekdays", "days", "local")
_MESSAGE = ("template", "channel", "send_within")
_REST = (
    "title", "note", "priority", "goal", "exits", "holdout", "caps", "category", "message_class",
    "purpose", "entry", "reentry",
)  # fmt: skip


def is_campaign(obj: Mapping[Any, Any]) -> bool:
    """Whether a form is the short one: it has ``campaign``, the name, where a journey has steps."""
    return "campaign" in obj


def from_campaign(obj: Mapping[Any, Any]) -> dict[str, Any]:
    """The journey's form of a campaign's; ``segment`` may stand for an audience of its members.

    Raises
    ------
    InvalidInput
        If something is unknown, or the template is missing.

    Examples
    --------
    >>> made = from_campaign({"campaign": "sale", "template": "sale", "at": "2026-11-27T09:00Z"})
    >>> made["trigger"]["kind"], list(made["steps"])
    ('schedule', ['message', 'end'])
    """
    known = ("campaign", "segment", *_SCHEDULE, *_MESSAGE, *_REST)
    name = obj["campaign"]
    for key in obj:
        if key not in known:
            raise InvalidInput(
                f"campaign {name!r}: unknown name {key!r}{did_you_mean(key, known)}."
            )
    if "template" not in obj:
        raise InvalidInput(f"campaign {name!r}: it needs a template, the message's.")
    if "segment" in obj and "audience" in obj:
        raise InvalidInput(f"campaign {name!r}: give 'segment' or 'audience', not both.")
    trigger = {"kind": "schedule", **{key: obj[key] for key in _SCHEDULE if key in obj}}
    if "segment" in obj:
        trigger["audience"] = {"segment": obj["segment"]}
    message = {"kind": "message", **{key: obj[key] for key in _MESSAGE if key in obj}}
    often = {"mode": "always"} if "time" in obj else {"mode": "once"}
    return {
        "name": name,
        "trigger": trigger,
        "start": "message",
        "steps": {"message": {**message, "next": "end"}, "end": {"kind": "end"}},
        "reentry": often,
        **{key: obj[key] for key in _REST if key in obj},
    }
