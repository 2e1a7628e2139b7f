"""Messages that come back, as their standards have them."""

from lingxi.messaging.email.links import Links

KEY = b"k" * 32
MESSAGE = "ab" * 16
LINKS = Links(KEY, "https://mail.shop.example")
RETURN = LINKS.return_path(MESSAGE, 7, "cd" * 32, "bounces", "shop.example")
UNSUBSCRIBE = LINKS.unsubscribe(MESSAGE, 7, "cd" * 32, "offers")


def make_bounce(
    status: str = "5.1.1",
    diagnosis: str = "smtp; 550 5.1.1 no such user",
    *,
    action: str = "failed",
    to: str = RETURN,
    recipient: str = "mei@customer.example",
) -> bytes:
    """A delivery status notification as RFC 3464 has it."""
    return f"""\
Return-Path: <>
From: MAILER-DAEMON@mx.customer.example
To: {to}
Subject: Delivery Status Notification
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

Sorry.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.customer.example

Original-Recipient: rfc822;{recipient}
Final-Recipient: rfc822; elsewhere@customer.example
Action: {action}
Status: {status}
Diagnostic-Code: {diagnosis}

--b
Content-Type: message/rfc822

From: hello@shop.example
Subject: Your cart

Hello
--b--
""".encode()


def make_complaint(kind: str = "abuse", *, returned: bool = True, link: bool = True) -> bytes:
    """A feedback report as RFC 5965 has it."""
    mail_from = f"Original-Mail-From: <{RETURN}>\n" if returned else ""
    unsubscribe = f"List-Unsubscribe: <{UNSUBSCRIBE}>\n" if link else ""
    return f"""\
From: feedback@provider.example
To: abuse@shop.example
Subject: FW: Your cart
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary=b

--b
Content-Type: text/plain

This is an email abuse report.
--b
Content-Type: message/feedback-report

Feedback-Type: {kind}
User-Agent: SomeGenerator/1.0
Version: 1
{mail_from}Original-Rcpt-To: <mei@customer.example>

--b
Content-Type: message/rfc822

From: hello@shop.example
Subject: Your cart
{unsubscribe}
Hello
--b--
""".encode()
