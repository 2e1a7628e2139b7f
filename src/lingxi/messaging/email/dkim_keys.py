"""Where the signing keys lie: in the shop's folder of keys, readable by its owner alone."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from lingxi.errors import Conflict, InvalidInput, StoreUnavailable
from lingxi.messaging.email.address import read_domain
from lingxi.messaging.email.dkim import SigningKey

KINDS = ("rsa", "ed25519")
_SELECTOR = re.compile(r"[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?")
_RSA_BITS = 2048


def create_keys(
    folder: Path, domain: str, selector: str, *, kinds: Sequence[str] = KINDS
) -> list[SigningKey]:
    """Make and keep a key of each kind; the selector of the Ed25519 key ends in ``-ed``.

    Raises
    ------
    Conflict
        If there is a key of this domain, selector and kind: a key in use is never replaced.
    InvalidInput
        If the domain, the selector or a kind cannot be used.
    """
    domain, selector = read_domain(domain), read_selector(selector)
    if unknown := set(kinds) - set(KINDS):
        raise InvalidInput(f"There is no kind of key {min(unknown)!r}; choose rsa or ed25519.")
    paths = [_place(folder, domain, selector, kind) for kind in kinds]
    if there := [path.name for path in paths if path.exists()]:
        raise Conflict(
            f"There is a key {there[0]} already; choose another selector to change keys."
        )
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for path, kind in zip(paths, kinds, strict=True):
        _write(path, _make(kind))
    return load_keys(folder, domain, selector)


def load_keys(folder: Path, domain: str, selector: str) -> list[SigningKey]:
    """The keys of a domain under one selector, RSA first; none where none was made.

    Raises
    ------
    StoreUnavailable
        If a key's file cannot be read.
    """
    domain, selector = read_domain(domain), read_selector(selector)
    found = []
    for kind in KINDS:
        path = _place(folder, domain, selector, kind)
        if path.is_file():
            found.append(SigningKey(domain, _name(selector, kind), _read(path)))
    return found


def read_selector(text: str) -> str:
    """A selector as it may stand in DNS.

    Raises
    ------
    InvalidInput
        If it is none.
    """
    if not _SELECTOR.fullmatch(text):
        raise InvalidInput(f"{text!r} is no selector; write small letters, digits and '-'.")
    return text


def _name(selector: str, kind: str) -> str:
    return selector if kind == "rsa" else f"{selector}-ed"


def _place(folder: Path, domain: str, selector: str, kind: str) -> Path:
    return folder / f"dkim-{domain}-{_name(selector, kind)}.pem"


def _make(kind: str) -> RSAPrivateKey | Ed25519PrivateKey:
    if kind == "rsa":
        return generate_private_key(65_537, _RSA_BITS)
    return Ed25519PrivateKey.generate()


def _write(path: Path, key: RSAPrivateKey | Ed25519PrivateKey) -> None:
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(text)


def _read(path: Path) -> RSAPrivateKey | Ed25519PrivateKey:
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise StoreUnavailable(f"The signing key {path} cannot be read: {error}.") from error
    if not isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
        raise StoreUnavailable(f"The signing key {path} is neither RSA nor Ed25519.")
    return key
