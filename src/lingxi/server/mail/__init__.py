"""What messages lead customers to: clicks and openings, and the pages where they choose.

No login, no cookie, no session: the signed word in the address is all that is asked for. So there
is no standing that another site's form could borrow, and nothing here is exempted from a check that
it would need.
"""

from lingxi.server.mail.hits import get_click, get_opened
from lingxi.server.mail.opt_in import get_confirm, post_confirm
from lingxi.server.mail.preferences import get_preferences, post_preferences
from lingxi.server.mail.unsubscribe import get_unsubscribe, post_unsubscribe

MAIL = [
    get_click,
    get_opened,
    get_unsubscribe,
    post_unsubscribe,
    get_preferences,
    post_preferences,
    get_confirm,
    post_confirm,
]
"""Every route that a message leads to."""

__all__ = ["MAIL"]
