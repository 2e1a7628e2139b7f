"""Every feature there is, by name."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from lingxi.errors import UnknownFeature, did_you_mean
from lingxi.features.behaviour import list_behaviour
from lingxi.features.feature import Feature
from lingxi.features.taste import list_taste

FEATURES: Mapping[str, Feature] = MappingProxyType(
    {feature.name: feature for feature in (*list_behaviour(), *list_taste())}
)
"""All features, in the order of the documentation."""


def get_features(names: Iterable[str] | None = None) -> tuple[Feature, ...]:
    """The features of these names, or all.

    Raises
    ------
    UnknownFeature
        If there is no feature of a name.

    Examples
    --------
    >>> get_features(["recency_day"])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    lingxi.errors.UnknownFeature: There is no feature 'recency_day' (did you mean ...
    """
    if names is None:
        return tuple(FEATURES.values())
    return tuple(_get_feature(name) for name in dict.fromkeys(names))


def _get_feature(name: str) -> Feature:
    if name in FEATURES:
        return FEATURES[name]
    near = did_you_mean(name, FEATURES)
    raise UnknownFeature(f"There is no feature {name!r}{near}. See docs/features.md.")


def add_needed(features: Iterable[Feature]) -> tuple[Feature, ...]:
    """The features with those that they are computed from.

    >>> [f.name for f in add_needed(get_features(["gap_cv"]))]
    ['gap_std_days', 'gap_mean_days', 'gap_cv']
    """
    found: dict[str, Feature] = {}
    for feature in features:
        for name in feature.needs:
            found.setdefault(name, FEATURES[name])
        found.setdefault(feature.name, feature)
    return tuple(found.values())
