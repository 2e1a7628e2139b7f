"""Which kinds of source there are: those built in, and those that plug-ins bring."""

from collections.abc import Callable, Mapping
from importlib.metadata import entry_points

from lingxi.errors import InvalidSetting, did_you_mean
from lingxi.ingest.pulling.http_pages import HttpPages
from lingxi.ingest.pulling.json_folder import JsonLinesFolder
from lingxi.ingest.pulling.kafka_topic import KafkaTopic
from lingxi.ingest.pulling.source import Source

GROUP = "lingxi.sources"
"""The group of entry points under which a plug-in names what makes its source."""
Make = Callable[..., Source]
_BUILT_IN: Mapping[str, Make] = {
    "folder": JsonLinesFolder,
    "http": HttpPages,
    "kafka": KafkaTopic,
}


def make_source(kind: str, options: Mapping[str, str]) -> Source:
    """A source of a kind; its options are texts.

    Raises
    ------
    InvalidSetting
        If there is no such kind, its plug-in cannot be loaded, or it does not take these options.
    """
    make = _BUILT_IN.get(kind) or _find_plugin(kind)
    try:
        return make(**options)
    except TypeError as error:
        told = str(error).rpartition("() ")[2] or str(error)
        raise InvalidSetting(f"A source of kind {kind!r} cannot be made: {told}.") from error


def _find_plugin(kind: str) -> Make:
    found = entry_points(group=GROUP)
    for point in found:
        if point.name == kind:
            try:
                make: Make = point.load()
            except Exception as error:
                raise InvalidSetting(
                    f"The plug-in of kind {kind!r} ({point.value}) cannot be loaded: {error}."
                ) from error
            return make
    known = [*_BUILT_IN, *(point.name for point in found)]
    raise InvalidSetting(
        f"There is no source of kind {kind!r}{did_you_mean(kind, known)}. "
        f"Kinds are: {', '.join(known)}."
    )
