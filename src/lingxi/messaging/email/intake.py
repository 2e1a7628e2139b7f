"""Bounces and complaints are taken in: each once, into the log and the list of suppressions."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

import msgspec
import sqlalchemy as sa

from lingxi.config import MailSettings
from lingxi.ingest.consent import consent_event
from lingxi.ingest.sealed import read_traits
from lingxi.messaging.email.happenings import mail_event
from lingxi.messaging.email.ledger import Came, count
from lingxi.messaging.email.links import Links
from lingxi.messaging.email.owners import find_address, find_owner
from lingxi.messaging.email.providers import provider_of
from lingxi.messaging.email.reports import Kind, Report, Weight, read_report
from lingxi.messaging.email.suppression import Reason, note_soft_bounce, suppress
from lingxi.messaging.email.tables import mail_report
from lingxi.messaging.email.tokens import Ticket
from lingxi.messaging.nouns import EMAIL
from lingxi.schema import Event, Name, Scalar
from lingxi.store import Store
from lingxi.store.keyed import insert_or_ignore

_COUNTED = (Kind.BOUNCE, Kind.COMPLAINT, Kind.OPT_OUT)


class Taken(msgspec.Struct, frozen=True):
    """What became of one message that came back.

    ``outcome``: ``noted``, ``known`` (taken in before), ``ignored`` (no bounce and no complaint),
    ``unsigned`` (about no message of ours that can be proved) or ``erased`` (its customer is gone).
    """

    outcome: str
    kind: str
    weight: str = ""
    reason: str = ""
    suppressed: bool = False


def take_reports(
    store: Store, links: Links, mail: MailSettings, raws: Sequence[bytes], now: datetime
) -> list[Taken]:
    """Take in messages that came back; all of them in one transaction."""
    reports = [read_report(raw, links.key, mail.return_prefix) for raw in raws]
    with store.write() as tx:
        return [
            _take(store, tx, mail, report, hashlib.sha256(raw).hexdigest(), now)
            for raw, report in zip(raws, reports, strict=True)
        ]


def _take(
    store: Store, tx: sa.Connection, mail: MailSettings, report: Report, digest: str, now: datetime
) -> Taken:
    kind, weight = report.kind.value, report.weight.value if report.weight else ""
    if report.kind not in _COUNTED:
        return Taken("ignored", kind)
    if report.ticket is None:
        return Taken("unsigned", kind, weight, report.reason)
    fresh = insert_or_ignore(tx, mail_report).values(digest=digest, at=now)
    if tx.execute(fresh).rowcount == 0:
        return Taken("known", kind, weight, report.reason)
    customer = find_owner(tx, report.ticket)
    if customer is None:
        return Taken("erased", kind, weight, report.reason)
    address = find_address(store, tx, report.ticket, customer, report.recipients)
    store.log.append(_tell(tx, report, report.ticket, now), tx=tx)
    closed = address is not None and _close(tx, mail, report, report.ticket, address, now)
    _count(store, tx, customer, report, closed, now)
    return Taken("noted", kind, weight, report.reason, suppressed=closed)


def _tell(tx: sa.Connection, report: Report, ticket: Ticket, now: datetime) -> list[Event]:
    about = (ticket.message_id, ticket.customer, now, "1")
    said: dict[str, Scalar] = {"reason": report.reason}
    if report.kind is Kind.BOUNCE:
        weight = report.weight.value if report.weight else Weight.SOFT.value
        said |= {"weight": weight, "status": report.status}
        return [mail_event(tx, Name.MESSAGE_BOUNCED, *about, said)]
    goodbye = consent_event(
        ticket.customer, "marketing", EMAIL, granted=False, now=now, source=report.kind.value
    )
    if report.kind is Kind.OPT_OUT:
        return [goodbye]
    complaint = mail_event(tx, Name.MESSAGE_COMPLAINED, *about, said)
    return [complaint, goodbye]


def _close(
    tx: sa.Connection,
    mail: MailSettings,
    report: Report,
    ticket: Ticket,
    address: str,
    now: datetime,
) -> bool:
    """Suppress the address where the report is reason enough; whether it was."""
    detail = " ".join(filter(None, (report.status, report.reason)))
    if report.kind is Kind.COMPLAINT:
        return suppress(tx, address, Reason.COMPLAINT, now, detail=detail)
    if report.kind is Kind.OPT_OUT:
        return suppress(tx, address, Reason.UNSUBSCRIBE, now, detail=detail)
    if report.weight is Weight.HARD:
        return suppress(tx, address, Reason.HARD_BOUNCE, now, detail=detail)
    if report.weight is Weight.SOFT:
        n = note_soft_bounce(tx, address, ticket.message_id, ticket.customer, now)
        if n >= mail.soft_bounces:
            return suppress(tx, address, Reason.SOFT_BOUNCES, now, detail=f"{n} {detail}")
    return False


def _count(
    store: Store, tx: sa.Connection, customer: int, report: Report, closed: bool, now: datetime
) -> None:
    address = read_traits(store, tx, customer).get("email") or "".join(report.recipients[:1])
    about = (store.settings.zone, now, provider_of(address))
    if report.kind is Kind.COMPLAINT:
        count(tx, *about, Came.COMPLAINED)
    elif report.weight is not None:
        count(tx, *about, Came(report.weight.value))
    if closed:
        count(tx, *about, Came.SUPPRESSED)
