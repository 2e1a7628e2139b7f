"""Which column is which field."""

import pytest

from lingxi.errors import UnknownColumn
from lingxi.ingest.columns import parse_mapping, recognise
from lingxi.ingest.synonyms import ORDER_FIELDS


@pytest.mark.parametrize(
    "headers",
    [
        ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice"],
        ["order_id", "sku", "product_name", "qty", "created_at", "price"],
        ["Order ID", "Item Code", "Item Name", "Qty", "Order Date", "Unit Price"],
        ["订单号", "商品编码", "商品名称", "数量", "下单时间", "单价"],
        [
            "Name",
            "Lineitem sku",
            "Lineitem name",
            "Lineitem quantity",
            "Created at",
            "Lineitem price",
        ],
        ["Order Number", "SKU", "Item Name", "Quantity", "Order Date", "Item Cost"],
    ],
)
def test_shops_columns_are_recognised(headers: list[str]) -> None:
    fields = ("order", "item", "name", "quantity", "time", "price")
    assert recognise(headers, ORDER_FIELDS, needed=fields) == dict(
        zip(fields, headers, strict=True)
    )


def test_chinese_customer_and_mail_are_recognised() -> None:
    assert recognise(["客户编号", "邮箱"], ORDER_FIELDS) == {
        "customer": "客户编号",
        "email": "邮箱",
    }


def test_two_columns_of_one_tier_are_ambiguous() -> None:
    with pytest.raises(UnknownColumn, match="--map customer=CustomerID") as error:
        recognise(["CustomerID", "user_id"], ORDER_FIELDS, needed=("customer",))
    assert "user_id" in str(error.value)


def test_two_columns_with_the_same_cells_are_not_ambiguous() -> None:
    found = recognise(
        ["CustomerID", "user_id"], ORDER_FIELDS, needed=("customer",), same=lambda *_: True
    )
    assert found["customer"] == "CustomerID"


def test_the_users_word_goes_before_synonyms() -> None:
    found = recognise(["CustomerID", "user_id"], ORDER_FIELDS, {"customer": "user_id"})
    assert found["customer"] == "user_id"


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        ({"custmer": "A"}, "did you mean 'customer'"),
        ({"customer": "Custmer ID"}, "did you mean 'Customer ID'"),
    ],
)
def test_wrong_map_is_answered_with_the_right_one(stated: dict[str, str], said: str) -> None:
    with pytest.raises(UnknownColumn, match=said):
        recognise(["Customer ID"], ORDER_FIELDS, stated)


def test_mapping_is_parsed() -> None:
    assert parse_mapping("customer=Customer ID, date=When") == {
        "customer": "Customer ID",
        "date": "When",
    }
    with pytest.raises(UnknownColumn, match="pairs"):
        parse_mapping("customer")
