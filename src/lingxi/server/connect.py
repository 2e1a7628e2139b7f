"""What to paste where, for every client a shop may already have."""

from collections.abc import Sequence
from dataclasses import dataclass

from lingxi.access.sources import SIGNED
from lingxi.app.collect_views import SourceRow


@dataclass(frozen=True)
class Client:
    """One client: where its code goes (``page``, ``server``, ``shell``, a platform), and the kind
    of source that it needs, where any will not do."""

    id: str
    title: str
    where: str
    template: str
    kind: str = ""

    def render(self, *, host: str, write_key: str, source: str = "web") -> str:
        """The code with the shop's own address and write key.

        ``host`` is scheme and host without a slash at the end.
        """
        bare = host.partition("://")[2] or host
        return (
            self.template.replace("{host}", host)
            .replace("{bare}", bare)
            .replace("{write_key}", write_key)
            .replace("{source}", source)
            .strip()
        )


CLIENTS: Sequence[Client] = (
    Client(
        "lx",
        "Lingxi (lx.js)",
        "page",
        """
<script>window.lx = window.lx || [];</script>
<script async src="{host}/lx.js" data-key="{write_key}"></script>
<script>
  lx.push(["viewProduct", { product_id: "MUG-1", price: 9.5 }]);
</script>
""",
    ),
    Client(
        "analytics-next",
        "Segment Analytics.js (@segment/analytics-next)",
        "page",
        """
import { AnalyticsBrowser } from "@segment/analytics-next";

const analytics = AnalyticsBrowser.load({
  writeKey: "{write_key}",
  cdnURL: "{host}",
});
analytics.page();
analytics.track("Product Viewed", { product_id: "MUG-1", price: 9.5 });
""",
    ),
    Client(
        "rudder-js",
        "RudderStack JavaScript (@rudderstack/analytics-js)",
        "page",
        """
import { RudderAnalytics } from "@rudderstack/analytics-js";

const rudder = new RudderAnalytics();
rudder.load("{write_key}", "{host}", { configUrl: "{host}" });
rudder.page();
rudder.track("Product Viewed", { product_id: "MUG-1", price: 9.5 });
""",
    ),
    Client(
        "segment-python",
        "Segment for Python (segment-analytics-python)",
        "server",
        """
import segment.analytics as analytics

analytics.write_key = "{write_key}"
analytics.host = "{host}"
analytics.identify("17850", {"email": "ada@example.org"})
analytics.track("17850", "Product Viewed", {"product_id": "MUG-1", "price": 9.5})
analytics.flush()
""",
    ),
    Client(
        "rudder-python",
        "RudderStack for Python (rudder-sdk-python)",
        "server",
        """
import rudderstack.analytics as rudder

rudder.write_key = "{write_key}"
rudder.dataPlaneUrl = "{host}"
rudder.track("17850", "Product Viewed", {"product_id": "MUG-1", "price": 9.5})
rudder.flush()
""",
    ),
    Client(
        "segment-node",
        "Segment for Node (@segment/analytics-node)",
        "server",
        """
import { Analytics } from "@segment/analytics-node";

const analytics = new Analytics({ writeKey: "{write_key}", host: "{host}" });
analytics.track({ userId: "17850", event: "Product Viewed", properties: { product_id: "MUG-1" } });
await analytics.closeAndFlush();
""",
    ),
    Client(
        "rudder-node",
        "RudderStack for Node (@rudderstack/rudder-sdk-node)",
        "server",
        """
import RudderAnalytics from "@rudderstack/rudder-sdk-node";

const rudder = new RudderAnalytics("{write_key}", { dataPlaneUrl: "{host}" });
rudder.track({ userId: "17850", event: "Product Viewed", properties: { product_id: "MUG-1" } });
""",
    ),
    Client(
        "jitsu",
        "Jitsu (@jitsu/js)",
        "page",
        """
import { jitsuAnalytics } from "@jitsu/js";

const jitsu = jitsuAnalytics({ host: "{host}", writeKey: "{write_key}:lingxi" });
jitsu.track("Product Viewed", { product_id: "MUG-1", price: 9.5 });
""",
    ),
    Client(
        "posthog",
        "PostHog for Python",
        "server",
        """
from posthog import Posthog

posthog = Posthog("{write_key}", host="{host}")
posthog.capture("Product Viewed", distinct_id="17850", properties={"product_id": "MUG-1"})
posthog.shutdown()
""",
    ),
    Client(
        "shopify",
        "Shopify webhooks",
        "shopify",
        """
{host}/webhooks/shopify/{source}

orders/create      orders/updated     orders/paid        orders/cancelled   orders/fulfilled
refunds/create     customers/create   customers/update
checkouts/create   checkouts/update   carts/create       carts/update
products/create    products/update    products/delete    inventory_levels/update
""",
        kind="shopify",
    ),
    Client(
        "woocommerce",
        "WooCommerce webhooks",
        "woocommerce",
        """
{host}/webhooks/woocommerce/{source}

order.created      order.updated      order.deleted      order.restored
customer.created   customer.updated   customer.deleted
product.created    product.updated    product.deleted    product.restored
""",
        kind="woocommerce",
    ),
    Client(
        "curl",
        "HTTP (curl)",
        "shell",
        """
curl -u {write_key}: {host}/v1/track -d '{
  "event": "Product Viewed", "userId": "17850", "properties": {"product_id": "MUG-1"}
}'
""",
    ),
)
"""Every client, the simplest first."""


def find_client(client_id: str) -> Client:
    """The client of this id, or the first one."""
    return next((client for client in CLIENTS if client.id == client_id), CLIENTS[0])


def fitting(sources: Sequence[SourceRow], client: Client) -> Sequence[SourceRow]:
    """The sources in use that a client can send to: those of its kind, or any not signed."""
    usable = [row for row in sources if row.write_key and not row.disabled_at]
    if client.kind:
        return [row for row in usable if row.kind == client.kind]
    return [row for row in usable if row.kind not in SIGNED]


def command_for(sources: Sequence[SourceRow], base: str) -> str:
    """A command that sends one event to this server, with the write key of its first source."""
    client = find_client("curl")
    key = next((row.write_key for row in fitting(sources, client)), "KEY")
    return client.render(host=base.rstrip("/"), write_key=key)
