"""Rules asked of all customers at once: Ibis over lake and tail, masks over the state tables."""

from lingxi.segments.bulk.evaluate import Crowd, compile_rule, evaluate

__all__ = ["Crowd", "compile_rule", "evaluate"]
