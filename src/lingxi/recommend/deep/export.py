"""The taught network as ONNX: what serves it needs neither PyTorch nor this code."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import onnx
import torch

from lingxi.recommend.deep.encoder import INPUTS, OUTPUT
from lingxi.recommend.deep.network import AtLast, Network
from lingxi.recommend.deep.sequences import N_KINDS

OPSET = 20


def export_network(network: Network, embedding_size: int) -> bytes:
    """The network with free numbers of histories and events, as ONNX of opset 20."""
    n, length = torch.export.Dim("n", min=1), torch.export.Dim("length", min=1)
    example = (
        torch.zeros(3, 5, embedding_size),
        torch.full((3, 5), N_KINDS - 1),
        torch.zeros(3, 5, 5, dtype=torch.int64),
        torch.tensor([4, 2, 0]),
    )
    shapes = ({0: n, 1: length}, {0: n, 1: length}, {0: n, 1: length, 2: length}, {0: n})
    with warnings.catch_warnings(), _quiet():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            AtLast(network).eval(),
            example,
            dynamo=True,
            verbose=False,
            opset_version=OPSET,
            input_names=list(INPUTS),
            output_names=[OUTPUT],
            dynamic_shapes=shapes,
        )
    return _strip(program.model_proto)


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporter warns of each package of operators that is not there, and none is needed."""
    talker = logging.getLogger("torch.onnx")
    before = talker.level
    talker.setLevel(logging.ERROR)
    try:
        yield
    finally:
        talker.setLevel(before)


def _strip(model: onnx.ModelProto) -> bytes:
    """Without where the exporter found each step in whose source, which is nobody's business."""
    model.ClearField("metadata_props")
    graph = model.graph
    graph.ClearField("metadata_props")
    for part in (graph.node, graph.initializer, graph.value_info, graph.input, graph.output):
        for each in part:
            each.ClearField("metadata_props")
            each.ClearField("doc_string")
    return model.SerializeToString(deterministic=True)
