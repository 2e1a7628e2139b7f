"""A real SMTP server (aiosmtpd) that keeps what it takes, and does what a script tells it to."""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event, Thread

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from aiosmtpd.smtp import Envelope as Received
from aiosmtpd.smtp import Session as Sitting


@dataclass
class Sink:
    """What it answers is taken from the scripts, one a command; ``taken`` is what it accepted.

    ``"drop"`` closes the connection without a word, a number waits so many seconds first.
    """

    rcpt: list[str | float] = field(default_factory=list)
    mail: list[str | float] = field(default_factory=list)
    data: list[str | float] = field(default_factory=list)
    by_recipient: dict[str, str] = field(default_factory=dict)
    taken: list[Received] = field(default_factory=list)
    logins: list[bytes] = field(default_factory=list)
    sittings: int = 0

    async def handle_EHLO(  # noqa: N802
        self, _server: SMTP, session: Sitting, _e: Received, hostname: str, said: list[str]
    ) -> list[str]:
        self.sittings += 1
        session.host_name = hostname
        return said

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, _s: Sitting, envelope: Received, address: str, options: list[str]
    ) -> str:
        answer = await self._play(server, self.mail)
        if answer is None or answer.startswith("2"):
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return answer or "250 2.1.0 fine"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, _s: Sitting, envelope: Received, address: str, _options: list[str]
    ) -> str:
        answer = self.by_recipient.get(address) or await self._play(server, self.rcpt)
        if answer is None or answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer or "250 2.1.5 fine"

    async def handle_DATA(self, server: SMTP, _s: Sitting, envelope: Received) -> str:  # noqa: N802
        answer = await self._play(server, self.data, envelope)
        if answer is None or answer.startswith("2"):
            self.taken.append(envelope)
        return answer or "250 2.0.0 taken"

    async def _play(
        self, server: SMTP, script: list[str | float], envelope: Received | None = None
    ) -> str | None:
        while script:
            step = script.pop(0)
            if isinstance(step, str) and step == "take and drop" and envelope is not None:
                self.taken.append(envelope)
                step = "drop"
            if isinstance(step, str) and step == "drop":
                assert server.transport is not None
                server.transport.close()
                return "250 never heard"
            if isinstance(step, str):
                return step or None
            await asyncio.sleep(step)
        return None


class RunningSink:
    """The server on a thread of its own; ``port`` is where it listens."""

    def __init__(
        self,
        sink: Sink,
        *,
        tls: ssl.SSLContext | None = None,
        implicit: bool = False,
        password: str = "",
    ) -> None:
        self.sink = sink
        self._make = self._factory(tls if not implicit else None, password)
        self._tls = tls if implicit else None
        self._loop = asyncio.new_event_loop()
        self._ready = Event()
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()
        self._ready.wait(10)

    def _factory(self, tls: ssl.SSLContext | None, password: str) -> Callable[[], SMTP]:
        def authenticate(*args: object) -> AuthResult:
            given = args[-1]
            assert isinstance(given, LoginPassword)
            self.sink.logins.append(given.login)
            return AuthResult(success=given.password == password.encode(), handled=False)

        def make() -> SMTP:
            return SMTP(
                self.sink,
                enable_SMTPUTF8=True,
                tls_context=tls,
                require_starttls=tls is not None,
                auth_required=bool(password),
                auth_require_tls=False,
                authenticator=authenticate if password else None,
                loop=self._loop,
            )

        return make

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        serve = self._loop.create_server(self._make, "127.0.0.1", 0, ssl=self._tls)
        self._server = self._loop.run_until_complete(serve)
        self.port = int(self._server.sockets[0].getsockname()[1])
        self._ready.set()
        self._loop.run_forever()
        self._server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    def stop(self) -> None:
        """End the server and whoever talks to it."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
