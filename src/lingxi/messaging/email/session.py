"""One conversation with an SMTP server, over which many messages go; every wait has an end."""

import re
import socket
import ssl
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from lingxi.messaging.email.replies import Reply

_MOST_LINES = 100
_LONGEST_LINE = 2_048
_READ = 4_096
_SLACK_SECONDS = 0.5
"""How much longer than its end a wait may last, so that not every one has to be told its end."""


class Lost(Exception):
    """The connection ended or fell silent. ``after_dot``: the whole message had left before."""

    def __init__(self, detail: str, *, after_dot: bool = False) -> None:
        super().__init__(detail)
        self.after_dot = after_dot


class Refused(Exception):
    """The server said no; ``stage`` is what it was asked: connect, tls, auth, mail, rcpt, data."""

    def __init__(self, stage: str, reply: Reply) -> None:
        super().__init__(f"{stage}: {reply}")
        self.stage = stage
        self.reply = reply


@dataclass(frozen=True)
class Server:
    """Where to connect and how. ``tls`` is ``starttls``, ``implicit`` or ``none``."""

    host: str
    port: int
    tls: str = "starttls"
    user: str = ""
    password: str = ""
    helo: str = "localhost"
    timeout_seconds: float = 30.0


@dataclass(frozen=True)
class Envelope:
    """What the server is told, and the message's bytes, lines ended by CRLF."""

    return_path: str
    recipient: str
    data: bytes
    needs_utf8: bool = False


class Session:
    """An open, greeted and logged-in connection."""

    def __init__(self, server: Server, *, context: ssl.SSLContext | None = None) -> None:
        """Connect.

        Raises
        ------
        Lost, Refused
            If the server cannot be reached or does not want us.
        """
        self._server = server
        self._buffer = b""
        self._patience = server.timeout_seconds
        self.sent = 0
        self.extensions: dict[str, str] = {}
        self._deadline = monotonic() + server.timeout_seconds
        try:
            self._socket: socket.socket = socket.create_connection(
                (server.host, server.port), server.timeout_seconds
            )
        except OSError as error:
            raise Lost(f"{server.host}:{server.port}: {error}") from error
        try:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._open(context)
        except BaseException:
            self._socket.close()
            raise

    def send(self, envelope: Envelope) -> Reply:
        """Hand one message over; the server's reply that it is responsible for it now.

        Raises
        ------
        Refused
            If it does not take the message; the session can be used on.
        Lost
            If the connection broke; nothing was taken unless ``after_dot``.
        """
        self._restart()
        self.sent += 1
        self._introduce(envelope)
        stuffed = re.sub(rb"(?m)^\.", b"..", envelope.data)
        if not stuffed.endswith(b"\r\n"):
            stuffed += b"\r\n"
        self._write(stuffed)
        self._restart()
        try:
            self._write(b".\r\n")
            reply = self._read()
        except Lost as error:
            raise Lost(str(error), after_dot=True) from error
        if reply.code // 100 != 2:
            raise Refused("data", reply)
        return reply

    def reset(self) -> None:
        """End a transaction that went wrong.

        Raises
        ------
        Lost, Refused
            If the session is of no more use.
        """
        self._restart()
        self._expect("rset", self._ask("RSET"), 2)

    def close(self) -> None:
        """Say goodbye, without waiting for an answer."""
        try:
            self._socket.settimeout(1.0)
            self._socket.sendall(b"QUIT\r\n")
        except OSError:
            pass
        finally:
            self._socket.close()

    def _introduce(self, envelope: Envelope) -> None:
        """MAIL, RCPT and DATA; in one go where the server can do that (RFC 2920)."""
        if envelope.needs_utf8 and "SMTPUTF8" not in self.extensions:
            raise Refused("mail", Reply(550, "5.6.7 The server does not take such addresses."))
        extra = " SMTPUTF8 BODY=8BITMIME" if envelope.needs_utf8 else ""
        steps: list[tuple[str, str, int]] = [
            ("mail", f"MAIL FROM:<{envelope.return_path}>{extra}", 2),
            ("rcpt", f"RCPT TO:<{envelope.recipient}>", 2),
            ("data", "DATA", 3),
        ]
        if "PIPELINING" not in self.extensions:
            for stage, command, wanted in steps:
                self._expect(stage, self._ask(command), wanted)
            return
        self._write("".join(f"{command}\r\n" for _, command, _ in steps).encode())
        replies = [self._read() for _ in steps]
        refused: Refused | None = None
        for (stage, _, wanted), reply in zip(steps, replies, strict=True):
            if reply.code // 100 != wanted and refused is None:
                refused = Refused(stage, reply)
        if refused is not None:
            if replies[-1].code == 354:  # nobody to send to, but it waits for the text
                self._write(b".\r\n")
                self._read()
            raise refused

    def _open(self, context: ssl.SSLContext | None) -> None:
        if self._server.tls == "implicit":
            self._wrap(context)
        self._expect("connect", self._read(), 2)
        self._greet()
        if self._server.tls == "starttls":
            if "STARTTLS" not in self.extensions:
                raise Refused("tls", Reply(554, "5.7.4 The server does not offer STARTTLS."))
            self._expect("tls", self._ask("STARTTLS"), 2)
            self._buffer = b""  # what was said in the clear counts for nothing (CVE-2011-0411)
            self._wrap(context)
            self._greet()
        if self._server.user:
            self._log_in()

    def _greet(self) -> None:
        reply = self._ask(f"EHLO {self._server.helo}")
        if reply.code // 100 != 2:
            self._expect("connect", self._ask(f"HELO {self._server.helo}"), 2)
            self.extensions = {}
            return
        words = (line.partition(" ") for line in reply.text.split("\n")[1:])
        self.extensions = {name.upper(): rest for name, _, rest in words}

    def _wrap(self, context: ssl.SSLContext | None) -> None:
        used = context or ssl.create_default_context()
        try:
            self._patience = self._left()
            self._socket.settimeout(self._patience)
            self._socket = used.wrap_socket(self._socket, server_hostname=self._server.host)
        except (OSError, ValueError) as error:
            raise Lost(f"TLS with {self._server.host}: {error}") from error

    def _log_in(self) -> None:
        offered = self.extensions.get("AUTH", "").upper().split()
        user, password = self._server.user.encode(), self._server.password.encode()
        if "PLAIN" in offered or not offered:
            word = b64encode(b"\0" + user + b"\0" + password).decode()
            self._expect("auth", self._ask(f"AUTH PLAIN {word}"), 2)
            return
        if "LOGIN" not in offered:
            raise Refused("auth", Reply(504, "5.5.4 The server offers neither PLAIN nor LOGIN."))
        self._expect("auth", self._ask("AUTH LOGIN"), 3)
        self._expect("auth", self._ask(b64encode(user).decode()), 3)
        self._expect("auth", self._ask(b64encode(password).decode()), 2)

    def _ask(self, command: str) -> Reply:
        self._write(f"{command}\r\n".encode())
        return self._read()

    @staticmethod
    def _expect(stage: str, reply: Reply, wanted: int) -> None:
        if reply.code // 100 != wanted:
            raise Refused(stage, reply)

    def _restart(self) -> None:
        self._deadline = monotonic() + self._server.timeout_seconds

    def _left(self) -> float:
        left = self._deadline - monotonic()
        if left <= 0:
            raise Lost(f"No answer within {self._server.timeout_seconds:g} s.")
        return left

    def _write(self, data: bytes) -> None:
        self._guard(lambda: self._socket.sendall(data))

    def _read(self) -> Reply:
        """One reply, however many lines it has."""
        texts: list[str] = []
        for _ in range(_MOST_LINES):
            line = self._read_line()
            code, mark, text = line[:3], line[3:4], line[4:]
            if not code.isdigit() or mark not in (b" ", b"-", b""):
                raise Lost(f"Not a reply of SMTP: {line[:80]!r}.")
            texts.append(text.decode("utf-8", "replace"))
            if mark != b"-":
                return Reply(int(code), "\n".join(texts))
        raise Lost("A reply without an end.")

    def _read_line(self) -> bytes:
        while b"\n" not in self._buffer:
            if len(self._buffer) > _LONGEST_LINE:
                raise Lost("A line without an end.")
            part = self._guard(lambda: self._socket.recv(_READ))
            if not part:
                raise Lost("The server closed the connection.")
            self._buffer += part
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.rstrip(b"\r")

    def _guard(self, act: "Callable[[], bytes | None]") -> bytes:
        try:
            left = self._left()
            if not left <= self._patience <= left + _SLACK_SECONDS:
                self._socket.settimeout(left)  # a call of the system each time
                self._patience = left
            return act() or b""
        except TimeoutError as error:
            raise Lost(f"No answer within {self._server.timeout_seconds:g} s.") from error
        except (OSError, ssl.SSLError) as error:
            raise Lost(str(error) or type(error).__name__) from error
