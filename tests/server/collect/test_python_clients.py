"""The unmodified Python clients against the real server, over a line that often fails."""

import rudderstack.analytics.client as rudder
import segment.analytics.client as segment
from live import count_stored, find_key, open_line, serve_shop

from lingxi.app.shop import Shop

MESSAGES = 80


def test_everything_sent_over_a_failing_line_is_stored_once(shop: Shop) -> None:
    key = find_key(shop)
    lost: list[object] = []
    sent: set[str] = set()
    with serve_shop(shop) as port, open_line(port, seed=7) as line:
        clients = [
            make(
                key,
                host=line.address,
                gzip=True,
                on_error=lambda error, items: lost.append((error, items)),
                upload_size=8,
                upload_interval=0.1,
            )
            for make in (segment.Client, rudder.Client)
        ]
        for client in clients:
            sent |= send_all(client, type(client).__module__.partition(".")[0])
        for client in clients:
            client.flush()
            client.join()
    assert lost == []
    assert len(sent) == 2 * MESSAGES
    assert line.failed
    stored = count_stored(shop)
    assert {name for name in sent if stored[name] != 1} == set()


def send_all(client: "segment.Client | rudder.Client", tool: str) -> set[str]:
    names = set()
    for n in range(MESSAGES):
        name = f"{tool}-{n}"
        names.add(name)
        who = f"u{n % 7}"
        if n % 10 == 0:
            client.identify(who, {"email": f"{who}@example.com"}, message_id=name)
        else:
            said = {"product_id": f"p{n}", "price": 1.5}
            client.track(who, "Product Viewed", said, message_id=name)
    return names
