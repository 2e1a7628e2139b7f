"""Languages: a sentence is a code with parameters, translated only at the edge."""

from typing import TYPE_CHECKING

from lingxi.doors import open_door

if TYPE_CHECKING:
    from lingxi.i18n.catalogue import DEFAULT_LANGUAGE, LANGUAGES, load_catalogue
    from lingxi.i18n.sentence import Sentence
    from lingxi.i18n.translator import Translator, choose_language, is_currency, minor_units
else:
    __getattr__ = open_door(__name__, __file__)

__all__ = [
    "DEFAULT_LANGUAGE",
    "LANGUAGES",
    "Sentence",
    "Translator",
    "choose_language",
    "is_currency",
    "load_catalogue",
    "minor_units",
]
