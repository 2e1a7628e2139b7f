"""The log, the state tables, the lake, the artefacts: the only room that meets an engine."""

from lingxi.store.analytics import Analytics
from lingxi.store.artefacts import Artefact, Artefacts, ArtefactWriter
from lingxi.store.backup import backup
from lingxi.store.keyring import Keyring
from lingxi.store.lake import Lake, Rolled
from lingxi.store.log import Appended, Log
from lingxi.store.manifest import CandidateRecord, Manifest, MeasureRecord
from lingxi.store.progress import Progress, silent
from lingxi.store.projection import Projection
from lingxi.store.restore import restore
from lingxi.store.store import Store

__all__ = [
    "Analytics",
    "Appended",
    "Artefact",
    "ArtefactWriter",
    "Artefacts",
    "CandidateRecord",
    "Keyring",
    "Lake",
    "Log",
    "Manifest",
    "MeasureRecord",
    "Progress",
    "Projection",
    "Rolled",
    "Store",
    "backup",
    "restore",
    "silent",
]
