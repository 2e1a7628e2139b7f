"""The reference page: everything the API can do, and nothing the policy forbids."""

import re
import warnings

from litestar import Litestar
from litestar.exceptions import LitestarDeprecationWarning
from litestar.testing import TestClient

from lingxi.app.shop import Shop
from lingxi.server.api.document import Shape, describe_limits, describe_shape, read_document
from lingxi.server.app import create_app
from lingxi.server.collect.addresses import list_addresses

Client = TestClient[Litestar]

COLLECTOR = {address.path for address in list_addresses()}


def test_the_page_names_every_operation_with_its_parameters_and_scope(
    app: Litestar, client: Client, key: dict[str, str]
) -> None:
    page = client.get("/docs", headers={**key, "accept": "text/html"})
    assert page.headers["content-type"].startswith("text/html")
    document = read_document(client.get("/docs/openapi.json", headers=key).json())
    assert document.paths.keys() == (app.openapi_schema.paths or {}).keys()
    operations = document.operations()
    assert len(operations) > 15
    for method, path, operation in operations:
        assert f"<code>{method} {path}</code>" in page.text
        for parameter in operation.parameters:
            assert f"<td>{parameter.name}</td>" in page.text
        if path.startswith("/v1") and path not in COLLECTOR:
            assert len(operation.scopes) == 1, path
            assert f"scope {operation.scopes[0]}" in page.text
    anchors = set(re.findall(r'id="([^"]+)"', page.text))
    for target in re.findall(r'href="#([^"]+)"', page.text):
        assert target in anchors


def test_the_page_has_no_script_and_fetches_nothing_from_elsewhere(
    client: Client, key: dict[str, str]
) -> None:
    page = client.get("/docs", headers=key).text
    assert "<script" not in page
    assert "<style" not in page
    assert " style=" not in page
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', page)
    assert client.get("/docs/reference.css").headers["content-type"].startswith("text/css")


def test_shapes_are_described_in_words() -> None:
    assert describe_shape(Shape(type="array", items=Shape(ref="#/components/schemas/Because"))) == (
        "list of Because"
    )
    assert describe_shape(Shape(type="string", format="date-time")) == "string (date-time)"
    assert describe_shape(Shape(type="object", additional=Shape(type="integer"))) == (
        "map to integer"
    )
    assert describe_shape(Shape(enum=("csv", "json"))) == "csv or json"
    assert describe_limits(Shape(type="string", max_length=9)) == "at most 9 characters"


def test_no_route_is_declared_in_a_way_that_litestar_gives_up(shop: Shop) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", LitestarDeprecationWarning)
        assert create_app(shop).openapi_schema.to_schema()["paths"]
