"""An adapter between Lingxi and a provider of SMS: it checks the signature, takes each id once,
and passes the text on.

    LINGXI_CHANNEL_SMS_SECRET=... python examples/sms_adapter.py 8090

and in lingxi.toml of the shop:

    [channel.sms]
    kind = "webhook"
    url = "http://127.0.0.1:8090/"
"""

import json
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lingxi.messaging.channels.signing import SIGNATURE, TIMESTAMP, verify_body

Send = Callable[[str, str], str]
"""From a number and a text to the provider's own name for the message."""


def print_message(number: str, text: str) -> str:
    """Stands for the provider's own client."""
    print(f"to {number}: {text}", flush=True)
    return f"printed-{abs(hash((number, text)))}"


def make_server(port: int, secret: str, send: Send = print_message) -> ThreadingHTTPServer:
    """The adapter, listening on this machine."""
    taken: dict[str, str] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            signature, stamp = self.headers.get(SIGNATURE, ""), self.headers.get(TIMESTAMP, "")
            if not verify_body(secret, body, signature, stamp, datetime.now(UTC)):
                self.answer(401, {"reason": "the signature does not fit"})
                return
            message = json.loads(body)
            number = message["to"]["address"]
            if not number.startswith("+"):
                self.answer(400, {"reason": "not an international number", "suppress": True})
                return
            if message["id"] not in taken:  # another try of one that was sent
                taken[message["id"]] = send(number, message["content"]["text"])
            self.answer(200, {"reference": taken[message["id"]]})

        def answer(self, status: int, said: dict[str, object]) -> None:
            text = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


if __name__ == "__main__":
    make_server(int(sys.argv[1]), os.environ["LINGXI_CHANNEL_SMS_SECRET"]).serve_forever()
