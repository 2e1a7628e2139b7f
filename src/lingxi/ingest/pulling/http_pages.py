"""An HTTP address that gives messages page by page."""

from http.client import HTTPException
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

import msgspec

from lingxi.errors import SourceUnavailable
from lingxi.ingest.pulling.source import Page

_LARGEST = 64 << 20
_SECONDS = 30.0


class _Answer(msgspec.Struct):
    messages: list[msgspec.Raw]
    next_cursor: str | int | None = None


class _Place(msgspec.Struct, frozen=True):
    """A page by the cursor that asks for it, and how many messages of it were taken."""

    at: str = ""
    taken: int = 0


class _Stay(HTTPRedirectHandler):
    """Another address would be sent the key."""

    def redirect_request(self, *_: object) -> None:
        """Follow none."""


class HttpPages:
    """``GET url?cursor=...&n=500`` answers ``{"messages": [...], "next_cursor": "..."}``.

    Without a cursor it gives the first page. ``next_cursor`` asks for the page after; null on the
    last, which is asked again later and may have grown at its end.

    Parameters
    ----------
    url
        Begins with ``https://``, or ``http://`` inside one's own network.
    token
        Sent as ``Authorization: Bearer``.
    """

    def __init__(self, url: str, token: str = "") -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SourceUnavailable(f"url must begin with https:// or http://, not {url[:80]!r}.")
        self._url = url
        self._token = token
        self._opener = build_opener(_Stay)

    def pull(self, cursor: str, n: int, /) -> Page:
        """The page at the cursor, without what was taken of it."""
        place = self._read_cursor(cursor)
        answer = self._ask(place.at, n)
        rest = answer.messages[place.taken : place.taken + n]
        taken = place.taken + len(rest)
        whole = taken >= len(answer.messages)
        after = _Place(place.at, taken)
        if whole and answer.next_cursor not in (None, "", place.at):
            after = _Place(str(answer.next_cursor))
        kept = cursor if after == place else msgspec.json.encode(after).decode()
        more = not whole or (after.at != place.at)
        return Page(tuple(bytes(each) for each in rest), kept, more=more)

    def close(self) -> None:
        """Let go of the connection."""
        self._opener.close()

    def _ask(self, at: str, n: int) -> _Answer:
        query = urlencode({"n": n, **({"cursor": at} if at else {})})
        join = "&" if urlsplit(self._url).query else "?"
        headers = {"Accept": "application/json", "User-Agent": "lingxi"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        request = Request(f"{self._url}{join}{query}", headers=headers)
        host = urlsplit(self._url).hostname
        try:
            with self._opener.open(request, timeout=_SECONDS) as answer:
                body = answer.read(_LARGEST + 1)
        except HTTPError as error:
            advice = _ADVICE.get(error.code, "it is asked again later.")
            raise SourceUnavailable(f"{host} answered {error.code}; {advice}") from error
        except (URLError, HTTPException, OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            raise SourceUnavailable(f"{host} cannot be reached: {reason}.") from error
        if len(body) > _LARGEST:
            raise SourceUnavailable(f"{host} answered more than 64 MB; make its pages smaller.")
        try:
            return msgspec.json.decode(body, type=_Answer)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            raise SourceUnavailable(
                f'{host} did not answer {{"messages": [...], "next_cursor": ...}}: {error}.'
            ) from error

    def _read_cursor(self, cursor: str) -> _Place:
        if not cursor:
            return _Place()
        try:
            return msgspec.json.decode(cursor, type=_Place)
        except msgspec.MsgspecError as error:
            raise SourceUnavailable(f"{cursor[:80]!r} is no cursor of an address.") from error


_ADVICE = {
    301: "name the address that it redirects to.",
    302: "name the address that it redirects to.",
    307: "name the address that it redirects to.",
    308: "name the address that it redirects to.",
    401: "check the token.",
    403: "check the token.",
    404: "check the url.",
}
