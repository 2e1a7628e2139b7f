"""The standing work of e-mail: the bounce mailbox, hits of links, requests for double opt-in."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from lingxi.messaging.email import open_links
from lingxi.messaging.email.hits import settle_hits
from lingxi.messaging.email.intake import Taken, take_reports
from lingxi.messaging.email.mailbox import list_maildir, mark_seen, open_imap, read_messages
from lingxi.messaging.email.tables import mail_state
from lingxi.store.keyed import upsert

if TYPE_CHECKING:
    from lingxi.app.shop import Shop

_BATCH = 100


def take_mail(shop: "Shop", raws: Sequence[bytes]) -> list[Taken]:
    """Take in messages that came back, a hundred in each transaction."""
    links = open_links(shop.settings, shop.store.keyring)
    taken: list[Taken] = []
    for start in range(0, len(raws), _BATCH):
        part = raws[start : start + _BATCH]
        taken += take_reports(shop.store, links, shop.settings.mail, part, shop.clock.now())
    return taken


def look_for_bounces(shop: "Shop", now: datetime) -> int:
    """Take in what waits in the folder of the settings; how many messages there were.

    Of a maildir what is new, marked as seen once it is kept; an mbox is read again where it has
    changed: what was taken in before counts no second time.
    """
    if not shop.settings.mail.bounces:
        return 0
    path = shop.settings.folder / shop.settings.mail.bounces
    if path.is_dir():
        waiting = list_maildir(path, n=_BATCH)
        take_mail(shop, [raw for _, raw in waiting])
        mark_seen(path, [name for name, _ in waiting])
        return len(waiting)
    return _look_at_mbox(shop, path, now) if path.is_file() else 0


def _look_at_mbox(shop: "Shop", path: Path, now: datetime) -> int:
    seen = path.stat()
    mark = f"{seen.st_size} {seen.st_mtime_ns}"
    name = "bounces"
    with shop.store.read() as tx:
        known = tx.execute(sa.select(mail_state.c.detail).where(mail_state.c.name == name)).scalar()
    if known == mark:
        return 0
    taken = take_mail(shop, read_messages(path))
    with shop.store.write() as tx:
        upsert(tx, mail_state, [{"name": name, "state": "read", "detail": mark, "at": now}])
    return sum(each.outcome == "noted" for each in taken)


def look_at_imap(shop: "Shop", _now: datetime) -> int:
    """Take in what nobody has seen in the mailbox over IMAP; how many messages there were."""
    if not shop.settings.mail.imap_host:
        return 0
    with open_imap(shop.settings.mail) as imap:
        waiting = imap.fetch(_BATCH)
        take_mail(shop, [raw for _, raw in waiting])
        imap.mark_seen([number for number, _ in waiting])
    return len(waiting)


def settle(shop: "Shop", now: datetime) -> int:
    """Tell the log of openings and clicks; how many messages were hit."""
    return settle_hits(shop.store, now)
