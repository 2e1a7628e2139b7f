from collections.abc import Sequence

class _Message:
    def ClearField(self, name: str) -> None: ...  # noqa: N802

class _Graph(_Message):
    node: Sequence[_Message]
    initializer: Sequence[_Message]
    value_info: Sequence[_Message]
    input: Sequence[_Message]
    output: Sequence[_Message]

class ModelProto(_Message):
    graph: _Graph
    def SerializeToString(self, deterministic: bool = False) -> bytes: ...  # noqa: N802
