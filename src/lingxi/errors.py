"""Every error of Lingxi, in one tree.

The first branch tells whose mistake it is. ``UserError``: the input can be mended by whoever gave
it (exit status 2, HTTP 4xx). ``InternalError``: ours (exit status 1, HTTP 5xx). A message is one or
two whole sentences: what is wrong, which thing, what to do. HTTP status is decided in ``server``.
"""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Self


class LingxiError(Exception):
    """Root of the tree; ``code`` names the kind of error for machines, without a language."""

    said: "tuple[str, Mapping[str, str | int | float]] | None" = None
    """The sentence of the catalogues that says the same, with its parameters, if there is one."""

    def says(self, sentence: str, **params: str | int | float) -> Self:
        """Name the sentence by which a reader of another language is told the same.

        >>> Conflict("There is a source 'web' already.").says("taken", name="web").said
        ('taken', {'name': 'web'})
        """
        self.said = (sentence, params)
        return self

    @property
    def code(self) -> str:
        """The class name in snake case, for JSON answers and translation.

        >>> NotEnoughData("no orders yet").code
        'not_enough_data'
        """
        name = type(self).__name__
        return "".join("_" + c.lower() if c.isupper() else c for c in name).lstrip("_")


class UserError(LingxiError):
    """Something the caller can put right."""


class InternalError(LingxiError):
    """Something we must put right."""


class InvalidInput(UserError):
    """A value of the wrong kind, size or form."""


class BodyTooLarge(InvalidInput):
    """A request's body, or what it unpacks to, is larger than the route takes."""


class BodyUnreadable(InvalidInput):
    """A request's body is in none of the forms that the route reads."""


class EncodingUnsupported(InvalidInput):
    """A request's body is compressed in a way that is not read here."""


class InvalidSetting(UserError):
    """``lingxi.toml`` or the environment holds something that cannot be used."""


class ShopNotFound(UserError):
    """No shop in the folder that was named."""


class ShopExists(UserError):
    """A shop is already in the folder that was named."""


class FileUnreadable(UserError):
    """A file is absent, damaged or not of the form its name promises."""


class UnknownColumn(UserError):
    """A column is asked for that the file does not have, or a needed one was not recognised."""


class UnknownCustomer(UserError):
    """No customer with this identifier."""


class UnknownItem(UserError):
    """No item with this identifier."""


class UnknownEvent(UserError):
    """No event at this place of the log, or no message of this number in memory."""


class UnknownPlacement(UserError):
    """No placement, or no version of one, of this name."""


class UnknownRun(UserError):
    """No run of a journey with this number."""


class UnknownJourney(UserError):
    """No journey, or no version of one, of this name."""


class UnknownSegment(UserError):
    """No segment of this name."""


class UnknownList(UserError):
    """No list of customers of this name."""


class UnknownTemplate(UserError):
    """No template, or no version of one, of this name."""


class UnknownMessage(UserError):
    """No message of this id."""


class UnknownFeature(UserError):
    """No feature of this name."""


class UnknownModel(UserError):
    """No model, or no version of a model, of this name."""


class UnknownOffer(UserError):
    """No offer, or no version of one, of this name."""


class UnknownCoupon(UserError):
    """No coupon of this number or code."""


class NotTrained(UserError):
    """A model is asked for before ``lingxi train`` has made one."""


class NotEnoughData(UserError):
    """The data cannot answer the question; the message says how much is needed."""


class Conflict(UserError):
    """The thing already exists, or changed in the meantime."""


class OfferClosed(Conflict):
    """An offer gives nothing at the moment: paused, over, at its limits, out of codes."""


class SourceUnavailable(UserError):
    """A source that is pulled from cannot be reached, or gives what it should not."""


class NotAuthenticated(UserError):
    """No valid key or session came with the request."""


class PermissionDenied(UserError):
    """Known, but not allowed; the message says who is."""


class RateLimited(UserError):
    """Too many requests; ``retry_after_seconds`` says when to come back."""

    def __init__(self, message: str, *, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class MissingExtra(UserError):
    """An optional dependency is not installed; the message gives the command that installs it."""


class StoreBusy(InternalError):
    """Another process holds the write lock for too long."""


class StoreUnavailable(InternalError):
    """The store cannot be written or read: disk full, read-only, unreachable, damaged."""


class SealBroken(StoreUnavailable):
    """A sealed text is damaged, or was sealed for somebody else."""


class EventDamaged(InternalError):
    """The log holds an event that cannot be read back as it was written."""


class CorruptArtefact(InternalError):
    """A stored model does not match its manifest, or holds a type that is not trusted."""


def did_you_mean(wanted: str, known: Iterable[str]) -> str:
    """A question in brackets for an error message, or nothing when no name comes close.

    >>> did_you_mean("recency_day", ["recency_days", "tenure_days"])
    " (did you mean 'recency_days'?)"
    >>> did_you_mean("zzz", ["recency_days"])
    ''
    """
    near = get_close_matches(wanted, list(known), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""
