"""Style sheets, scripts and pictures: read once, answered from memory, cached by content."""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.params import FromPath

from lingxi.server.requests import request_id

FOLDER = Path(__file__).parent / "static"
PREFIX = "/static"
SNIPPET = "/lx.js"
_FOREVER = "public, max-age=31536000, immutable"
_AN_HOUR = "public, max-age=3600"
_ASK_AGAIN = "no-cache"
_TEXT = ("text/", "application/javascript", "application/json", "image/svg")
_TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".woff2": "font/woff2"}


@dataclass(frozen=True)
class Asset:
    """One file, compressed once where that makes it smaller."""

    body: bytes
    compressed: bytes | None
    media_type: str
    digest: str


@lru_cache
def load_assets(folder: Path = FOLDER) -> dict[str, Asset]:
    """Every file below ``folder``, by its path with ``/``."""
    if not folder.is_dir():
        return {}
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): _read(path) for path in paths}


def asset_url(name: str) -> str:
    """The address of an asset with its content's digest, so that it may be cached for ever.

    Raises
    ------
    KeyError
        If there is no such file under ``static``.
    """
    return f"{PREFIX}/{name}?v={load_assets()[name].digest}"


@get(
    f"{PREFIX}/{{name:path}}",
    opt={"unguarded": True},
    sync_to_thread=False,
    include_in_schema=False,
)
def get_asset(name: FromPath[str], request: Request[object, object, State]) -> Response[bytes]:
    """One file; 304 where the browser has it already."""
    asset = load_assets().get(name.lstrip("/"))
    if asset is None:
        return Response(
            f"No such file. Request {request_id(request.scope)}.".encode(),
            status_code=404,
            media_type="text/plain",
        )
    current = request.query_params.get("v") == asset.digest
    return _answer(asset, request, {"cache-control": _FOREVER if current else _ASK_AGAIN})


@get(SNIPPET, opt={"unguarded": True}, sync_to_thread=False, include_in_schema=False)
def get_snippet(request: Request[object, object, State]) -> Response[bytes]:
    """The script for a shop's own pages, which are of other origins."""
    headers = {
        "cache-control": _AN_HOUR,
        "access-control-allow-origin": "*",
        "cross-origin-resource-policy": "cross-origin",
    }
    return _answer(load_assets()[SNIPPET.lstrip("/")], request, headers)


def _answer(
    asset: Asset, request: Request[object, object, State], more: dict[str, str]
) -> Response[bytes]:
    etag = f'"{asset.digest}"'
    headers = {"etag": etag, "vary": "accept-encoding", **more}
    if etag in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers, media_type=asset.media_type)
    if asset.compressed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        headers["content-encoding"] = "gzip"
        return Response(asset.compressed, headers=headers, media_type=asset.media_type)
    return Response(asset.body, headers=headers, media_type=asset.media_type)


def _read(path: Path) -> Asset:
    body = path.read_bytes()
    kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0]
    media_type = kind or "application/octet-stream"
    small = gzip.compress(body, 9, mtime=0) if media_type.startswith(_TEXT) else None
    if small is not None and len(small) >= len(body):
        small = None
    return Asset(body, small, media_type, hashlib.sha256(body).hexdigest()[:16])
