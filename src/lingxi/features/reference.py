"""The table of all features for the documentation, from the registry and the catalogue."""

from lingxi.features.feature import Feature
from lingxi.features.registry import FEATURES
from lingxi.i18n.catalogue import load_catalogue


def render_table() -> str:
    """A Markdown table: name, unit, what it says, and when it is null."""
    head = "| feature | unit | says | null when |\n|---|---|---|---|\n"
    return head + "".join(f"{_render_row(feature)}\n" for feature in FEATURES.values())


def _render_row(feature: Feature) -> str:
    words = load_catalogue("en")
    unit = words[f"feature.unit.{feature.unit}"].singular
    says = words[feature.help.code].singular
    return f"| `{feature.name}` | {unit} | {says} | {_tell_null(feature)} |"


def _tell_null(feature: Feature) -> str:
    if feature.needs:
        return " or ".join(f"`{name}`" for name in feature.needs) + " is, or the divisor is 0"
    if feature.tracks is not None:
        return f"the shop has never recorded a {feature.tracks}"
    return "never" if feature.empty is not None else "there is nothing to tell it from"
