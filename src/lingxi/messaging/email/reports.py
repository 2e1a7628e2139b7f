"""What comes back: bounces (RFC 3464) and complaints (RFC 5965), read from their bytes."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import Message
from enum import StrEnum

from lingxi.messaging.email.links import PREFIX
from lingxi.messaging.email.replies import Reply, classify
from lingxi.messaging.email.tokens import Purpose, Ticket, unseal, unseal_narrow

LARGEST = 2 * 1024 * 1024
_ADDRESS = re.compile(r"[^\s<>;,\"()]+@[^\s<>;,\"()]+")
_STATUS = re.compile(r"\b[245]\.\d{1,3}\.\d{1,3}\b")
_CODE = re.compile(r"\b[45]\d\d\b")
_OWN_LINK = re.compile(re.escape(PREFIX) + r"/(?:unsubscribe|preferences)/([A-Za-z0-9_-]{40,400})")
_BOUNCED = re.compile(
    r"undeliver|delivery (status|fail)|returned mail|mail delivery|failure notice|退信|投递失败",
    re.I,
)


class Kind(StrEnum):
    """What a message that came back is."""

    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    OPT_OUT = "opt_out"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    AUTO_REPLY = "auto_reply"
    OTHER = "other"


class Weight(StrEnum):
    """What a bounce means for its address: gone, perhaps later, or that we are not liked."""

    HARD = "hard"
    SOFT = "soft"
    BLOCKED = "blocked"


@dataclass(frozen=True)
class Report:
    """What was read. ``ticket`` is the message it is about, where its signature holds."""

    kind: Kind
    ticket: Ticket | None = None
    weight: Weight | None = None
    reason: str = ""
    status: str = ""
    detail: str = ""
    recipients: tuple[str, ...] = ()


def read_report(raw: bytes, key: bytes, return_prefix: str) -> Report:
    """Read one message that came back.

    Parameters
    ----------
    raw
        The message as the mailbox has it; of a very long one the first two megabytes.
    key, return_prefix
        What our return addresses are signed with and begin with.

    Source
    ------
    RFC 3464, 2.3 for the fields of a delivery status; RFC 5965, 3.1 for those of a complaint;
    RFC 3834, 5 for answers of machines, which say nothing of an address.
    """
    message = message_from_bytes(raw[:LARGEST], policy=policy.compat32)
    texts = list(_texts(message))
    ticket = _find_ticket([raw[:LARGEST].decode("latin-1"), *texts], key, return_prefix)
    for part in message.walk():
        kind = part.get_content_type()
        if kind == "message/feedback-report":
            return _read_complaint(part, ticket)
        if kind in ("message/delivery-status", "message/global-delivery-status"):
            return _read_status(part, ticket)
    if str(message.get("Auto-Submitted", "no")).lower().startswith("auto-replied"):
        return Report(Kind.AUTO_REPLY, ticket)
    return _read_plain(message, texts, ticket)


def _texts(message: Message) -> Iterator[str]:
    for part in message.walk():
        if not part.is_multipart():
            payload = part.get_payload(decode=True)
            if isinstance(payload, bytes):
                yield payload[:LARGEST].decode("utf-8", "replace")


def _find_ticket(texts: Sequence[str], key: bytes, prefix: str) -> Ticket | None:
    """The first return address of ours, else the first of our links, whose signature holds."""
    returns = re.compile(rf"\b{re.escape(prefix)}\+([a-z2-7]{{55}})@", re.IGNORECASE)
    for text in texts:
        for word in returns.findall(text):
            if (ticket := unseal_narrow(key, word)) is not None:
                return ticket
    for text in texts:
        for word in _OWN_LINK.findall(re.sub(r"=\r?\n", "", text)):
            ticket = unseal(key, word, Purpose.UNSUBSCRIBE, Purpose.PREFERENCES)
            if ticket is not None:
                return ticket
    return None


def _fields(part: Message) -> list[Message]:
    """The groups of fields in a part of machine-readable lines."""
    payload = part.get_payload()
    return (
        [each for each in payload if isinstance(each, Message)] if isinstance(payload, list) else []
    )


def _read_complaint(part: Message, ticket: Ticket | None) -> Report:
    groups = _fields(part)
    fields = groups[0] if groups else part
    said = str(fields.get("Feedback-Type", "abuse")).strip().lower()
    to = [_clean(value) for value in fields.get_all("Original-Rcpt-To", [])]
    kind = {"not-spam": Kind.OTHER, "opt-out": Kind.OPT_OUT}.get(said, Kind.COMPLAINT)
    agent = " ".join(str(fields.get("User-Agent", "")).split())
    recipients = tuple(address for address in to if address)
    return Report(kind, ticket, reason=said[:40], detail=agent[:200], recipients=recipients)


def _read_status(part: Message, ticket: Ticket | None) -> Report:
    """The gravest word on any recipient; one message of ours has but one."""
    found = [_judge(group, ticket) for group in _fields(part) if group.get("Action")]
    order = (Kind.BOUNCE, Kind.DELAYED, Kind.DELIVERED, Kind.OTHER)
    return min(
        found, key=lambda report: order.index(report.kind), default=Report(Kind.OTHER, ticket)
    )


def _judge(group: Message, ticket: Ticket | None) -> Report:
    action = str(group.get("Action", "")).split(";")[0].strip().lower()
    status_field = _STATUS.search(str(group.get("Status", "")))
    diagnosis = " ".join(str(group.get("Diagnostic-Code", "")).split())
    names = ("Original-Recipient", "Final-Recipient", "X-Actual-Recipient")
    to = tuple(filter(None, (_clean(group.get(name, "")) for name in names)))
    kinds = {"failed": Kind.BOUNCE, "delayed": Kind.DELAYED}
    kind = kinds.get(
        action, Kind.DELIVERED if action in ("delivered", "relayed", "expanded") else Kind.OTHER
    )
    status = status_field[0] if status_field else ""
    if kind is not Kind.BOUNCE:
        return Report(kind, ticket, status=status, detail=diagnosis[:200], recipients=to)
    weight, reason = weigh(status, diagnosis)
    return Report(kind, ticket, weight, reason, status, diagnosis[:200], to)


def weigh(status: str, diagnosis: str) -> tuple[Weight, str]:
    """What a bounce means, from its enhanced status and the last server's words.

    >>> weigh("5.1.1", "smtp; 550 no such user")
    (<Weight.HARD: 'hard'>, 'no_such_mailbox')
    >>> weigh("5.2.2", "")
    (<Weight.SOFT: 'soft'>, 'mailbox_full')
    """
    if status in ("5.4.4", "5.4.0") or (status == "5.4.1" and not diagnosis):
        return Weight.HARD, "no_such_domain"
    if status.startswith("4.") or status == "5.4.7":
        return Weight.SOFT, "gave_up"
    specific = "" if status.endswith(".0.0") else status
    said = _STATUS.search(diagnosis)
    words = diagnosis if said or not specific else f"{specific} {diagnosis}"
    code = _CODE.search(diagnosis)
    reason = classify(Reply(int(code[0]) if code and code[0] >= "500" else 550, words))
    if reason == "no_such_mailbox":
        return Weight.HARD, reason
    return (Weight.BLOCKED if reason == "blocked" else Weight.SOFT), reason


def _read_plain(message: Message, texts: Sequence[str], ticket: Ticket | None) -> Report:
    """Bounces in words only, of servers without RFC 3464; believed of our own messages alone."""
    sender = str(message.get("From", "")).lower()
    subject = str(message.get("Subject", ""))
    failed = tuple(filter(None, (_clean(v) for v in message.get_all("X-Failed-Recipients", []))))
    is_bounce = bool(failed) or (
        (
            "mailer-daemon" in sender
            or "postmaster" in sender
            or str(message.get("Return-Path")) == "<>"
        )
        and (_BOUNCED.search(subject) or _BOUNCED.search(texts[0] if texts else ""))
    )
    if ticket is None or not is_bounce:
        return Report(Kind.OTHER, ticket)
    words = " ".join((texts[0] if texts else "").split())[:4_000]
    found = _STATUS.search(words)
    weight, reason = weigh(found[0] if found else "", words)
    detail = words[:200]
    return Report(Kind.BOUNCE, ticket, weight, reason, found[0] if found else "", detail, failed)


def _clean(value: object) -> str:
    found = _ADDRESS.search(str(value).rpartition(";")[2])
    return found[0] if found else ""
