"""A mailbox over IMAP: what nobody has seen is taken, and marked once it is kept."""

import re
import socketserver
import ssl
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from certificate import make_contexts

from lingxi.config import MailSettings
from lingxi.errors import SourceUnavailable
from lingxi.messaging.email.mailbox import open_imap

MESSAGES = {7: b"Subject: one\r\n\r\nFirst.\r\n", 9: b"Subject: two\r\n\r\nSecond.\r\n"}


class Mailbox(socketserver.StreamRequestHandler):
    """Enough of IMAP4rev1 (RFC 3501) for one folder of two messages."""

    seen: set[int]

    def handle(self) -> None:
        self.say("* OK ready")
        for line in self.rfile:
            tag, _, rest = line.decode().strip().partition(" ")
            end = self.answer(rest)
            self.say(f"{tag} {end}")
            if rest.upper().startswith("LOGOUT"):
                return

    def say(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")

    def answer(self, command: str) -> str:
        verb = command.upper()
        if verb.startswith("CAPABILITY"):
            self.say("* CAPABILITY IMAP4rev1")
        elif verb.startswith("LOGIN"):
            return "OK in" if command.endswith('"secret"') else "NO [AUTHENTICATIONFAILED] no"
        elif verb.startswith("SELECT"):
            if "INBOX" not in verb:
                return "NO no such folder"
            self.say(f"* {len(MESSAGES)} EXISTS")
        elif verb.startswith("UID SEARCH UNSEEN"):
            fresh = " ".join(str(uid) for uid in MESSAGES if uid not in self.seen)
            self.say(f"* SEARCH {fresh}".rstrip())
        elif match := re.match(r"UID FETCH (\d+) ", verb):
            body = MESSAGES[int(match[1])]
            self.wfile.write(
                f"* 1 FETCH (UID {match[1]} BODY[]<0> {{{len(body)}}}\r\n".encode()
                + body
                + b")\r\n"
            )
        elif match := re.match(r"UID STORE ([\d,]+) \+FLAGS \(\\SEEN\)", verb):
            self.seen.update(int(uid) for uid in match[1].split(","))
        return "OK done"


@pytest.fixture
def imap(tmp_path: Path) -> Iterator[tuple[MailSettings, ssl.SSLContext]]:
    """The settings of a running server, and who trusts it."""
    server_side, client_side = make_contexts(tmp_path)
    Mailbox.seen = set()

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

        def get_request(self):  # type: ignore[no-untyped-def]
            line, address = super().get_request()
            return server_side.wrap_socket(line, server_side=True), address

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that goes away is no news."""

    with Server(("127.0.0.1", 0), Mailbox) as server:
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        settings = MailSettings(
            sender="a@shop.example", imap_host="127.0.0.1", imap_port=server.server_address[1],
            imap_user="bounces", imap_password="secret", timeout_seconds=5.0,
        )  # fmt: skip
        yield settings, client_side
        server.shutdown()


def test_what_nobody_has_seen_is_taken_until_it_is_marked(
    imap: tuple[MailSettings, ssl.SSLContext],
) -> None:
    settings, context = imap
    waiting = [("7", MESSAGES[7]), ("9", MESSAGES[9])]
    with open_imap(settings, context=context) as box:
        assert box.fetch() == waiting
    with open_imap(settings, context=context) as box:
        assert box.fetch(1) == waiting[:1]  # looking marks nothing
        box.mark_seen(["7"])
        box.mark_seen([])
        assert box.fetch() == waiting[1:]
    assert Mailbox.seen == {7}


def test_a_mailbox_that_cannot_be_had_says_why(
    imap: tuple[MailSettings, ssl.SSLContext],
) -> None:
    from dataclasses import replace

    settings, context = imap
    for changed, trust, words in (
        (replace(settings, imap_password="wrong"), context, "AUTHENTICATIONFAILED"),
        (replace(settings, imap_folder="Absent"), context, "no folder 'Absent'"),
        (settings, None, "certificate"),
        (replace(settings, imap_port=1), context, "IMAP at 127.0.0.1"),
    ):
        with pytest.raises(SourceUnavailable, match=words), open_imap(changed, context=trust):
            pass
