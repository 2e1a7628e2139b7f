"""What the user says about a file; everything else is detected and stated in the report."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lingxi.config import Settings
from lingxi.errors import InvalidInput
from lingxi.i18n import is_currency
from lingxi.ingest.columns import parse_mapping


@dataclass(frozen=True)
class ImportOptions:
    """Options of one import; an empty one is detected or taken from the shop's settings."""

    mapping: Mapping[str, str] = field(default_factory=dict)
    """Field → column, for fields that are not recognised: ``{"customer": "CustomerID"}``."""
    timezone: str = ""
    """IANA time zone of times that name none."""
    currency: str = ""
    """ISO 4217 code of the file's amounts."""
    date_format: str = ""
    """``dmy``, ``mdy``, ``ymd`` or a pattern such as ``%d/%m/%Y %H:%M``."""
    encoding: str = ""
    """Of a text file, such as ``cp1252``."""
    delimiter: str = ""
    """Of a text file: one character."""
    decimal_mark: str = ""
    """``.`` or ``,``."""
    sheet: str = ""
    """Of an Excel workbook; the first that holds a table if empty."""

    @classmethod
    def parse(
        cls,
        *,
        mapping: str = "",
        timezone: str = "",
        currency: str = "",
        date_format: str = "",
        encoding: str = "",
        delimiter: str = "",
        decimal_mark: str = "",
        sheet: str = "",
    ) -> "ImportOptions":
        """Options as a command line has them: ``mapping`` is ``customer=CustomerID,...``.

        Raises
        ------
        UnknownColumn
            If ``mapping`` is not made of such pairs.
        InvalidInput
            If time zone, currency, delimiter or decimal mark cannot be used.
        """
        if currency and not is_currency(currency.upper()):
            raise InvalidInput(f"{currency!r} is not a currency; write a code such as GBP.")
        if decimal_mark not in ("", ".", ","):
            raise InvalidInput(f"The decimal mark must be . or , and not {decimal_mark!r}.")
        if timezone:
            read_zone(timezone)
        return cls(
            mapping=parse_mapping(mapping) if mapping.strip() else {},
            timezone=timezone,
            currency=currency.upper(),
            date_format=date_format,
            encoding=encoding,
            delimiter={"tab": "\t", "\\t": "\t"}.get(delimiter, delimiter),
            decimal_mark=decimal_mark,
            sheet=sheet,
        )

    def zone(self, settings: Settings) -> ZoneInfo:
        """The time zone of times that name none."""
        return read_zone(self.timezone) if self.timezone else settings.zone


def read_zone(name: str) -> ZoneInfo:
    """A time zone by its IANA name.

    Raises
    ------
    InvalidInput
        If there is none of this name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidInput(
            f"{name!r} is not an IANA time zone; write one such as Europe/London."
        ) from error
