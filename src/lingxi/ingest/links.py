"""Browsers and the customers who logged in on them."""

from collections.abc import Mapping

import sqlalchemy as sa

from lingxi.ingest.identity import ANONYMOUS, CUSTOMER, find_subjects, resolve_subjects
from lingxi.ingest.merging.names import note_change
from lingxi.ingest.parts import Source
from lingxi.ingest.puts import tidy_id
from lingxi.ingest.words import is_guest
from lingxi.store import Store
from lingxi.store.tables import identity

_BATCH = 2_000


def find_links(source: Source, mapping: Mapping[str, str]) -> dict[str, str]:
    """Browser → customer, where exactly one customer logged in on it; a shared one stays alone."""
    if "user" not in mapping or "anonymous" not in mapping:
        return {}
    owners: dict[str, set[str]] = {}
    for device, user in source.pairs(mapping["anonymous"], mapping["user"]):
        browser, customer = tidy_id(device), tidy_id(user)
        if browser and customer and not is_guest(browser) and not is_guest(customer):
            owners.setdefault(browser, set()).add(customer)
    return {device: next(iter(users)) for device, users in owners.items() if len(users) == 1}


def link_visitors(store: Store, links: Mapping[str, str]) -> int:
    """Give browsers that were met before to the customer who has now logged in on them.

    Their customers' projections are folded again. Returns how many browsers changed hands; a
    browser that belongs to another customer already stays there.
    """
    changed = 0
    devices = list(links)
    for start in range(0, len(devices), _BATCH):
        part = devices[start : start + _BATCH]
        seal = store.keyring.blind
        with store.write() as tx:
            met = find_subjects(tx, ANONYMOUS, part)
            users = sorted({links[device] for device in met})
            seals = {user: seal(user) for user in users}
            owners = resolve_subjects(tx, CUSTOMER, users, known=True, seals=seals)
            touched: set[int] = set()
            for device, subject in met.items():
                owner = owners[links[device]]
                moved = tx.execute(
                    sa.update(identity)
                    .where(identity.c.subject == subject, identity.c.customer == subject)
                    .values(customer=owner, known=True)
                ).rowcount
                if moved:
                    touched |= {subject, owner}
                    changed += 1
            if touched:
                note_change(tx)
                store.rebuild(store.projections, touched, tx)
    return changed
