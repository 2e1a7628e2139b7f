"""The shop's customers: a list, one in full, and the search over everything."""

from lingxi.access.roles import Scope
from lingxi.app.views import CustomersView, CustomerView, SearchView
from lingxi.server.api.parameters import (
    Cursor,
    CustomerId,
    Filter,
    Length,
    Rows,
    Search,
    Sort,
    check_cursor,
    check_text,
    read_id,
)
from lingxi.server.api.route import read
from lingxi.server.dependencies import AskAnswers


@read("/v1/customers", Scope.CUSTOMERS, "List of customers")
def list_customers(
    answers: AskAnswers,
    search: Search = "",
    stage: Filter = "",
    segment: Filter = "",
    action: Filter = "",
    country: Filter = "",
    sort: Sort = "-revenue",
    cursor: Cursor = None,
    n: Rows = 50,
) -> CustomersView:
    """Customers that match every filter given, a page at a time.

    ``sort`` is one of revenue, orders, last_order, churn, value, customer_id.
    """
    return answers.customers(
        search=check_text("search", search),
        stage=check_text("stage", stage),
        segment=check_text("segment", segment),
        action=check_text("action", action),
        country=check_text("country", country),
        sort=check_text("sort", sort),
        cursor=check_cursor("cursor", cursor),
        n=n,
    )


@read("/v1/customers/{customer_id:path}", Scope.CUSTOMERS, "One customer")
def get_customer(
    answers: AskAnswers, customer_id: CustomerId, before: Cursor = None, n: Rows = 50
) -> CustomerView:
    """Profile, stage, scores with their reasons, planned action, and ``n`` events.

    ``before`` is the ``next_cursor`` of the answer before: older events.
    """
    wanted = read_id("customer_id", customer_id)
    return answers.customer(wanted, before=check_cursor("before", before), n=n)


@read("/v1/search", Scope.CUSTOMERS, "Search over everything")
def search(answers: AskAnswers, text: Search, n: Length = 8) -> SearchView:
    """Customers and items whose id or name begins with or holds ``text``."""
    return answers.search(check_text("text", text), n=n)


ROUTES = [list_customers, get_customer, search]
