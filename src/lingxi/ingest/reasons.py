"""Why a line was set aside or changed: two closed lists, every member counted in the report."""

from enum import StrEnum


class DropReason(StrEnum):
    """Why a line went to quarantine. Words for each: ``clean.reason.<value>``."""

    LINE_MALFORMED = "line_malformed"
    EVENT_TOO_LARGE = "event_too_large"
    BATCH_TOO_LONG = "batch_too_long"
    EXACT_DUPLICATE = "exact_duplicate"
    ORDER_MISSING = "order_missing"
    ITEM_MISSING = "item_missing"
    TIME_MISSING = "time_missing"
    TIME_UNREADABLE = "time_unreadable"
    TIME_IMPOSSIBLE = "time_impossible"
    NUMBER_MISSING = "number_missing"
    NUMBER_UNREADABLE = "number_unreadable"
    NUMBER_ABSURD = "number_absurd"
    CURRENCY_OTHER = "currency_other"
    ORDER_NOT_COMPLETED = "order_not_completed"
    QUANTITY_ZERO = "quantity_zero"
    LEDGER_ENTRY = "ledger_entry"
    STOCK_ADJUSTMENT = "stock_adjustment"
    PRICE_ZERO = "price_zero"
    PRICE_NEGATIVE = "price_negative"
    ORDER_CHANGED = "order_changed"
    EVENT_MISSING = "event_missing"
    BOT = "bot"
    VISITOR_MISSING = "visitor_missing"


class PutReason(StrEnum):
    """Why a kept line was changed or marked. Words for each: ``clean.reason.<value>``."""

    TEXT_TIDIED = "text_tidied"
    GUEST_PLACEHOLDER = "guest_placeholder"
    ITEM_FROM_NAME = "item_from_name"
    ORDER_VALUES_FILLED = "order_values_filled"
    ORDER_COSTS = "order_costs"
    ORDER_FROM_CUSTOMER = "order_from_customer"
    ORDER_SPLIT = "order_split"
    QUANTITY_FRACTION = "quantity_fraction"
    NON_PRODUCT = "non_product"
    REFUND = "refund"
    REFUNDED_ORDER = "refunded_order"
    NAME_FROM_ITEM = "name_from_item"
    CUSTOM_EVENT = "custom_event"
