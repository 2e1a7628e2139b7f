"""What shops write to say: guest, cancelled, returned, a note of the stock keeper."""

import re
from collections import Counter

import numpy as np

from lingxi.ingest.lines import Lines
from lingxi.ingest.text import Mask, Text, word_set

_GUESTS = word_set(
    """
    0 -1 guest guests anonymous anon unknown none null nan n/a na - -- ? walk-in walkin cash
    visitor no_customer nocustomer undefined guest@guest.com 匿名 游客 访客 散客 未知 无
    """
)
_UNFINISHED = word_set(
    """
    cancelled canceled cancel voided void failed pending draft onhold checkoutdraft unpaid
    expired abandoned pendingpayment awaitingpayment paymentpending paymentfailed
    paymenterror declined rejected trash
    storniert abgebrochen fehlgeschlagen ausstehend annulé 已取消 取消
    交易关闭 已关闭 待付款 未付款 等待付款 支付失败 待支付
    """
)
_CANCELLED = word_set(
    "cancelled canceled cancel voided void storniert abgebrochen annulé 已取消 取消 交易关闭 已关闭"
)
_REFUNDED = word_set(
    """
    refunded returned return fullyrefunded chargeback erstattet rückerstattet
    已退款 退款成功 退款 退货 已退货
    """
)
_REFUND_KINDS = word_set(
    """
    return returns returned refund refunds refunded credit creditnote creditmemo
    cancellation cancelled canceled rma chargeback gutschrift retoure storno avoir
    devolución 退货 退款 退单 退换货
    """
)
_NOTE = re.compile(
    r"[\W\d_]*|\?.*|.*\?|"
    r"(?:.*\b(?:damage[ds]?|damges?|broken|smashed|crushed|faulty|mould\w*|mold\w*|rusty|wet|"
    r"thrown away|throw away|unsaleable|destroyed|wrongly|incorrect\w*|lost|missing|found|"
    r"mixed up|mix up|put aside|stock ?(?:check|take|entry)|adjust(?:ment)?|"
    r"counted|given away|returned|sold as|"
    r"wrong (?:code|barcode|invc|ctn size)|mailout|cracked|dagamed|label mix|write[- ]?off|"
    r"written off)\b.*)|"
    r"check(?:ed)?|test|ebay|amazon|dotcom|samples?|showroom|historic computer difference|"
    r"盘点.*|损坏|报损|丢失|测试",
    re.IGNORECASE | re.DOTALL,
)
_MARKED = re.compile(
    r"(CANCEL(?:LED)?|REFUND|RETURN|CN|CM|CR|RMA|RET|RF|C|R)[-_ #]?(\d[\w-]*)", re.IGNORECASE
)
_LONGEST_NOTE = 60


def squeeze(text: str) -> str:
    """A status without case, spaces and punctuation, and without WooCommerce's ``wc-`` before it.

    >>> squeeze("wc-on-hold"), squeeze("Payment failed")
    ('onhold', 'paymentfailed')
    """
    return re.sub(r"[\W_]+", "", text.lower().removeprefix("wc-"))


def is_guest(customer: str) -> bool:
    """Whether a customer id says that there is no customer."""
    return customer.strip().lower() in _GUESTS


def is_unfinished_status(status: str) -> bool:
    """Whether an order with this status was never a sale."""
    return squeeze(status) in _UNFINISHED


def is_cancelled_status(status: str) -> bool:
    """Whether an order with this status was called off, maybe after it was sold."""
    return squeeze(status) in _CANCELLED


def is_refunded_status(status: str) -> bool:
    """Whether an order with this status was sold and then paid back in full."""
    return squeeze(status) in _REFUNDED


def is_refund_kind(kind: str) -> bool:
    """Whether a line of this type is a return."""
    return squeeze(kind) in _REFUND_KINDS


def is_stock_note(name: str) -> bool:
    """Whether a description is a stock keeper's note and names no product.

    A note is short and holds a lower-case letter or no letter at all; a shop's own product names
    are judged elsewhere by how often they occur.

    >>> is_stock_note("wet/rusty"), is_stock_note("?"), is_stock_note("LOST CITY LANTERN")
    (True, True, False)
    """
    if len(name) > _LONGEST_NOTE or (name.upper() == name and any(c.isalpha() for c in name)):
        return False
    return _NOTE.fullmatch(name.strip()) is not None


def find_cancellations(lines: Lines) -> Mask:
    """Lines of cancellation documents: order numbers such as C536379 or RMA-1001.

    A prefix means cancellation only where the file bears it out: most of its lines are negative, or
    most of its numbers without the prefix are orders of the file, and few orders carry it.
    """
    values = lines.order.values
    marks = [_MARKED.fullmatch(value) for value in values]
    prefixes = {m[1].upper() for m in marks if m is not None}
    if not prefixes:
        return np.zeros(len(lines), dtype=np.bool_)
    known = {value.upper() for value in values}
    negative = np.bincount(
        lines.order.codes[(lines.quantity < 0) & ~lines.order.missing], minlength=len(values)
    )
    count = np.bincount(lines.order.codes[~lines.order.missing], minlength=len(values))
    borne: set[str] = set()
    for prefix in prefixes:
        own = [i for i, m in enumerate(marks) if m is not None and m[1].upper() == prefix]
        tally: Counter[str] = Counter()
        for i in own:
            mark = marks[i]
            tally["lines"] += int(count[i])
            tally["negative"] += int(negative[i])
            tally["named"] += mark is not None and mark[2].upper() in known
        few = len(own) <= 0.5 * len(values)
        if few and (2 * tally["negative"] > tally["lines"] or 2 * tally["named"] > len(own)):
            borne.add(prefix)
    return lines.order.spread([m is not None and m[1].upper() in borne for m in marks])


def find_called_off(lines: Lines, sold: frozenset[str]) -> Mask:
    """Lines of cancelled orders among those that were ``sold`` before."""
    if not sold:
        return np.zeros(len(lines), dtype=np.bool_)
    return lines.status.where(is_cancelled_status) & lines.order.where(sold.__contains__)


def named_order(document: str) -> str | None:
    """The order that a cancellation's own number may name: C1001 → 1001."""
    mark = _MARKED.fullmatch(document)
    return None if mark is None else mark[2]


def find_usual_names(lines: Lines) -> Text:
    """The usual name of each distinct item: the most frequent on lines that were paid for."""
    paid = lines.price > 0
    best = lines.name.usual(lines.item, paid & ~lines.name.where(is_stock_note))
    for use in (paid, lines.price != 0):
        if best.missing.any():
            best = best.fill(lines.name.usual(lines.item, use), best.missing)
    return best


def find_notes(lines: Lines) -> Mask:
    """Lines whose name is a stock keeper's note and not the item's usual name."""
    note = lines.name.where(is_stock_note)
    if not note.any():
        return note
    usual = lines.name.usual(lines.item, lines.price > 0)
    same = np.append(usual.codes, -2)[lines.item.codes] == lines.name.codes
    return np.asarray(note & ~same, dtype=np.bool_)
