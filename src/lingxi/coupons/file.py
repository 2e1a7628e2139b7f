"""Offers as files: one YAML text each, as short as it can be."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lingxi.coupons.offer import Offer
from lingxi.errors import FileUnreadable, InvalidInput
from lingxi.forms import convert, parse_form, plain, render_form

FOLDER = "offers"


def read_offer(raw: object, where: str = "offer", *, name: str = "") -> Offer:
    """The offer that a plain value means; ``name`` is its name where it does not say one.

    Raises
    ------
    InvalidInput
        Naming the path, and what is wrong there.

    Examples
    --------
    >>> read_offer({"benefit": {"kind": "amount", "cents": 500}}, name="five").benefit
    Amount(cents=500)
    """
    if not isinstance(raw, dict):
        raise InvalidInput(f"{where} must be a mapping with name, benefit and what else it needs.")
    return convert(where, {"name": name, **raw} if name else raw, Offer, Offer.__struct_fields__)


def parse_offer(text: str, where: str = "offer", *, name: str = "") -> Offer:
    """The offer that a YAML or JSON text means. See ``read_offer``."""
    return read_offer(parse_form(text, where), where, name=name)


def spell_offer(offer: Offer) -> dict[str, Any]:
    """The offer as the shortest plain value that reads back as it."""
    return plain(offer)


def render_offer(offer: Offer) -> str:
    """The offer as YAML."""
    return render_form(spell_offer(offer))


def read_files(folder: Path) -> dict[str, Offer]:
    """The offers of ``folder/offers/*.yaml`` by name; a file is named like its offer.

    Raises
    ------
    InvalidInput
        If a file holds no offer, or another one than its name says.
    FileUnreadable
        If a file cannot be read.
    """
    found = {}
    for path in sorted((folder / FOLDER).glob("*.y*ml")):
        where = f"{FOLDER}/{path.name}"
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise FileUnreadable(f"{where} cannot be read: {error}.") from error
        offer = parse_offer(text, where, name="")
        if offer.name != path.stem:
            raise InvalidInput(f"{where} holds the offer {offer.name!r}; name the file like it.")
        found[offer.name] = offer
    return found


def write_files(folder: Path, offers: Iterable[Offer]) -> Mapping[str, Path]:
    """Write each offer to ``folder/offers/NAME.yaml``; the files by name."""
    place = folder / FOLDER
    place.mkdir(parents=True, exist_ok=True)
    written = {}
    for offer in offers:
        path = place / f"{offer.name}.yaml"
        path.write_text(render_offer(offer), encoding="utf-8")
        written[offer.name] = path
    return written
