"""What a mail server's reply means for a message: later, never, or never to this address."""

import re
from dataclasses import dataclass

from lingxi.messaging.nouns import Deferred, Failed

_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_UNKNOWN_USER = re.compile(
    r"(user|mailbox|recipient|account|address|addressee)\b.{0,40}\b"
    r"(unknown|not found|does ?n[o']t exist|no longer|disabled|invalid|inactive|unavailable)"
    r"|(unknown|no such|invalid|non-?existent)\b.{0,20}\b(user|mailbox|recipient|account|address)"
    r"|does not like recipient|用户不存在|邮箱不存在|收件人不存在",
    re.IGNORECASE,
)
_FULL = re.compile(r"(mailbox|quota|storage).{0,40}(full|exceed|over)|over ?quota|邮箱已满", re.I)
_HASTE = re.compile(
    r"too (many|fast|frequent)|rate.?limit|throttl|unusual rate|try again later.*rate|频率", re.I
)
_BLOCKED = re.compile(r"spam|blacklist|block.?list|blocked|reputation|policy|spf|dkim|dmarc", re.I)
_GREY = re.compile(r"gr[ae]y.?list", re.IGNORECASE)
_HARD = {"1.0", "1.1", "1.2", "1.3", "1.6", "1.10", "2.0", "2.1"}
"""Enhanced status (subject.detail) that the address itself is to blame for: RFC 3463, 3.2, 3.3."""
_LONGEST_WAIT = 6 * 3600.0
_FIRST_WAIT = 60.0
_GREY_WAIT = 300.0


@dataclass(frozen=True)
class Reply:
    """A reply of an SMTP server: its code and the text of all its lines."""

    code: int
    text: str

    @property
    def status(self) -> str:
        """The enhanced status, such as ``5.1.1``; empty where none was given."""
        found = _STATUS.search(self.text)
        return found[0] if found else ""

    def __str__(self) -> str:
        return f"{self.code} {self.text}"[:400]


def back_off(attempt: int) -> float:
    """Seconds until the next try: a minute, doubled with each one, at most six hours.

    >>> [back_off(n) for n in (1, 2, 3, 20)]
    [60.0, 120.0, 240.0, 21600.0]
    """
    return float(min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** min(max(attempt - 1, 0), 16)))


def judge(reply: Reply, attempt: int) -> Deferred | Failed:
    """What becomes of a message that the server answered with a 4xx or 5xx reply.

    Source
    ------
    RFC 5321, 4.2.1 for the classes; RFC 3463 for enhanced status codes, which go before the words.
    """
    reason = classify(reply)
    if reply.code < 500:
        least = _GREY_WAIT if reason == "greylisted" else 0.0
        return Deferred(max(back_off(attempt), least), reason, str(reply))
    return Failed(reason, str(reply), suppress=reason == "no_such_mailbox")


def classify(reply: Reply) -> str:
    """The reason in a closed set of words; see ``docs/email.md``."""
    status = reply.status
    detail = status.partition(".")[2]
    permanent = reply.code >= 500
    if detail in ("2.2",) or _FULL.search(reply.text):
        return "mailbox_full"
    if not permanent:
        return _classify_transient(reply, detail)
    if detail in _HARD or (not detail.startswith("7.") and _UNKNOWN_USER.search(reply.text)):
        return "no_such_mailbox"
    if detail == "3.4" or reply.code == 552:
        return "too_large"
    if detail.startswith("7.") or _BLOCKED.search(reply.text):
        return "blocked"
    return "content_refused" if detail.startswith("6.") else "refused"


def _classify_transient(reply: Reply, detail: str) -> str:
    if _GREY.search(reply.text):
        return "greylisted"
    if detail in ("7.28", "2.4") or _HASTE.search(reply.text):
        return "too_fast"
    if reply.code == 421 or detail.startswith(("3.", "4.")):
        return "server_busy"
    return "try_later"
