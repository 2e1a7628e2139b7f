"""A request's body, decompressed within a bound. What it is is sniffed; headers are not trusted."""

import zlib

from lingxi.errors import BodyTooLarge, BodyUnreadable, EncodingUnsupported

_GZIP_MAGIC = b"\x1f\x8b"
_GZIP, _ZLIB, _RAW_DEFLATE = 31, 15, -15
_PLAIN = ("", "identity", "gzip", "x-gzip")


def unpack(body: bytes, encoding: str, *, most: int) -> bytes:
    """The body as it was before compression, at most ``most`` bytes.

    gzip is told by its first two bytes, whatever the header says: one client compresses without
    saying so, and one says so without compressing. Inflating stops at the limit, so that a small
    body that unpacks to gigabytes costs no more than an honest one.

    Raises
    ------
    BodyTooLarge
        If the body, or what it unpacks to, is larger than ``most``.
    BodyUnreadable
        If the compressed stream is damaged or cut short.
    EncodingUnsupported
        If ``encoding`` names a compression other than gzip and deflate.

    Examples
    --------
    >>> import gzip
    >>> unpack(gzip.compress(b"{}"), "", most=100), unpack(b"{}", "gzip", most=100)
    (b'{}', b'{}')
    """
    if len(body) > most:
        raise BodyTooLarge(f"The body has {len(body)} bytes; this address takes at most {most}.")
    if body[:2] == _GZIP_MAGIC:
        return _inflate(body, _GZIP, most)
    if encoding in _PLAIN:
        return body
    if encoding == "deflate":
        try:
            return _inflate(body, _ZLIB, most)
        except BodyUnreadable:  # some clients mean the bare stream by it (RFC 9110, 8.4.1.2)
            return _inflate(body, _RAW_DEFLATE, most)
    raise EncodingUnsupported(
        f"Content-Encoding {encoding[:40]!r} is not read here; send gzip or deflate."
    )


def _inflate(body: bytes, form: int, most: int) -> bytes:
    """All members of the stream; one byte past the limit is enough to refuse it."""
    parts: list[bytes] = []
    size, rest = 0, body
    try:
        while rest:
            stream = zlib.decompressobj(form)
            part = stream.decompress(rest, most - size + 1)
            size += len(part)
            parts.append(part)
            if size > most:
                raise BodyTooLarge(f"The body unpacks to more than {most} bytes.")
            if not stream.eof:
                raise BodyUnreadable("The compressed body is cut short.")
            rest = stream.unused_data.lstrip(b"\0")
            if rest[:2] != _GZIP_MAGIC:
                break
    except zlib.error as error:
        raise BodyUnreadable(f"The compressed body is damaged: {error}.") from error
    return b"".join(parts)
