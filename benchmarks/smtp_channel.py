"""E-mail through the channel into a mail server that takes everything: messages a second.

The server is a process of its own that speaks just enough SMTP (with PIPELINING). The floor is the
same conversation with bytes made beforehand, over one connection, nothing read or decided: what the
sockets alone cost; and what OpenSSL takes for the two signatures of a letter and nothing else.
Prints wall and processor seconds of the sending process.

Run as ``python benchmarks/smtp_channel.py [MESSAGES]``.
"""

import asyncio
import socket
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from multiprocessing import Pipe, Process
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory

from lingxi.clock import FixedClock
from lingxi.messaging.email.address import read_address
from lingxi.messaging.email.channel import EmailChannel, House
from lingxi.messaging.email.dkim_keys import create_keys
from lingxi.messaging.email.links import Links
from lingxi.messaging.email.mime import Mailbox
from lingxi.messaging.email.session import Server
from lingxi.messaging.email.transport import Pool, Smtp
from lingxi.messaging.nouns import Accepted, Content, Parcel, Recipient

NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)
THREADS = 8
ITEMS = "".join(
    f'<tr><td><a href="https://shop.example/p/{n}">Item {n}: 陶瓷茶杯, hand made</a></td>'
    f"<td>£{n}.90</td></tr>"
    for n in range(12)
)
HTML = f"<html><body><h1>Your cart waits</h1><table>{ITEMS}</table><p>See you!</p></body></html>"
TEXT = "Your cart waits.\n" + "\n".join(f"Item {n}: £{n}.90" for n in range(12))


class Sink(asyncio.Protocol):
    """Takes every message of every connection, and counts them."""

    taken = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.buffer = b""
        self.in_text = False
        self.say(b"220 sink")

    def say(self, line: bytes) -> None:
        self.transport.write(line + b"\r\n")  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while True:
            end = b"\r\n.\r\n" if self.in_text else b"\r\n"
            part, found, rest = self.buffer.partition(end)
            if not found:
                return
            self.buffer = rest
            if self.in_text:
                Sink.taken += 1
                self.in_text = False
                self.say(b"250 taken")
            else:
                self.answer(part[:4].upper())

    def answer(self, verb: bytes) -> None:
        if verb == b"EHLO":
            self.say(b"250-sink\r\n250 PIPELINING")
        elif verb == b"DATA":
            self.in_text = True
            self.say(b"354 go on")
        elif verb == b"QUIT":
            self.transport.close()
        else:
            self.say(b"250 fine")


def run_sink(pipe: Connection) -> None:
    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        await asyncio.to_thread(pipe.recv)
        pipe.send(Sink.taken)

    asyncio.run(serve())


def make_parcel(number: int) -> Parcel:
    return Parcel(
        message_id=f"{number:032x}",
        attempt=1,
        recipient=Recipient(address=f"customer{number}@provider.example", name="林美"),
        content=Content(subject="您的购物车还在等您", html=HTML, text=TEXT),
        category="reminders",
        customer=number,
        unsubscribe_url="https://mail.shop.example/mail/unsubscribe/" + "x" * 60,
    )


def measure(name: str, n: int, act: Callable[[], None]) -> float:
    wall, used = time.perf_counter(), time.process_time()
    act()
    wall, used = time.perf_counter() - wall, time.process_time() - used
    print(
        f"{name:<44} {n / wall:>8,.0f}/s wall {n / used:>8,.0f}/s processor "
        f"{1000 * used / n:7.3f} ms"
    )
    return used / n


def send_bare(port: int, data: bytes, n: int) -> None:
    """The conversation of one message, made beforehand, again and again."""
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line.recv(4096)
        line.sendall(b"EHLO x\r\n")
        line.recv(4096)
        start = b"MAIL FROM:<b@shop.example>\r\nRCPT TO:<c@provider.example>\r\nDATA\r\n"
        for _ in range(n):
            line.sendall(start)
            got = b""
            while b"354" not in got:
                got += line.recv(4096)
            line.sendall(data + b".\r\n")
            line.recv(4096)


def main() -> None:
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 4000
    ours, theirs = Pipe()
    process = Process(target=run_sink, args=(theirs,), daemon=True)
    process.start()
    port = ours.recv()
    links = Links(b"k" * 32, "https://mail.shop.example")
    sender = Mailbox(read_address("hello@shop.example"), "灵犀商店")
    with TemporaryDirectory() as folder:
        keys = create_keys(Path(folder), "shop.example", "lx")
    parcels = [make_parcel(number) for number in range(n)]
    house = House("Shop", sender, links, lambda text: f"{hash(text) & 2**60:064x}", keys=keys)
    size = len(house.write(parcels[0], NOW).data)
    print(f"{n:,} letters of {size:,} bytes, 12 links each, both signatures; {THREADS} threads\n")
    data = house.write(parcels[0], NOW).data
    floor = measure(
        "floor: bytes made beforehand, one connection", n, lambda: send_bare(port, data, n)
    )
    signed = data[:2_000]  # about as much as a signature is over
    signing = measure(
        "floor: an RSA-2048 and an Ed25519 signature", n,
        lambda: [key.sign(signed) for _ in parcels for key in keys] and None,
    )  # fmt: skip
    plain = House("Shop", sender, links, house.blind, track_clicks=False, track_opens=False)
    measure(
        "written: neither signed nor tracked",
        n,
        lambda: [plain.write(p, NOW) for p in parcels] and None,
    )
    measure(
        "written: signed and tracked", n, lambda: [house.write(p, NOW) for p in parcels] and None
    )
    one_key = House("Shop", sender, links, house.blind, keys=keys[1:])
    sent, times = n, 0.0
    for name, chosen in (("sent: both signatures", house), ("sent: Ed25519 alone", one_key)):
        smtp = Smtp(Pool(Server("127.0.0.1", port, tls="none"), THREADS, 1000))
        channel = EmailChannel(chosen, smtp, FixedClock(NOW))

        def send(channel: EmailChannel = channel) -> None:
            with ThreadPoolExecutor(THREADS) as pool:
                outcomes = list(pool.map(channel.deliver, parcels))
            assert all(isinstance(outcome, Accepted) for outcome in outcomes)

        used = measure(name, n, send)
        times = times or used / (floor + signing)
        channel.close()
        sent += n
    ours.send("end")
    taken = ours.recv()
    process.join(5)
    print(
        f"\nthe server took {taken:,} of {sent:,}; sending with both signatures takes {times:.1f} "
        "times what the conversation and the signatures take alone"
    )


if __name__ == "__main__":
    main()
