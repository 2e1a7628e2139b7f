"""What comes back is read as its standards say, and believed only with our own signature."""

from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from returned import KEY, MESSAGE, RETURN, UNSUBSCRIBE, make_bounce, make_complaint

from lingxi.messaging.email.reports import Kind, Weight, read_report, weigh


def test_a_bounce_is_read_from_its_fields() -> None:
    report = read_report(make_bounce(), KEY, "bounces")
    assert report.kind is Kind.BOUNCE
    assert (report.weight, report.reason, report.status) == (
        Weight.HARD,
        "no_such_mailbox",
        "5.1.1",
    )
    assert report.recipients == ("mei@customer.example", "elsewhere@customer.example")
    assert report.ticket is not None
    assert (report.ticket.message_id, report.ticket.customer) == (MESSAGE, 7)


@pytest.mark.parametrize(
    ("status", "diagnosis", "weight", "reason"),
    [
        ("5.1.1", "", Weight.HARD, "no_such_mailbox"),
        ("5.0.0", "smtp; 550 user unknown", Weight.HARD, "no_such_mailbox"),
        ("5.0.0", "smtp; 550 5.1.1 <a@b>: Recipient address rejected", Weight.HARD,
         "no_such_mailbox"),
        ("5.4.4", "dns; host not found", Weight.HARD, "no_such_domain"),
        ("5.2.1", "smtp; 554 account disabled", Weight.HARD, "no_such_mailbox"),
        ("5.2.2", "smtp; 552 mailbox full", Weight.SOFT, "mailbox_full"),
        ("4.4.7", "delivery time expired", Weight.SOFT, "gave_up"),
        ("4.2.2", "smtp; 452 over quota", Weight.SOFT, "gave_up"),
        ("5.7.1", "smtp; 550 5.7.1 blocked, see our list", Weight.BLOCKED, "blocked"),
        ("5.3.4", "smtp; 552 too big", Weight.SOFT, "too_large"),
        ("5.0.0", "", Weight.SOFT, "refused"),
    ],
)  # fmt: skip
def test_a_bounce_is_hard_soft_or_a_block(
    status: str, diagnosis: str, weight: Weight, reason: str
) -> None:
    assert weigh(status, diagnosis) == (weight, reason)
    report = read_report(make_bounce(status, diagnosis), KEY, "bounces")
    assert (report.weight, report.reason) == (weight, reason)


@pytest.mark.parametrize(
    ("action", "kind"),
    [("delayed", Kind.DELAYED), ("delivered", Kind.DELIVERED), ("relayed", Kind.DELIVERED)],
)
def test_what_is_not_lost_is_no_bounce(action: str, kind: Kind) -> None:
    assert read_report(make_bounce("4.0.0", action=action), KEY, "bounces").kind is kind


def test_our_signature_is_needed_and_survives_another_case() -> None:
    assert read_report(make_bounce(to=RETURN.upper()), KEY, "bounces").ticket is not None
    forged = RETURN.replace(RETURN[20], "a" if RETURN[20] != "a" else "b", 1)
    assert read_report(make_bounce(to=forged), KEY, "bounces").ticket is None
    assert read_report(make_bounce(), b"x" * 32, "bounces").ticket is None
    assert read_report(make_bounce(), KEY, "other").ticket is None


def test_a_complaint_is_read_by_return_path_or_by_link() -> None:
    for returned, link in ((True, True), (True, False), (False, True)):
        report = read_report(make_complaint(returned=returned, link=link), KEY, "bounces")
        assert report.kind is Kind.COMPLAINT
        assert report.ticket is not None
        assert report.ticket.message_id == MESSAGE
        assert (report.reason, report.detail) == ("abuse", "SomeGenerator/1.0")
        assert report.recipients == ("mei@customer.example",)
    assert read_report(make_complaint(returned=False, link=False), KEY, "bounces").ticket is None
    assert read_report(make_complaint("not-spam"), KEY, "bounces").kind is Kind.OTHER
    assert read_report(make_complaint("opt-out"), KEY, "bounces").kind is Kind.OPT_OUT


def test_a_link_is_found_in_an_encoded_original() -> None:
    original = MIMEText(f"Leave: {UNSUBSCRIBE}\n" + "ü" * 50, "plain", "utf-8")
    report = MIMEMultipart("report", report_type="feedback-report")
    fields = MIMEText("", "plain")
    fields.replace_header("Content-Type", "message/feedback-report")
    fields.set_payload("Feedback-Type: abuse\n\n")
    report.attach(fields)
    report.attach(MIMEMessage(original))
    found = read_report(report.as_bytes(), KEY, "bounces")
    assert found.ticket is not None


def test_answers_of_machines_and_of_people_say_nothing_of_an_address() -> None:
    vacation = (
        b"From: mei@c.example\nTo: %s\nAuto-Submitted: auto-replied\n\nAway." % RETURN.encode()
    )
    assert read_report(vacation, KEY, "bounces").kind is Kind.AUTO_REPLY
    human = b"From: mei@c.example\nTo: %s\nSubject: Re: cart\n\nThanks!" % RETURN.encode()
    assert read_report(human, KEY, "bounces").kind is Kind.OTHER


def test_bounces_in_words_are_understood_when_they_are_ours() -> None:
    exim = (
        "Return-path: <>\nX-Failed-Recipients: mei@customer.example\nTo: {to}\n"
        "From: Mail Delivery System <Mailer-Daemon@mx.example>\n"
        "Subject: Mail delivery failed: returning message to sender\n\n"
        "  mei@customer.example\n    SMTP error: 550 5.1.1 Unknown user\n"
    )
    report = read_report(exim.format(to=RETURN).encode(), KEY, "bounces")
    assert (report.kind, report.weight) == (Kind.BOUNCE, Weight.HARD)
    assert report.recipients == ("mei@customer.example",)
    qmail = (
        "From: MAILER-DAEMON@mx.example\nTo: {to}\nSubject: failure notice\n\n"
        "Hi. This is the qmail-send program.\n<mei@customer.example>:\n"
        "Sorry, no mailbox here by that name. Recipient unknown\n"
    )
    report = read_report(qmail.format(to=RETURN).encode(), KEY, "bounces")
    assert (report.kind, report.weight) == (Kind.BOUNCE, Weight.HARD)
    assert read_report(qmail.format(to="x@y.example").encode(), KEY, "bounces").kind is Kind.OTHER


@settings(max_examples=60)
@given(
    st.one_of(
        st.binary(max_size=400),
        st.tuples(st.integers(0, 900), st.binary(max_size=20)).map(
            lambda cut: make_bounce()[: cut[0]] + cut[1] + make_bounce()[cut[0] + 5 :]
        ),
    )
)
def test_no_bytes_break_the_reader(raw: bytes) -> None:
    assert read_report(raw, KEY, "bounces").kind in Kind
