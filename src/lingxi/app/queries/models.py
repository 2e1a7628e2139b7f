"""What was trained when, on what, and how good it is beside its baselines."""

from datetime import datetime

from lingxi.app.model_views import CandidateView, Measure, ModelsView, ModelVersionView, Slower
from lingxi.errors import CorruptArtefact, UnknownModel
from lingxi.recommend.makeup import Makeup, load_makeup
from lingxi.store import CandidateRecord, Manifest, Store

_RECOMMENDER = "recommender"


def list_models(store: Store) -> ModelsView:
    """Every kept version of every model, newest first within each kind."""
    return ModelsView(tuple(_to_view(store, manifest) for manifest in store.artefacts.list()))


def _to_view(store: Store, manifest: Manifest) -> ModelVersionView:
    extra = manifest.extra
    chosen_at, changed = extra.get("chosen_at"), extra.get("items_changed")
    return ModelVersionView(
        kind=manifest.kind,
        version=manifest.version,
        active=manifest.active,
        created_at=manifest.created_at,
        code_version=manifest.code_version,
        data_from=manifest.data_from,
        data_to=manifest.data_to,
        cutoffs=manifest.cutoffs,
        events=manifest.events,
        chosen=manifest.chosen,
        why=manifest.why,
        candidates=tuple(_to_candidate(record) for record in manifest.candidates),
        renewals=int(extra.get("renewals") or 0),
        chosen_at=datetime.fromisoformat(str(chosen_at)) if chosen_at else None,
        items_changed=None if changed is None else int(changed),
        makeup=_find_makeup(store, manifest) if manifest.active else None,
        slower=_find_slower(manifest),
    )


def _find_slower(manifest: Manifest) -> Slower | None:
    extra = manifest.extra
    if not extra.get("slower_model"):
        return None
    return Slower(str(extra["slower_model"]), float(extra.get("slower_answer_ms") or 0))


def _find_makeup(store: Store, manifest: Manifest) -> Makeup | None:
    if manifest.kind != _RECOMMENDER:
        return None
    try:
        return load_makeup(store.artefacts.open(_RECOMMENDER, manifest.version))
    except (UnknownModel, CorruptArtefact):  # taken away for a newer one, or damaged
        return None


def _to_candidate(record: CandidateRecord) -> CandidateView:
    return CandidateView(
        name=record.name,
        chosen=record.chosen,
        baseline=record.baseline,
        measures=tuple(Measure(m.metric, m.value, m.low, m.high) for m in record.measures),
        fit_seconds=record.fit_seconds,
        answer_ms=record.answer_ms,
    )
