"""What a fit takes of memory, reckoned before it is begun; and what this process holds.

The formulas are upper bounds of what was measured on two published data sets; they count the
arrays that grow with the data, in bytes.
"""

import resource
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

GB = 1e9
MOST_DENSE = 13_000
"""Items that EASE inverts at once: 0.7 GB; the seconds grow with the cube, half a minute for 12,000
on two cores. Below it, memory and time decide."""
GRAPH_CELLS, GRAPH_LISTED = 40_000_000, 200
"""Cells of the item-item graph that a stored ``graph`` of very many items keeps at most, but so
many of each item."""
KEPT = 0.5
"""What a fitted model keeps of the memory that its fit took, at most about."""
_NUMBER = 4
"""Bytes of a number in single precision."""
_CELL = 8
"""A stored cell of an operator: a number and its column, four bytes each."""
_WEIGHED = 50
"""What an event takes while histories are weighed and turned round."""
_BLOCK = 200e6
"""One block of a sparse product, at most (``matrix.BLOCK_PRODUCTS``)."""
_BAND = 500e6
"""A band of the Gram matrix, at most (``systems.PRODUCTS``)."""
_ASKING = 250e6
"""Scores of a block of customers, whatever the model."""
_STATM = Path("/proc/self/statm")
_PAGE = resource.getpagesize()


@dataclass(frozen=True)
class Size:
    """How much there is to learn from."""

    rows: int
    items: int
    events: int

    @property
    def pairs(self) -> float:
        """Pairs of items that meet in a history, about; histories differ in length."""
        return 3.0 * self.events * self.events / max(self.rows, 1)


Params = Mapping[str, float | int | str]
Memory = Callable[[Params, Size], float]


def reads_rows(_params: Params, _size: Size) -> float:
    """An answer reads the rows of its history and no table of all items."""
    return 0.0


def reads_factors(params: Params, size: Size) -> float:
    """An answer reads the factors of all items."""
    return float(_NUMBER * int(params["factors"]) * size.items)


def reads_pairs(params: Params, size: Size) -> float:
    """An answer reads two tables of numbers of all items."""
    return float(2 * _NUMBER * int(params["size"]) * size.items)


def reads_embeddings(params: Params, size: Size) -> float:
    """An answer reads what a network multiplies its last state with."""
    return float(_NUMBER * int(params["embedding_size"]) * size.items)


def of_operator(params: Params, size: Size) -> float:
    """An operator of the nearest items, its transpose, and the blocks that it is made from."""
    nearest = min(int(params.get("k", size.items)), int(params.get("length", size.items)))
    cells = size.items * min(nearest, size.items)
    return 5 * _CELL * min(cells, size.pairs) + _products(size) + _WEIGHED * size.events


def of_whole_operator(params: Params, size: Size) -> float:
    """An operator whose lists are full, and factors of customers and items."""
    cells = size.items * min(int(params.get("length", 200)), size.items)
    return 3 * _CELL * cells + of_factors({"factors": params.get("rank", 256)}, size) + _BLOCK


def of_graph(params: Params, size: Size) -> float:
    """Factors of customers and items, several times while they are made orthogonal and joined."""
    factors = 4.0 * int(params.get("rank", 448)) * (8 * size.items + size.rows)
    return factors + 80.0 * size.events + 50e6


def of_counts(params: Params, size: Size) -> float:
    """Different pairs of events within a window, and the lists that are kept of them."""
    reach = min(int(params.get("window", 20)), 1.5 * size.events / max(size.rows, 1))
    pairs = min(size.events * max(reach, 1.0), 0.5 * float(size.items) ** 2)
    cells = size.items * min(int(params.get("length", 400)), size.items)
    return 24 * pairs + 3 * _CELL * min(cells, pairs) + 50e6


def of_rows(_params: Params, size: Size) -> float:
    """The rows of all customers."""
    return 80.0 * size.events + 20e6


def of_factors(params: Params, size: Size) -> float:
    """Factors of customers and items with what solving them takes."""
    factors = int(params.get("factors", 64))
    return 12.0 * (size.rows + size.items) * factors + 60.0 * size.events + 50e6


def of_tables(params: Params, size: Size) -> float:
    """Numbers of items with what learning them takes, and the weighted past of each event."""
    width = int(params.get("size", 128))
    return 60.0 * size.items * width + 400.0 * size.events + 100e6


def of_inverse(params: Params, size: Size) -> float:
    """One square matrix of items, which is inverted in its place, and the lists kept of it."""
    items = min(size.items, MOST_DENSE)
    cells = items * min(int(params.get("length", 1000)), items)
    return 4.0 * items**2 + 5 * _CELL * cells + _BLOCK + _WEIGHED * size.events


def of_systems(params: Params, size: Size) -> float:
    """A small system for each item, a band of the Gram matrix, and an operator made from it."""
    k = min(int(params.get("k", 50)), size.items)
    systems = 2.0 * size.items * k * (k + 1) + 20.0 * size.items * k
    return systems + min(_BAND, 24.0 * size.pairs) + of_operator({"k": k}, size)


def of_network(params: Params, size: Size) -> float:
    """PyTorch itself, and a network's weights with what its optimiser keeps."""
    width = int(params.get("embedding_size", 128))
    return 1.2e9 + 24.0 * size.items * width + 100.0 * size.events


def _products(size: Size) -> float:
    return min(_BLOCK, 24.0 * size.pairs)


def estimate(memory: Memory, params: Params, size: Size) -> float:
    """Bytes that fitting a model and asking it take on top of what is held already."""
    return memory(params, size) + _ASKING


def together(needed: Sequence[float]) -> float:
    """Bytes that several models take that are fitted one after the other, from what each takes.

    The dearest while it is fitted, and of the others what they keep.

    >>> together([3e9, 1e9, 1e9]) / 1e9
    4.0
    """
    return (1.0 - KEPT) * max(needed, default=0.0) + KEPT * sum(needed)


def held_bytes() -> float:
    """Bytes that this process holds now, without files mapped into it.

    Where the system does not say, the most that it ever held.
    """
    try:
        resident, shared = _STATM.read_text(encoding="ascii").split()[1:3]
        return float(int(resident) - int(shared)) * _PAGE
    except (OSError, IndexError, ValueError):
        return peak_memory_mb() * 1024**2


def peak_memory_mb() -> float:
    """The most memory this process has held, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1024**2 if sys.platform == "darwin" else peak / 1024
