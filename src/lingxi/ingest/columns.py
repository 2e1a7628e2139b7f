"""Which column of a file is which field, by a table of synonyms or by the user's word."""

from collections.abc import Callable, Collection, Mapping, Sequence

from lingxi.errors import UnknownColumn, did_you_mean
from lingxi.ingest.synonyms import Tiers, normalise_header

_ALIASES = {
    "date": "time",
    "order_id": "order",
    "invoice": "order",
    "sku": "item",
    "product": "item",
    "item_id": "item",
    "description": "name",
    "title": "name",
    "qty": "quantity",
    "unit_price": "price",
    "total": "amount",
    "customer_id": "customer",
    "user_id": "user",
    "type": "kind",
    "timestamp": "time",
    "updated_at": "time",
    "mobile": "phone",
    "email_opt_in": "email_consent",
    "sms_opt_in": "sms_consent",
}


def parse_mapping(text: str) -> dict[str, str]:
    """``customer=CustomerID,time=Date`` as a mapping from field to column.

    Raises
    ------
    UnknownColumn
        If a part has no ``=`` or a field is named twice.
    """
    pairs: dict[str, str] = {}
    for part in text.split(","):
        field, sign, column = part.partition("=")
        name = field.strip().lower()
        if not sign or not name or not column.strip():
            raise UnknownColumn(
                f"--map reads pairs such as customer=CustomerID, but {part!r} is not one."
            )
        if name in pairs:
            raise UnknownColumn(f"--map names the field {name!r} twice; name it once.")
        pairs[name] = column.strip()
    return pairs


def recognise(
    headers: Sequence[str],
    fields: Mapping[str, Tiers],
    stated: Mapping[str, str] | None = None,
    *,
    same: Callable[[str, str], bool] | None = None,
    needed: Collection[str] = (),
    fits: Callable[[str, str], bool] | None = None,
) -> dict[str, str]:
    """Field → column, for every field that is found.

    Parameters
    ----------
    headers
        The file's column names, each once.
    stated
        The user's word for some fields; it goes before any synonym.
    same
        Whether two columns hold the same values; two equal columns are not ambiguous.
    needed
        Fields for which two different candidates of one tier are an error.
    fits
        Whether a column's values can be a field's; asked before a column is taken.

    Raises
    ------
    UnknownColumn
        If a stated field or column does not exist, or a needed field is ambiguous.
    """
    mapping = _stated(headers, fields, stated or {})
    by_word: dict[str, list[str]] = {}
    shopify = any(normalise_header(h).startswith("lineitem") for h in headers)
    for header in headers:
        word = normalise_header(header)
        if shopify and word in ("name", "id", "title"):
            # in a Shopify export, "Name" is the order's name
            word = "ordername" if word == "name" else "shopify" + word
        by_word.setdefault(word, []).append(header)
    for field, tiers in fields.items():
        if field in mapping:
            continue
        taken = {column for name, column in mapping.items() if name != "clock"}
        for tier in tiers:
            found = [h for word in tier.split() for h in by_word.get(word, []) if h not in taken]
            found = [h for h in found if fits is None or fits(field, h)]
            if not found:
                continue
            others = [h for h in found[1:] if same is None or not same(found[0], h)]
            if others and field in needed:
                raise _ambiguous(field, [found[0], *others])
            mapping[field] = found[0]
            break
    return mapping


def _stated(
    headers: Sequence[str], fields: Mapping[str, Tiers], stated: Mapping[str, str]
) -> dict[str, str]:
    exact = {h.strip(): h for h in headers}
    loose = {normalise_header(h): h for h in reversed(headers)}
    mapping: dict[str, str] = {}
    for given, column in stated.items():
        field = given if given in fields else _ALIASES.get(given, given)
        if field not in fields:
            raise UnknownColumn(
                f"--map knows no field {given!r}{did_you_mean(given, fields)}. "
                f"The fields are: {', '.join(fields)}."
            )
        found = exact.get(column.strip()) or loose.get(normalise_header(column))
        if found is None:
            raise UnknownColumn(
                f"The file has no column {column!r}{did_you_mean(column, headers)}. "
                f"Its columns are: {list_columns(headers)}."
            )
        mapping[field] = found
    return mapping


def _ambiguous(field: str, candidates: Sequence[str]) -> UnknownColumn:
    return UnknownColumn(
        f"More than one column could be the {field}: {list_columns(candidates)}. "
        f"Say which with --map {field}={_quote(candidates[0])}."
    )


def missing_columns(
    headers: Sequence[str],
    mapping: Mapping[str, str],
    missing: Sequence[str],
    *,
    mapped: bool,
    hint: str = "",
) -> UnknownColumn:
    """The error for needed fields that were not recognised, with the option to write where the
    command has one (``mapped``) and a further ``hint``."""
    found = ", ".join(f"{field} = {column}" for field, column in mapping.items()) or "nothing"
    pairs = ",".join(f"{field}=COLUMN" for field in missing)
    todo = f"Say which is which with --map {pairs}." if mapped else "Rename the columns you mean."
    bare = "The file has no header line. " if headers[0] == "column 1" else ""
    return UnknownColumn(
        f"{bare}No column was recognised as {' or '.join(missing)}. Recognised: {found}. "
        f"The file's columns are: {list_columns(headers)}. {' '.join(filter(None, (todo, hint)))}"
    )


def list_columns(headers: Sequence[str], most: int = 40) -> str:
    """Column names for a message, each cut to a length a person reads."""
    shown = [h if len(h) <= 60 else h[:57] + "..." for h in headers[:most]]
    return ", ".join(shown) + (f" and {len(headers) - most} more" if len(headers) > most else "")


def _quote(column: str) -> str:
    return f"'{column}'" if " " in column else column
