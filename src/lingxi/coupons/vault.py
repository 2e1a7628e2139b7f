"""Codes are money to whoever holds them: kept sealed, found by a keyed hash, never in the clear.

Both keys come from the shop's secret, which is no part of the database and of no backup of it.
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from lingxi.coupons.codes import normalise
from lingxi.errors import StoreUnavailable
from lingxi.store import Keyring

_NONCE = 12


class Vault:
    """Seals codes and opens them again."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self._cipher = AESGCM(bytes.fromhex(keyring.blind("coupons: seal of codes")))

    def find_by(self, code: str) -> str:
        """What a code is found by: HMAC-SHA256 of its normal form under the shop's secret, hex."""
        return self._keyring.blind(f"coupons: code {normalise(code)}")

    def seal(self, coupon: int, code: str) -> bytes:
        """The code under AES-256-GCM, bound to its coupon: a 12-byte nonce and the ciphertext."""
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, code.encode(), str(coupon).encode())

    def open(self, coupon: int, sealed: bytes) -> str:
        """The code of a coupon.

        Raises
        ------
        StoreUnavailable
            If it is another coupon's, or was sealed with another shop's secret.
        """
        try:
            return self._cipher.decrypt(
                sealed[:_NONCE], sealed[_NONCE:], str(coupon).encode()
            ).decode()
        except (InvalidTag, ValueError) as error:
            raise StoreUnavailable(
                f"The code of coupon {coupon} cannot be read; are the keys those of this shop?"
            ) from error
