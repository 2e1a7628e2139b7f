"""What a scorer gets from a training: vectors, a network that runs, and its export."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from lingxi.recommend.deep.encoder import Encode
from lingxi.recommend.deep.export import export_network
from lingxi.recommend.deep.network import AtLast, Network
from lingxi.recommend.deep.sequences import Batch
from lingxi.recommend.deep.settings import Settings
from lingxi.recommend.deep.training import teach
from lingxi.recommend.histories import Histories


@dataclass(frozen=True)
class Learnt:
    """The items' vectors, shape (n_items, embedding_size), and the network."""

    vectors: NDArray[np.float32]
    encode: Encode
    export: Callable[[], bytes]


def learn(
    taught: Histories,
    worth: NDArray[np.float32],
    settings: Settings,
    tell: Callable[[int, int], None],
    checkpoint: Path | None,
) -> Learnt:
    """Teach a network; see ``training.teach``."""
    learner = teach(taught, worth, settings, tell, checkpoint).learner
    vectors = learner.vectors.weight.detach().numpy()
    size = settings.embedding_size
    return Learnt(
        vectors, run_network(learner.network), lambda: export_network(learner.network, size)
    )


def run_network(network: Network) -> Encode:
    """The network as it is served, run by PyTorch."""
    served = AtLast(network).eval()

    def encode(vectors: NDArray[np.float32], batch: Batch) -> NDArray[np.float32]:
        given = (vectors, batch.kinds, batch.ages, batch.last)
        with torch.no_grad():
            directions: torch.Tensor = served(*(torch.from_numpy(each) for each in given))
        return directions.numpy()

    return encode
