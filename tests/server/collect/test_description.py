"""Requests made from the API's own description, good ones and bad ones: answered as described."""

import json
from collections.abc import Mapping

import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from lingxi.access import Scope, create_key
from lingxi.server.collect.addresses import list_addresses

ADDRESSES = {address.path: address for address in list_addresses()}
FEW = ("/v1/batch", "/v1/track", "/v1/i", "/pixel/v1/page", "/api/s/batch", "/batch", "/e")
OURS = ("/v1/sources", "/v1/waiting", "/v1/live", "/v1/items", "/v1/consent", "/v1/identity")
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
ROUNDS = [pytest.param(12, marks=pytest.mark.slow), pytest.param(60, marks=pytest.mark.proof)]
GOOD, BAD = GenerationMode.POSITIVE, GenerationMode.NEGATIVE


def read_document(collector) -> dict[str, object]:
    """The description as a client gets it: JSON, read."""
    return json.loads(msgspec.json.encode(collector.app.openapi_schema.to_schema()))


def read_operations(collector) -> dict[str, object]:
    document = read_document(collector)
    schema = schemathesis.openapi.from_dict(document)
    found = (each.ok() for each in schema.get_all_operations())
    return {f"{each.method.upper()} {each.path}": each for each in found}


def try_operation(collector, operation, headers: Mapping[str, str], mode, rounds: int) -> list[int]:
    statuses: list[int] = []

    @settings(
        max_examples=rounds,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def run(case) -> None:
        content = case.body if isinstance(case.body, str | bytes | dict | list | None) else None
        if not isinstance(content, str | bytes | None):
            content = json.dumps(content)
        sent = dict(headers)
        if case.media_type:
            sent["content-type"] = case.media_type
        answer = collector.client.request(
            case.method,
            case.formatted_path,
            params=case.query or None,
            headers=sent,
            content=content,
        )
        statuses.append(answer.status_code)
        case.validate_response(answer, checks=CHECKS)

    given(case=operation.as_strategy(generation_mode=mode))(run)()
    return statuses


def try_addresses(collector, paths, rounds: int) -> None:
    operations = read_operations(collector)
    for path in paths:
        operation = operations[f"{ADDRESSES[path].method} {path}"]
        good = try_operation(collector, operation, collector.basic, GOOD, rounds)
        assert 200 in good, path
        try_operation(collector, operation, collector.basic, BAD, rounds)
        strangers = try_operation(collector, operation, {}, GOOD, 2)
        assert set(strangers) <= {400, 401}, path


def test_an_address_of_the_collector_answers_as_described(collector) -> None:
    try_addresses(collector, FEW, 8)


@pytest.mark.parametrize("rounds", ROUNDS)
def test_every_address_of_the_collector_answers_as_described(collector, rounds: int) -> None:
    try_addresses(collector, ADDRESSES, rounds)


def try_ours(collector, prefixes: tuple[str, ...], rounds: int) -> int:
    with collector.shop.store.write() as tx:
        key = create_key(tx, collector.shop.clock.now(), "t", [Scope.ADMIN], actor="test")
    secret = {"authorization": f"Bearer {key.secret}"}
    tried = 0
    for operation in read_operations(collector).values():
        if operation.path in ADDRESSES or not operation.path.startswith(prefixes):
            continue
        tried += 1
        for mode in (GOOD, BAD):
            statuses = try_ours_once(collector, operation, secret, mode, rounds)
            assert max(statuses, default=0) < 500, operation.path
    return tried


def try_ours_once(collector, operation, headers, mode, rounds: int) -> list[int]:
    statuses: list[int] = []

    @settings(
        max_examples=rounds,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def run(case) -> None:
        body = case.body if isinstance(case.body, dict | list | str | int | float) else None
        answer = collector.client.request(
            case.method,
            case.formatted_path,
            params=case.query or None,
            headers=headers,
            json=body,
        )
        statuses.append(answer.status_code)

    given(case=operation.as_strategy(generation_mode=mode))(run)()
    return statuses


def test_no_request_to_what_the_collector_is_ruled_by_is_a_fault_of_ours(collector) -> None:
    assert try_ours(collector, OURS, 3) > 12


@pytest.mark.parametrize("rounds", ROUNDS)
def test_no_request_to_the_api_is_a_fault_of_ours(collector, rounds: int) -> None:
    assert try_ours(collector, ("/v1",), rounds // 3) > 30


def test_every_address_says_what_it_takes_and_in_which_form(collector) -> None:
    document = read_document(collector)
    schemes = document["components"]["securitySchemes"]
    for path, address in ADDRESSES.items():
        operation = document["paths"][path][address.method.lower()]
        assert {"write key", "write key in a header"} <= schemes.keys()
        assert operation["security"][0] == {"write key": []}
        if address.method == "GET":
            assert [p["name"] for p in operation["parameters"]] == ["data", "writeKey"]
            assert "image/gif" in operation["responses"]["200"]["content"]
            continue
        content = operation["requestBody"]["content"]
        assert content.keys() == {"application/json", "text/plain"}
        reference = content["application/json"]["schema"]["$ref"]
        assert content["text/plain"]["schema"]["contentSchema"]["$ref"] == reference
        shape = document["components"]["schemas"][reference.rpartition("/")[2]]
        example = content["application/json"]["examples"]["example"]["value"]
        assert set(example) <= set(shape["properties"])
        assert set(shape.get("required", ())) <= set(example)


@pytest.mark.parametrize("kind", ["application/json", "text/plain"])
def test_the_examples_of_the_description_are_stored(collector, kind: str) -> None:
    document = read_document(collector)
    for path, address in ADDRESSES.items():
        operation = document["paths"][path][address.method.lower()]
        if address.method == "GET":
            answer = collector.client.get(
                path,
                params={"data": operation["parameters"][0]["example"]},
                headers=collector.basic,
            )
        else:
            value = operation["requestBody"]["content"][kind]["examples"]["example"]["value"]
            text = value if isinstance(value, str) else json.dumps(value)
            headers = collector.basic | {"content-type": kind}
            answer = collector.client.post(path, content=text, headers=headers)
        assert answer.status_code == 200, (path, answer.text)
    assert collector.aside() == []
    assert len(collector.events()) > 20
