"""A sentence is a code with parameters; the words come at the edge, in the reader's language."""

from collections.abc import Mapping

import msgspec

Value = str | int | float | bool


class Sentence(msgspec.Struct, frozen=True):
    """What to say, without a language: stored in tables, logs and artefacts as it is.

    ``code`` is a key of the catalogues in ``locales``; ``params`` are its named placeholders. The
    parameter ``n``, where there is one, chooses the plural form. A parameter name says its form:
    ``*_cents`` is money (with the parameter ``currency`` beside it), ``*_share`` a share of one,
    ``*_at`` an ISO 8601 moment, anything else text or a number.
    """

    code: str
    params: Mapping[str, Value] = {}
