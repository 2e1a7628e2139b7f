"""The way out over a real mail server: what is taken, what waits, what fails, what nobody knows."""

import ssl
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from certificate import make_contexts
from sink import RunningSink, Sink

from lingxi.errors import InvalidInput
from lingxi.messaging.email.pace import Breaker, Pace
from lingxi.messaging.email.replies import Reply, back_off, classify, judge
from lingxi.messaging.email.session import Envelope, Server
from lingxi.messaging.email.transport import Outbox, Pool, Smtp, read_rates
from lingxi.messaging.nouns import Accepted, Deferred, Failed, Unclear

LETTER = Envelope(
    "bounces+x@shop.example", "mei@customer.example", b"Subject: x\r\n\r\n.dot\r\nend\r\n"
)
Open = Callable[..., Smtp]


@pytest.fixture
def open_smtp(sink: RunningSink) -> Iterator[Open]:
    """A way out to the sink, not yet connected."""
    opened: list[Smtp] = []

    def make(port: int = 0, **said: object) -> Smtp:
        pace = said.pop("pace", None) or Pace()
        breaker = said.pop("breaker", None) or Breaker()
        context = said.pop("context", None)
        values = {"tls": "none", "timeout_seconds": 5.0, **said}
        server = Server("127.0.0.1", port or sink.port, **values)  # type: ignore[arg-type]
        opened.append(Smtp(Pool(server, context=context), pace, breaker))  # type: ignore[arg-type]
        return opened[-1]

    yield make
    for each in opened:
        each.close()


def test_a_letter_arrives_as_it_was_written(sink: RunningSink, open_smtp: Open) -> None:
    smtp = open_smtp()
    for _ in range(3):
        assert smtp.carry(LETTER, "m", 1) == Accepted("2.0.0 taken")
    taken = sink.sink.taken
    assert [each.content for each in taken] == [LETTER.data] * 3
    assert taken[0].mail_from == LETTER.return_path
    assert taken[0].rcpt_tos == [LETTER.recipient]
    assert sink.sink.sittings == 1  # one connection for all


def test_a_connection_carries_its_share_and_ends(sink: RunningSink, open_smtp: Open) -> None:
    smtp = open_smtp()
    smtp.pool.most = 2
    for _ in range(5):
        smtp.carry(LETTER, "m", 1)
    assert sink.sink.sittings == 3


@pytest.mark.parametrize(
    ("stage", "reply", "reason", "kind", "suppress"),
    [
        ("rcpt", "450 4.2.0 try again", "try_later", Deferred, False),
        ("rcpt", "451 4.7.1 Greylisted, come back", "greylisted", Deferred, False),
        ("rcpt", "452 4.2.2 mailbox full", "mailbox_full", Deferred, False),
        ("data", "450 4.7.28 unusual rate of mail", "too_fast", Deferred, False),
        ("data", "451 4.3.0 busy", "server_busy", Deferred, False),
        ("rcpt", "550 5.1.1 no such user", "no_such_mailbox", Failed, True),
        ("rcpt", "550 mei@customer.example: user unknown", "no_such_mailbox", Failed, True),
        ("rcpt", "550 Mailbox not found", "no_such_mailbox", Failed, True),
        ("rcpt", "554 5.2.1 account disabled", "no_such_mailbox", Failed, True),
        ("rcpt", "552 5.2.2 over quota", "mailbox_full", Failed, False),
        ("rcpt", "550 5.7.1 blocked by policy", "blocked", Failed, False),
        ("data", "554 5.7.9 user unknown to spam filter", "blocked", Failed, False),
        ("data", "552 5.3.4 too big", "too_large", Failed, False),
        ("data", "554 5.6.0 bad content", "content_refused", Failed, False),
        ("data", "554 no", "refused", Failed, False),
        ("mail", "550 5.7.1 who are you", "sender_refused", Failed, False),
        ("mail", "451 4.7.0 later", "try_later", Deferred, False),
    ],
)
def test_a_reply_decides_by_its_class(
    sink: RunningSink,
    open_smtp: Open,
    stage: str,
    reply: str,
    reason: str,
    kind: type,
    suppress: bool,
) -> None:
    getattr(sink.sink, stage).append(reply)
    smtp = open_smtp()
    outcome = smtp.carry(LETTER, "m", 1)
    assert isinstance(outcome, kind)
    assert outcome.reason == reason  # type: ignore[attr-defined]
    assert reply in outcome.detail  # type: ignore[attr-defined]
    assert getattr(outcome, "suppress", False) is suppress
    assert sink.sink.taken == []
    other = replace(LETTER, recipient="ann@other.example")
    assert isinstance(smtp.carry(other, "m", 1), Accepted)  # the next one goes
    assert sink.sink.sittings == 1  # over the same connection


def test_one_bad_address_does_not_touch_the_others(sink: RunningSink, open_smtp: Open) -> None:
    sink.sink.by_recipient["gone@customer.example"] = "550 5.1.1 gone"
    smtp = open_smtp()
    outcomes = [
        smtp.carry(Envelope("b@shop.example", who, LETTER.data), "m", 1)
        for who in ("a@customer.example", "gone@customer.example", "c@customer.example")
    ]
    assert [type(outcome) for outcome in outcomes] == [Accepted, Failed, Accepted]
    assert len(sink.sink.taken) == 2


@pytest.mark.parametrize("script", [["take and drop"], ["drop"], [1.0]])
def test_silence_after_the_last_dot_is_unclear(
    sink: RunningSink, open_smtp: Open, script: list[str | float]
) -> None:
    sink.sink.data[:] = script
    outcome = open_smtp(timeout_seconds=0.3).carry(LETTER, "m", 1)
    assert isinstance(outcome, Unclear)
    assert outcome.reason == "dropped_after_data"


@pytest.mark.parametrize(("stage", "step"), [("mail", "drop"), ("rcpt", "drop"), ("rcpt", 1.0)])
def test_silence_before_the_text_means_that_nothing_was_taken(
    sink: RunningSink, open_smtp: Open, stage: str, step: str | float
) -> None:
    getattr(sink.sink, stage).append(step)
    outcome = open_smtp(timeout_seconds=0.3).carry(LETTER, "m", 3)
    assert isinstance(outcome, Deferred)
    assert (outcome.reason, outcome.seconds) == ("dropped", 240.0)
    assert sink.sink.taken == []


def test_a_connection_that_the_server_ended_meanwhile_is_replaced(
    sink: RunningSink, open_smtp: Open
) -> None:
    smtp = open_smtp()
    assert isinstance(smtp.carry(LETTER, "m", 1), Accepted)
    for step in ("drop", "421 4.3.2 closing"):
        sink.sink.mail.append(step)
        assert isinstance(smtp.carry(LETTER, "m", 1), Accepted)
    assert smtp.state() == ("closed", "")


def test_a_server_that_is_away_opens_the_breaker_and_closes_it_again(open_smtp: Open) -> None:
    seconds = [1000.0]
    breaker = Breaker(failures=3, ticks=lambda: seconds[0])
    smtp = open_smtp(breaker=breaker)
    port, smtp.pool.server = smtp.pool.server, Server("127.0.0.1", 1, tls="none")
    for _ in range(3):
        outcome = smtp.carry(LETTER, "m", 1)
        assert isinstance(outcome, Deferred)
        assert outcome.reason == "unreachable"
    outcome = smtp.carry(LETTER, "m", 1)
    assert isinstance(outcome, Deferred)
    assert (outcome.reason, outcome.seconds) == ("circuit_open", 30.0)
    assert smtp.state()[0] == "open"
    seconds[0] += 30
    assert smtp.state()[0] == "half_open"
    smtp.carry(LETTER, "m", 1)  # the one that tries fails, too: twice as long
    outcome = smtp.carry(LETTER, "m", 1)
    assert isinstance(outcome, Deferred)
    assert outcome.seconds == 60.0
    seconds[0] += 60
    smtp.pool.server = port
    assert isinstance(smtp.carry(LETTER, "m", 1), Accepted)
    assert smtp.state() == ("closed", "")


def test_while_one_tries_the_others_wait() -> None:
    seconds = [0.0]
    breaker = Breaker(failures=1, ticks=lambda: seconds[0])
    breaker.fail("away")
    seconds[0] = 31.0
    assert breaker.ask() == 0
    assert breaker.ask() > 0
    breaker.release()
    assert breaker.ask() == 0
    breaker.succeed()
    assert breaker.ask() == 0


def test_each_domain_goes_at_its_own_pace(open_smtp: Open) -> None:
    seconds = [0.0]
    pace = Pace(rates={"slow.example": 0.2}, ticks=lambda: seconds[0])
    smtp = open_smtp(pace=pace)
    slow = Envelope("b@shop.example", "a@slow.example", LETTER.data)
    assert isinstance(smtp.carry(slow, "m", 1), Accepted)
    held = smtp.carry(slow, "m", 1)
    assert isinstance(held, Deferred)
    assert (held.reason, held.seconds) == ("paced", 5.0)
    assert isinstance(smtp.carry(LETTER, "m", 1), Accepted)  # another domain is not held up
    seconds[0] = 5.0
    assert isinstance(smtp.carry(slow, "m", 1), Accepted)


def test_a_domain_that_says_too_fast_rests_and_goes_at_half_its_rate(
    sink: RunningSink, open_smtp: Open
) -> None:
    seconds = [0.0]
    smtp = open_smtp(pace=Pace(default=1.0, ticks=lambda: seconds[0]))
    sink.sink.data.append("450 4.7.28 rate limited")
    assert isinstance(smtp.carry(LETTER, "m", 1), Deferred)
    seconds[0] = 59.0
    smtp.pause = lambda _: None
    assert isinstance(smtp.carry(LETTER, "m", 1), Accepted)  # a second is waited for
    assert smtp.pace.take("customer.example", patience=9) == pytest.approx(3.0)


def test_tls_by_starttls_and_implicitly_with_login(
    tls: tuple[ssl.SSLContext, ssl.SSLContext], open_smtp: Open
) -> None:
    server_side, client_side = tls
    for implicit in (False, True):
        running = RunningSink(Sink(), tls=server_side, implicit=implicit, password="secret")
        try:
            said = {
                "port": running.port,
                "tls": "implicit" if implicit else "starttls",
                "user": "shop",
                "context": client_side,
            }
            assert isinstance(open_smtp(password="secret", **said).carry(LETTER, "m", 1), Accepted)
            assert running.sink.logins == [b"shop"]
            refused = open_smtp(password="wrong", **said).carry(LETTER, "m", 1)
            assert isinstance(refused, Deferred)  # no message is to blame for a wrong password
            assert refused.reason == "login_refused"
            strict = open_smtp(password="secret", **{**said, "context": None})
            unknown = strict.carry(LETTER, "m", 1)
            assert isinstance(unknown, Deferred)  # a certificate that nobody vouches for
            assert "certificate" in unknown.detail.lower()
        finally:
            running.stop()


def test_without_the_tls_that_was_asked_for_nothing_is_sent(
    sink: RunningSink, open_smtp: Open
) -> None:
    outcome = open_smtp(tls="starttls").carry(LETTER, "m", 1)
    assert isinstance(outcome, Deferred)
    assert outcome.reason == "no_tls"
    assert sink.sink.taken == []


def test_an_address_beyond_ascii_goes_where_it_can(sink: RunningSink, open_smtp: Open) -> None:
    letter = Envelope("b@shop.example", "用户@customer.example", LETTER.data, needs_utf8=True)
    assert isinstance(open_smtp().carry(letter, "m", 1), Accepted)
    assert sink.sink.taken[0].rcpt_tos == ["用户@customer.example"]
    assert "SMTPUTF8" in sink.sink.taken[0].mail_options


def test_replies_are_told_apart_by_status_before_words() -> None:
    assert classify(Reply(550, "5.7.1 recipient address unknown: policy")) == "blocked"
    assert classify(Reply(554, "收件人不存在")) == "no_such_mailbox"
    assert judge(Reply(421, "closing"), 1) == Deferred(60.0, "server_busy", "421 closing")
    assert back_off(0) == 60.0


def test_rates_are_read_from_the_settings() -> None:
    for bad in ("gmail.com", "gmail.com=0", "gmail.com=fast", "=5", "a.example=nan"):
        with pytest.raises(InvalidInput, match="domain_rates"):
            read_rates((bad,))


def test_the_outbox_is_a_folder_of_letters(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox")
    assert outbox.carry(LETTER, "m1", 1) == Accepted("m1.eml")
    assert outbox.carry(LETTER, "m1", 2) == Accepted("m1.eml")
    files = list((tmp_path / "outbox").iterdir())
    assert [path.name for path in files] == ["m1.eml"]
    text = files[0].read_bytes()
    assert text.startswith(b"Return-Path: <bounces+x@shop.example>\r\n")
    assert text.endswith(LETTER.data)
    (tmp_path / "file").write_text("")
    assert isinstance(Outbox(tmp_path / "file").carry(LETTER, "m", 1), Deferred)
    assert outbox.state() == ("closed", "")


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A certificate for 127.0.0.1 and who trusts it: the server's side and the client's."""
    return make_contexts(tmp_path_factory.mktemp("tls"))
