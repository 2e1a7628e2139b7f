"""The transformer in the registry of models: parameters, first recipes, what a fit takes."""

import shutil
from dataclasses import asdict

from lingxi.recommend.deep.scorer import Transformer
from lingxi.recommend.deep.settings import Settings, read_settings
from lingxi.recommend.family import Family, Params
from lingxi.recommend.memory import of_network, reads_embeddings
from lingxi.recommend.recipe import Recipe

DEFAULTS: Params = asdict(Settings())
STARTS: tuple[Params, ...] = ({"embedding_size": 128},)
WIDEST = 512
CPU_FLOPS, GPU_FLOPS = 6e10, 1.2e12
"""What training gets out of two processors, and out of a GPU kept half idle by small steps."""


def build_transformer(recipe: Recipe, params: Params) -> Transformer:
    """The unfitted scorer of a recipe."""
    return Transformer(recipe.name, read_settings(params), taught=recipe.taught_weighting)


def widen(recipe: Recipe) -> tuple[Recipe, ...]:
    """Twice as wide, as long as that is no wider than 512."""
    size = int(recipe.params.get("embedding_size", DEFAULTS["embedding_size"]))
    if size * 2 > WIDEST:
        return ()
    return (Recipe(name=recipe.name, params={**recipe.params, "embedding_size": size * 2}),)


def estimate_cost(_n_rows: int, n_items: int, n_events: int) -> float:
    """Seconds that the first recipe's training takes: six operations a weight and event.

    Half as much again of the network's work goes into padding. Whether there is a GPU is guessed
    from its driver's command, without PyTorch, which takes seconds to import.
    """
    settings = read_settings({**DEFAULTS, **STARTS[0]})
    size = settings.embedding_size
    layers = 14 * size**2 * settings.layers * 1.5
    compared = settings.drawn(n_items) or n_items
    work = 6.0 * n_events * settings.epochs * (layers + compared * size)
    return work / (GPU_FLOPS if shutil.which("nvidia-smi") else CPU_FLOPS)


TRANSFORMER = Family(
    "transformer",
    build_transformer,
    DEFAULTS,
    STARTS,
    widen,
    timed=True,
    cost=estimate_cost,
    memory=of_network,
    reads=reads_embeddings,
    extra="deep",
    module="onnxruntime",
    learns_with="torch",
    gain=1.0,
    renewable=False,
)
