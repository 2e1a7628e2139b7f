"""Asks a running shop what a customer would like, and why.

KEY=$(lingxi key create example --scope read:recommendations)
python examples/api_client.py http://127.0.0.1:8787 "$KEY" 17850
"""

import json
import sys
from urllib.parse import quote
from urllib.request import Request, urlopen


def recommend(address: str, key: str, customer: str, n: int = 5) -> list[dict]:
    url = f"{address}/v1/recommendations/{quote(customer, safe='')}?n={n}"
    request = Request(url, headers={"Authorization": f"Bearer {key}"})
    with urlopen(request, timeout=10) as answer:
        return json.load(answer)["items"]


def main(address: str, key: str, customer: str) -> None:
    for item in recommend(address, key, customer):
        causes = ", ".join(f"{cause['name']} ({cause['share']:.0%})" for cause in item["because"])
        print(f"{item['item_id']}  {item['name']}" + (f"  because of {causes}" if causes else ""))


if __name__ == "__main__":
    main(*sys.argv[1:])
