"""Doctests of what learns with PyTorch are collected only where it is installed."""

from importlib.util import find_spec

_TORCH = ("checkpoint", "export", "learning", "network", "softmax", "training")
collect_ignore = (
    [] if find_spec("torch") else [f"src/lingxi/recommend/deep/{module}.py" for module in _TORCH]
)
