from collections.abc import Sequence

from onnx import ModelProto
from torch import Tensor, nn
from torch.export import Dim

class ONNXProgram:
    model_proto: ModelProto

def export(
    model: nn.Module,
    args: tuple[Tensor, ...],
    *,
    dynamo: bool,
    verbose: bool,
    opset_version: int,
    input_names: Sequence[str],
    output_names: Sequence[str],
    dynamic_shapes: Sequence[dict[int, Dim]],
) -> ONNXProgram: ...
