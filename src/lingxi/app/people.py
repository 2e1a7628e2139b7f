"""One person: who they are, what they agreed to, and everything that is held on them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from lingxi.app.collect_views import (
    ConsentCount,
    ConsentRow,
    ConsentsView,
    ConsentView,
    IdentifierRow,
    IdentityView,
    MergeRow,
    RefusedRow,
)
from lingxi.app.held import list_held
from lingxi.app.refused import to_rows
from lingxi.i18n import Sentence
from lingxi.ingest import customer_ids, find_customer
from lingxi.ingest.consent import (
    PURPOSES,
    consent_event,
    count_consent,
    is_allowed,
    list_consent,
    read_permissions,
)
from lingxi.ingest.emails import read_email
from lingxi.ingest.identity import blind_phone
from lingxi.ingest.merging import Known, Merge, list_identifiers, list_merges, list_refusals
from lingxi.ingest.message import IdKind
from lingxi.ingest.phones import read_phone
from lingxi.ingest.quarantine import list_quarantine
from lingxi.ingest.sealed import list_subjects, read_private, read_traits
from lingxi.ingest.tables import consent as consent_table
from lingxi.ingest.tables import identifier, quarantine, quarantine_person, trait
from lingxi.ingest.waiting import list_waiting
from lingxi.lifecycle.tables import customer_state
from lingxi.policy.tables import planned_action
from lingxi.profiles.ledger import Ledger
from lingxi.profiles.tables import customer_profile, item_history
from lingxi.schema import Event
from lingxi.store.tables import identity

if TYPE_CHECKING:
    from lingxi.app.shop import Shop

_EVERY = "*"
_SHOWN = (("marketing", "email"), ("personalisation", _EVERY), ("analytics", _EVERY))
_PAGE = 1_000
_DOTS = "•••"


class ConsentWord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a customer said to the shop: yes or no, for what, on which channel, where, to which
    version of the text."""

    purpose: str
    channel: str = _EVERY
    granted: bool = True
    source: str = "api"
    text_version: str = ""


class PersonExport(msgspec.Struct, frozen=True):
    """Everything held on one person, for them to read and take elsewhere; ``records`` are the rows
    of all other tables, by table: messages, coupons, lists, segments, journeys, ..."""

    customer_id: str
    exported_at: datetime
    identifiers: Sequence[IdentifierRow]
    merges: Sequence[MergeRow]
    refused: Sequence[RefusedRow]
    traits: Mapping[str, str]
    consent: Sequence[ConsentRow]
    profile: Mapping[str, object] | None
    history: Sequence[Mapping[str, object]]
    scores: Mapping[str, object] | None
    plan: Sequence[Mapping[str, object]]
    events: Sequence[Event]
    private: Mapping[str, Mapping[str, object]]
    quarantined: Sequence[Mapping[str, object]]
    records: Mapping[str, Sequence[Mapping[str, object]]] = {}


def find(shop: "Shop", tx: Connection, customer_id: str) -> int:
    """The customer of this id, address or label."""
    return find_customer(tx, customer_id, store=shop.store)


def get_identity(shop: "Shop", customer_id: str) -> IdentityView:
    """Who a customer is: identifiers, and the merges that made one of several.

    Raises
    ------
    UnknownCustomer
        If there is no such customer.
    """
    with shop.store.read() as tx:
        customer = find(shop, tx, customer_id)
        traits = read_traits(shop.store, tx, customer)
        label = customer_ids(tx, [customer]).get(customer, customer_id)
        return IdentityView(
            customer_id=label,
            identifiers=tuple(
                IdentifierRow(known.kind, known.value or _show(shop, known, traits), known.since)
                for known in list_identifiers(tx, customer)
            ),
            merges=tuple(_to_merge(merge) for merge in list_merges(tx, customer)),
            refused=to_rows(tx, list_refusals(tx, customer=customer)),
        )


def _show(shop: "Shop", known: Known, traits: Mapping[str, str | None]) -> str:
    """The address or number that a keyed hash is of, where the customer's traits say it.

    They hold the last one told, which may be another one of the customer's, or was refused.
    """
    said = traits.get(known.kind) or ""
    store = shop.store
    if known.kind == IdKind.PHONE:
        sealed = blind_phone(store, read_phone(said) or "")
    else:
        sealed = store.keyring.blind(read_email(said) or said)
    return said if known.sealed == sealed else _DOTS


def _to_merge(merge: Merge) -> MergeRow:
    params = {"kind": merge.kind, "merged": f"visitor-{merge.subjects[0][0]}"}
    return MergeRow(
        merge.id, merge.at, Sentence(f"identity.merge.{merge.rule}", params), merge.undone_at
    )


def get_consent(shop: "Shop", customer_id: str) -> ConsentView:
    """What a customer has agreed to; what is only assumed says so by having no moment.

    Raises
    ------
    UnknownCustomer
        If there is no such customer.
    """
    with shop.store.read() as tx:
        customer = find(shop, tx, customer_id)
        said = list_consent(tx, customer)
        rows = [
            ConsentRow(s.purpose, s.channel, s.granted, s.at, s.source, s.text_version)
            for s in said
        ]
        known = {(row.purpose, row.channel) for row in rows}
        for purpose, channel in _SHOWN:
            if (purpose, channel) not in known and (purpose, _EVERY) not in known:
                allowed = is_allowed(tx, shop.settings.consent, customer, purpose, channel)
                rows.append(ConsentRow(purpose, channel, allowed, None, None, None))
        label = customer_ids(tx, [customer]).get(customer, customer_id)
    order = {purpose: place for place, purpose in enumerate(PURPOSES)}
    rows.sort(key=lambda row: (order.get(row.purpose, len(order)), row.channel))
    return ConsentView(label, tuple(rows))


def say_consent(shop: "Shop", customer_id: str, word: ConsentWord) -> ConsentView:
    """Record what a customer said to the shop directly.

    Raises
    ------
    UnknownCustomer
        If there is no such customer.
    InvalidInput
        If there is no such purpose or channel.
    """
    with shop.store.read() as tx:
        customer = find(shop, tx, customer_id)
    event = consent_event(
        customer,
        word.purpose,
        word.channel,
        granted=word.granted,
        now=shop.clock.now(),
        source=word.source,
        text_version=word.text_version,
    )
    shop.store.log.append([event])
    return get_consent(shop, customer_id)


def count_consents(shop: "Shop") -> ConsentsView:
    """Consent over all known customers."""
    with shop.store.read() as tx:
        counts = [pair for pair in count_consent(tx) if pair[0] in PURPOSES]
        customers = shop.known.count(tx)
        known = _list_known(tx)
        shown = sorted({*counts, *_SHOWN}, key=lambda pair: (PURPOSES.index(pair[0]), pair[1]))
        rows = []
        for purpose, channel in shown:
            found = read_permissions(tx, shop.settings.consent, purpose, channel)
            yes, no = len(found.granted & known), len(found.refused & known)
            silent = max(0, customers - yes - no)
            rows.append(ConsentCount(purpose, channel, yes, no, silent, found.assumed))
        found = read_permissions(tx, shop.settings.consent, *_SHOWN[0])
        addressed = _list_addressed(tx)
        reachable = addressed - found.refused if found.assumed else addressed & found.granted
    return ConsentsView(shop.clock.now(), customers, tuple(rows), len(reachable))


def _list_addressed(tx: Connection) -> frozenset[int]:
    """Customers whose last word on their e-mail address was an address."""
    said = sa.func.max(sa.case((trait.c.value.is_not(None), trait.c.updated_at)))
    query = (
        sa.select(identity.c.customer)
        .join(trait, trait.c.subject == identity.c.subject)
        .where(trait.c.name == IdKind.EMAIL.value)
        .group_by(identity.c.customer)
        .having(said == sa.func.max(trait.c.updated_at))
    )
    return frozenset(tx.execute(query).scalars())


def _list_known(tx: Connection) -> frozenset[int]:
    """Customers, and not mere visitors, who said something."""
    said = sa.select(consent_table.c.customer)
    query = sa.select(identity.c.customer).where(identity.c.known, identity.c.customer.in_(said))
    return frozenset(tx.execute(query.distinct()).scalars())


def export_person(shop: "Shop", customer_id: str) -> PersonExport:
    """Everything held on a person, machine-readable.

    Raises
    ------
    UnknownCustomer
        If there is no such customer.
    """
    who, consent = get_identity(shop, customer_id), get_consent(shop, customer_id)
    with shop.store.read() as tx:
        customer = find(shop, tx, customer_id)
        subjects = list_subjects(tx, customer)
        seals = [
            seal
            for seal in tx.execute(
                sa.select(identifier.c.sealed).where(identifier.c.subject.in_(subjects))
            ).scalars()
            if seal
        ]
        waiting = tx.execute(
            sa.select(quarantine_person.c.message).where(quarantine_person.c.sealed.in_(seals))
        ).scalars()
        numbers = set(waiting)
        lines = set(
            tx.execute(sa.select(quarantine.c.id).where(quarantine.c.sealed.in_(seals))).scalars()
        )
        profile = _rows(tx, customer_profile, customer)
        scores = _rows(tx, customer_state, customer)
        return PersonExport(
            customer_id=who.customer_id,
            exported_at=shop.clock.now(),
            identifiers=who.identifiers,
            merges=who.merges,
            refused=who.refused,
            traits=read_traits(shop.store, tx, customer),
            consent=consent.rows,
            profile=profile[0] if profile else None,
            history=_rows(tx, item_history, customer),
            scores=scores[0] if scores else None,
            plan=_rows(tx, planned_action, customer),
            events=_read_events(shop, customer),
            private=read_private(shop.store, tx, customer),
            quarantined=[*_read_messages(shop, numbers), *_read_lines(shop, lines)],
            records=list_held(tx, customer, subjects),
        )


def _rows(tx: Connection, table: sa.Table, customer: int) -> list[Mapping[str, object]]:
    found = tx.execute(sa.select(table).where(table.c.customer == customer)).mappings()
    return [
        {name: _plain(value) for name, value in row.items() if name != "customer"} for row in found
    ]


def _plain(value: object) -> object:
    if isinstance(value, Ledger):
        return {number: msgspec.structs.asdict(entry) for number, entry in value.entries.items()}
    if value is None or isinstance(value, str | int | float | bool | datetime):
        return value
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else repr(value)


def _read_events(shop: "Shop", customer: int) -> list[Event]:
    found: list[Event] = []
    before: tuple[datetime, int] | None = None
    while page := shop.store.log.read_customer(customer, limit=_PAGE, before=before):
        found += page
        before = page[-1].occurred_at, page[-1].position
    return found[::-1]


def _read_messages(shop: "Shop", numbers: set[int]) -> list[Mapping[str, object]]:
    return [
        {"reason": each.reason, "received_at": each.message.received_at, "body": each.message.body}
        for each in (list_waiting(shop.store, ids=numbers, n=_PAGE) if numbers else ())
    ]


def _read_lines(shop: "Shop", wanted: set[int]) -> list[Mapping[str, object]]:
    found: list[Mapping[str, object]] = []
    for number in sorted(wanted):
        for line in list_quarantine(shop.store, after=number - 1, n=1):
            found.append({"reason": line.reason, "received_at": line.at, "body": dict(line.raw)})
    return found
