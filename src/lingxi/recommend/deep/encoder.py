"""Running the exported network with onnxruntime: no PyTorch, one thread, the bytes and no files."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lingxi.errors import CorruptArtefact, MissingExtra
from lingxi.recommend.deep.sequences import Batch

INPUTS = ("vectors", "kinds", "ages", "last")
OUTPUT = "direction"

Encode = Callable[[NDArray[np.float32], Batch], NDArray[np.float32]]
"""From the vectors of a batch's items, shape (n, length, size), to its directions, (n, size)."""


def open_encoder(network: bytes) -> Encode:
    """What ``export.export_network`` made, ready to run.

    Raises
    ------
    MissingExtra
        If onnxruntime is not installed.
    CorruptArtefact
        If the bytes are no such network.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingExtra(
            "This model is served with onnxruntime: pip install 'lingxi[onnx]'."
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its own classes share no base but this
        raise CorruptArtefact(f"A stored network cannot be read: {error}") from error
    if tuple(given.name for given in session.get_inputs()) != INPUTS:
        raise CorruptArtefact("A stored network takes other inputs than a sequence transformer.")

    def encode(vectors: NDArray[np.float32], batch: Batch) -> NDArray[np.float32]:
        given: dict[str, NDArray[np.generic]] = {
            "vectors": vectors,
            "kinds": batch.kinds,
            "ages": batch.ages,
            "last": batch.last,
        }
        directions: NDArray[np.float32] = session.run([OUTPUT], given)[0]
        return directions

    return encode
