"""Where bounces and complaints wait: a file, standard input, a maildir, an mbox, or IMAP."""

import imaplib
import mailbox
import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lingxi.config import MailSettings
from lingxi.errors import FileUnreadable, SourceUnavailable
from lingxi.messaging.email.reports import LARGEST

Waiting = list[tuple[str, bytes]]


def read_messages(path: Path) -> list[bytes]:
    """The messages of a maildir, an mbox or a file that is one message.

    Raises
    ------
    FileUnreadable
        If there is nothing of the kind there.
    """
    try:
        if path.is_dir():
            return [raw for _, raw in list_maildir(path, only_new=False)]
        with path.open("rb") as file:
            start = file.read(5)
        if start == b"From ":
            return _read_mbox(path)
        return [path.read_bytes()[:LARGEST]] if start.strip() else []
    except OSError as error:
        raise FileUnreadable(f"{path} cannot be read: {error.strerror}.") from error


def list_maildir(folder: Path, *, only_new: bool = True, n: int = 200) -> Waiting:
    """At most ``n`` messages of a maildir with their names; ``only_new``: that nobody has seen.

    Raises
    ------
    FileUnreadable
        If the folder is no maildir.
    """
    if not (folder / "new").is_dir():
        raise FileUnreadable(f"{folder} is no maildir: it has no folder 'new'.")
    places = [folder / "new"] if only_new else [folder / "new", folder / "cur"]
    found = []
    for place in places:
        for path in sorted(place.iterdir() if place.is_dir() else ())[: n if only_new else None]:
            if path.is_file() and not path.name.startswith("."):
                with path.open("rb") as file:
                    found.append((path.name, file.read(LARGEST)))
    return found


def mark_seen(folder: Path, names: list[str]) -> None:
    """Move messages of a maildir from ``new`` to ``cur``, marked as seen."""
    (folder / "cur").mkdir(exist_ok=True)
    for name in names:
        with suppress(FileNotFoundError):
            base = name.partition(":2,")[0]
            os.replace(folder / "new" / name, folder / "cur" / f"{base}:2,S")


def _read_mbox(path: Path) -> list[bytes]:
    box = mailbox.mbox(path, create=False)
    try:
        return [box.get_bytes(key)[:LARGEST] for key in box.iterkeys()]
    finally:
        box.close()


@contextmanager
def open_imap(mail: MailSettings, *, context: ssl.SSLContext | None = None) -> Iterator["Imap"]:
    """The mailbox of the settings, logged in.

    Raises
    ------
    SourceUnavailable
        If the server cannot be reached or refuses us.
    """
    try:
        client = imaplib.IMAP4_SSL(
            mail.imap_host,
            mail.imap_port,
            ssl_context=context or ssl.create_default_context(),
            timeout=mail.timeout_seconds,
        )
    except (OSError, imaplib.IMAP4.error) as error:
        raise SourceUnavailable(f"IMAP at {mail.imap_host}: {error}") from error
    try:
        client.login(mail.imap_user, mail.imap_password)
        state, _ = client.select(f'"{mail.imap_folder}"')
        if state != "OK":
            raise SourceUnavailable(f"IMAP at {mail.imap_host}: no folder {mail.imap_folder!r}.")
        yield Imap(client)
    except (OSError, imaplib.IMAP4.error) as error:
        raise SourceUnavailable(f"IMAP at {mail.imap_host}: {error}") from error
    finally:
        with suppress(OSError, imaplib.IMAP4.error):
            client.logout()


class Imap:
    """One folder over IMAP."""

    def __init__(self, client: imaplib.IMAP4) -> None:
        self._client = client

    def fetch(self, n: int = 100) -> Waiting:
        """At most ``n`` messages that nobody has seen, with their numbers (UID)."""
        _, found = self._client.uid("SEARCH", "UNSEEN")
        numbers = (found[0] or b"").split()[:n] if found else []
        messages = []
        for number in numbers:
            _, parts = self._client.uid("FETCH", number.decode(), f"(BODY.PEEK[]<0.{LARGEST}>)")
            for part in parts or []:
                if isinstance(part, tuple):
                    messages.append((number.decode(), part[1]))
        return messages

    def mark_seen(self, numbers: list[str]) -> None:
        """Mark messages as seen, once what they said is kept."""
        if numbers:
            self._client.uid("STORE", ",".join(numbers), "+FLAGS", "(\\Seen)")
