"""Requests made from the API's own description: none of them is a fault of ours."""

import schemathesis
from hypothesis import HealthCheck, given, settings

from lingxi.access import Scope, create_key

OURS = ("/v1/sources", "/v1/waiting", "/v1/live", "/v1/items", "/v1/consent", "/v1/identity")
ROUNDS = 6


def test_no_request_that_the_description_allows_is_a_fault_of_ours(collector) -> None:
    with collector.shop.store.write() as tx:
        key = create_key(tx, collector.shop.clock.now(), "t", [Scope.ADMIN], actor="test")
    secret = {"authorization": f"Bearer {key.secret}"}
    document = collector.app.openapi_schema.to_schema()
    schema = schemathesis.openapi.from_dict(document)
    tried = 0
    for found in schema.get_all_operations():
        operation = found.ok()
        collects = operation.path.startswith(("/v1/batch", "/v1/t", "/e", "/api/s", "/pixel"))
        if not collects and not operation.path.startswith(OURS):
            continue
        headers = collector.basic if collects else secret
        tried += 1
        try_operation(collector, operation, headers)
    assert tried > 20


def try_operation(collector, operation, headers: dict[str, str]) -> None:
    @settings(
        max_examples=ROUNDS,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    def run(case) -> None:
        answer = collector.client.request(
            case.method,
            case.formatted_path,
            params=case.query or None,
            headers=headers,
            json=as_json(case.body),
        )
        assert answer.status_code < 500, (case.method, case.formatted_path, answer.text)

    given(case=operation.as_strategy())(run)()


def as_json(body: object) -> object:
    return body if isinstance(body, dict | list | str | int | float | None) else None
