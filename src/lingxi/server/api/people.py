"""One person: who they are, what they agreed to, everything held on them, and its end."""

from typing import Annotated

import msgspec
from litestar import delete, post
from litestar.params import JSONBody

from lingxi.access.audit import record_audit
from lingxi.access.roles import Scope
from lingxi.app.collect_views import ConsentView, IdentityView, RefusedView
from lingxi.app.erase import Receipt, erase_customer
from lingxi.app.people import ConsentWord, PersonExport, export_person, say_consent
from lingxi.ingest.merging import undo_merge
from lingxi.server.api.parameters import LARGEST_NUMBER, CustomerId, Days, Rows, read_id
from lingxi.server.api.route import read
from lingxi.server.api.write import write
from lingxi.server.dependencies import AnyRequest, AskAnswers, AskShop, provide_principal


class Undo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The merge to undo, by its ``id``."""

    merge_id: Annotated[int, msgspec.Meta(ge=1, le=LARGEST_NUMBER)]


class Undone(msgspec.Struct, frozen=True):
    """The merge that was undone."""

    merge_id: int
    undone: bool


@read("/v1/identity/{customer_id:path}", Scope.CUSTOMERS, "Who a customer is")
def get_identity(answers: AskAnswers, customer_id: CustomerId) -> IdentityView:
    """The customer's identifiers and the merges that made one person of several."""
    return answers.identity(read_id("customer_id", customer_id))


@read("/v1/refused-links", Scope.CUSTOMERS, "Identifiers that were not joined")
def list_refused(answers: AskAnswers, days: Days = 7, n: Rows = 50) -> RefusedView:
    """What was kept apart, by rule and kind, and the customers it happened to most."""
    return answers.refused_links(days=days, n=n)


@write(post, "/v1/identity/undo", Scope.ADMIN, "Undo a merge")
def post_undo(shop: AskShop, data: JSONBody[Undo]) -> Undone:
    """Make two customers again of what a merge made one; they are not merged a second time."""
    undone = undo_merge(shop.store, data.merge_id)
    return Undone(undone.id, undone=True)


@read("/v1/consent/{customer_id:path}", Scope.CUSTOMERS, "What a customer agreed to")
def get_consent(answers: AskAnswers, customer_id: CustomerId) -> ConsentView:
    """What holds for each purpose and channel; ``at`` is null where it is only assumed."""
    return answers.consent(read_id("customer_id", customer_id))


@write(post, "/v1/consent/{customer_id:path}", Scope.CONSENT_WRITE, "Give or withdraw consent")
def post_consent(
    shop: AskShop, customer_id: CustomerId, data: JSONBody[ConsentWord]
) -> ConsentView:
    """Record what a customer said, with where and to which version of the text."""
    return say_consent(shop, read_id("customer_id", customer_id), data)


@read("/v1/export/{customer_id:path}", Scope.ADMIN, "Everything held on a customer")
def get_export(shop: AskShop, customer_id: CustomerId, request: AnyRequest) -> PersonExport:
    """All of it, machine-readable; that it was asked for is noted in the audit log."""
    held = export_person(shop, read_id("customer_id", customer_id))
    with shop.store.write() as tx:
        now = shop.clock.now()
        record_audit(
            tx, now, actor=provide_principal(request).actor, action="person.exported", target=""
        )
    return held


@write(delete, "/v1/customers/{customer_id:path}", Scope.ADMIN, "Erase a customer")
def delete_customer(shop: AskShop, customer_id: CustomerId, request: AnyRequest) -> Receipt:
    """Erase everything held on the customer, everywhere; the answer is the signed receipt."""
    receipt = erase_customer(shop, read_id("customer_id", customer_id))
    with shop.store.write() as tx:
        now = shop.clock.now()
        record_audit(
            tx, now, actor=provide_principal(request).actor, action="person.erased", target=""
        )
    return receipt


ROUTES = [
    get_identity,
    list_refused,
    post_undo,
    get_consent,
    post_consent,
    get_export,
    delete_customer,
]
