"""Random things that people do: they browse, order, log in and out, and share browsers."""

from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

from ingest.identity_oracle import Name
from ingest.merging_shop import Body

LIMITS = {
    "emails": 2,
    "phones": 1,
    "externals": 1,
    "systems": 2,
    "browsers": 2,
    "browser_days": 7,
}
USERS = [None, "u0", "u1", "u2"]
ADDRESSES = [None, "e0@x.example", "e1@x.example", "e2@x.example"]
PHONES = [None, "+442079460010", "+442079460011"]
BROWSERS = ["a0", "a1", "a2"]
DEVICES = [None, "d0", "d1"]
EXTERNALS = [None, ("crm", "1"), ("crm", "2"), ("till", "1"), ("post", "1")]
ITEMS = ["p0", "p1", "p2", "p3", "p4"]


@dataclass(frozen=True)
class Step:
    """One thing that happens: a message, days that pass, or a merge that is undone."""

    verb: str
    user: str | None = None
    browser: str | None = None
    device: str | None = None
    email: str | None = None
    phone: str | None = None
    external: tuple[str, str] | None = None
    item: str = "p0"
    number: int = 0

    def names(self) -> list[Name]:
        """What cleaning finds in the message, the strongest first."""
        found: list[Name] = []
        if self.user:
            found.append(("user_id", self.user))
        if self.verb == "identify":
            found += [("email", self.email)] if self.email else []
            found += [("phone", self.phone)] if self.phone else []
        if self.external:
            found.append(("external", ":".join(self.external)))
        if self.device:
            found.append(("device", self.device))
        if self.browser:
            found.append(("anonymous", self.browser))
        return found

    def body(self, number: int) -> Body:
        context: dict[str, object] = {}
        if self.external:
            space, value = self.external
            context["externalIds"] = [{"id": value, "type": space}]
        if self.device:
            context["device"] = {"id": self.device}
        traits = {"email": self.email, "phone": self.phone} if self.verb == "identify" else {}
        who: Body = {
            "userId": self.user,
            "anonymousId": self.browser,
            "context": context,
            "traits": traits,
        }
        return self.what(number) | who

    def what(self, number: int) -> Body:
        """The message without whose it is."""
        if self.verb == "identify":
            return {"type": "identify"}
        if self.verb == "alias":
            return {"type": "alias", "previousId": USERS[self.number % 4] or BROWSERS[0]}
        products = [{"product_id": self.item, "quantity": 1 + number % 3, "price": 5}]
        if self.verb == "buy":
            bought = {"order_id": f"o{number}", "products": products}
            return {"type": "track", "event": "Order Completed", "properties": bought}
        event = "Logged Out" if self.verb == "logout" else "Product Viewed"
        return {"type": "track", "event": event, "properties": products[0]}


def one_of(*verbs: str, **parts: Sequence[object]) -> st.SearchStrategy[Step]:
    given = {name: st.sampled_from(values) for name, values in parts.items()}
    return st.builds(
        Step,
        verb=st.sampled_from(verbs),
        item=st.sampled_from(ITEMS),
        number=st.integers(0, 11),
        **given,
    )


STEPS = st.lists(
    st.one_of(
        one_of("view", "buy", browser=BROWSERS, device=DEVICES),
        one_of("view", "buy", browser=BROWSERS),
        one_of("view", "buy", user=USERS[1:], browser=[None, *BROWSERS], external=EXTERNALS),
        one_of("identify", user=USERS[1:], browser=BROWSERS),
        one_of("identify", user=USERS[1:], browser=BROWSERS),
        one_of("identify", user=USERS, browser=BROWSERS, email=ADDRESSES, phone=PHONES),
        one_of("alias", user=USERS[1:]),
        one_of("logout", user=USERS, browser=BROWSERS),
        one_of("days", "undo", "undo"),
    ),
    min_size=6,
    max_size=40,
)
