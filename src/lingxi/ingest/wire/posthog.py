"""PostHog's protocol in the terms of the Segment specification.

Source: PostHog's public API reference ("POST /capture/", "POST /batch/") and its client's fields.
"""

from collections.abc import Mapping

from lingxi.ingest.wire.forms import find_json
from lingxi.ingest.wire.parcel import Body, Parcel
from lingxi.ingest.wire.segment import read_batch

_PAGE = {
    "$current_url": "url",
    "$pathname": "path",
    "$referrer": "referrer",
    "title": "title",
}
_SETS = ("$set_once", "$set")


def read_posthog(body: bytes) -> Parcel:
    """What a POST to ``/batch/``, ``/capture/`` or ``/e/`` brought.

    Raises
    ------
    BodyUnreadable
        If nothing in it can be read.
    """
    parcel = read_batch(find_json(body), read=translate)
    keys = (part.body.pop("writeKey", None) for part in parcel.parts)
    key = next((key for key in list(keys) if isinstance(key, str)), None)
    return Parcel(parts=parcel.parts, write_key=parcel.write_key or key, sent_at=parcel.sent_at)


def is_posthog(body: Mapping[str, object]) -> bool:
    """Whether a message is in PostHog's terms.

    >>> is_posthog({"event": "$pageview", "distinct_id": "d"}), is_posthog({"type": "track"})
    (True, False)
    """
    inner = body.get("properties")
    return "distinct_id" in body or (isinstance(inner, dict) and "distinct_id" in inner)


def translate(body: Body) -> Body:
    """One PostHog event as a Segment message.

    >>> told = translate({"event": "$identify", "distinct_id": "u1", "$set": {"plan": "gold"}})
    >>> told["type"], told["userId"], told["traits"]
    ('identify', 'u1', {'plan': 'gold'})
    """
    given = _object(body.get("properties"))
    plain = {name: value for name, value in given.items() if name[:1] != "$"}
    who = body.get("distinct_id") or plain.pop("distinct_id", None)
    plain.pop("distinct_id", None)
    told: Body = {"context": _context(given)}
    for name, source in (("messageId", "uuid"), ("timestamp", "timestamp"), ("sentAt", "sent_at")):
        if body.get(source) is not None:
            told[name] = body[source]
    key = body.get("api_key") or body.get("token") or plain.pop("token", None)
    plain.pop("token", None)
    if key is not None:
        told["writeKey"] = key
    told["anonymousId" if _is_anonymous(given, who) else "userId"] = who
    device = given.get("$anon_distinct_id") or given.get("$device_id")
    if device is not None and device != who:
        told["anonymousId"] = device
    traits: Body = {}
    for name in _SETS:
        traits |= _object(given.get(name)) | _object(body.get(name))
    _say(told, str(body.get("event") or ""), given, plain, traits)
    return told


def _say(told: Body, event: str, given: Body, plain: Body, traits: Body) -> None:
    """What kind of message it is, and what belongs to that kind."""
    if event in ("$identify", "$set"):
        told |= {"type": "identify", "traits": traits}
    elif event == "$create_alias":
        told |= {"type": "alias", "userId": given.get("alias")}
        told["previousId"] = given.get("distinct_id") or told.get("anonymousId")
    elif event == "$groupidentify":
        told |= {"type": "group", "groupId": given.get("$group_key")}
        told["traits"] = _object(given.get("$group_set"))
    elif event == "$pageview":
        page = {name: given[own] for own, name in _PAGE.items() if given.get(own) is not None}
        told |= {"type": "page", "properties": plain | page}
    elif event == "$screen":
        told |= {"type": "screen", "name": given.get("$screen_name"), "properties": plain}
    else:
        told |= {"type": "track", "event": event, "properties": plain}
    if traits and told["type"] not in ("identify", "group"):
        told["context"] = _object(told["context"]) | {"traits": traits}


def _is_anonymous(given: Body, who: object) -> bool:
    """Whether the id is one that the client made up for a visitor it does not know."""
    return given.get("$is_identified") is False or (
        who is not None and given.get("$device_id") == who
    )


def _context(given: Body) -> Body:
    page = {name: given[own] for own, name in _PAGE.items() if isinstance(given.get(own), str)}
    agent = given.get("$raw_user_agent") or given.get("$user_agent")
    context: Body = {"library": {"name": given.get("$lib"), "version": given.get("$lib_version")}}
    if "url" in page:
        context["page"] = page
    if agent is not None:
        context["userAgent"] = agent
    if given.get("$session_id") is not None:
        context["sessionId"] = given["$session_id"]
    if given.get("$ip") is not None:
        context["ip"] = given["$ip"]
    return context


def _object(value: object) -> Body:
    return value if isinstance(value, dict) else {}
