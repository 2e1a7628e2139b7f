"""The network: gated pre-norm attention over events, their order and the time between them."""

import torch
from torch import nn
from torch.nn import functional

from lingxi.recommend.deep.sequences import N_AGES, N_KINDS
from lingxi.recommend.deep.settings import Settings


class Layer(nn.Module):
    """Causal self-attention and a two-layer perceptron, each gated and added to its input.

    An attention weight depends on both events, on how many lie between them and on how much time,
    by learnt numbers per head, so that what counts is distance and not the place in the window.

    Source
    ------
    Kang & McAuley (2018), ICDM (SASRec); gates: Borisyuk et al. (2025), LiGR; distances in place
    and time: Zhai et al. (2024), ICML (HSTU).
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        size = settings.embedding_size
        self.heads, self.width = settings.heads, size // settings.heads
        self.before_attention, self.before_perceptron = nn.LayerNorm(size), nn.LayerNorm(size)
        self.mixing, self.joining = nn.Linear(size, 3 * size), nn.Linear(size, size)
        self.widening, self.narrowing = nn.Linear(size, 4 * size), nn.Linear(4 * size, size)
        self.attention_gate, self.perceptron_gate = nn.Linear(size, size), nn.Linear(size, size)
        self.steps = nn.Parameter(torch.zeros(settings.heads, settings.length))
        self.ages = nn.Parameter(torch.zeros(N_AGES, settings.heads))
        self.dropout, self.attention_dropout = settings.dropout, settings.attention_dropout

    def forward(
        self, events: torch.Tensor, ages: torch.Tensor, last: torch.Tensor | None = None
    ) -> torch.Tensor:
        """The layer's output, shape (n, length, size); ``ages``: shape (n, length, length).

        With ``last``, shape (n,), only at those places, shape (n, 1, size).
        """
        normed = self.before_attention(events)
        places = torch.arange(events.shape[1], device=events.device)
        if last is None:
            given = self._attend(normed, normed, ages, places[None, :, None] - places)
        else:
            events, asking, ages = (_take(each, last) for each in (events, normed, ages))
            given = self._attend(asking, normed, ages, last[:, None, None] - places)
        given = self.joining(given) * torch.sigmoid(self.attention_gate(events))
        events = events + functional.dropout(given, self.dropout, self.training)
        wide = functional.gelu(self.widening(self.before_perceptron(events)))
        given = self.narrowing(functional.dropout(wide, self.dropout, self.training))
        given = given * torch.sigmoid(self.perceptron_gate(events))
        return events + functional.dropout(given, self.dropout, self.training)

    def _attend(
        self, asking: torch.Tensor, asked: torch.Tensor, ages: torch.Tensor, steps: torch.Tensor
    ) -> torch.Tensor:
        """``steps``: events from the asked one to the asking one, below 0 where it is later."""
        n, size = asked.shape[0], asked.shape[2]
        weight, bias = self.mixing.weight, self.mixing.bias
        query = functional.linear(asking, weight[:size], bias[:size])
        both = functional.linear(asked, weight[size:], bias[size:])
        query = query.reshape(n, -1, self.heads, self.width).transpose(1, 2)
        both = both.reshape(n, -1, 2, self.heads, self.width).permute(2, 0, 3, 1, 4)
        classes = torch.arange(N_AGES, device=ages.device)
        apart = (ages[..., None] == classes).to(asked.dtype) @ self.ages  # a lookup, as a product
        near = self.steps[:, steps.clamp(min=0)].transpose(0, 1)
        weights = query @ both[0].transpose(2, 3) / self.width**0.5
        weights = weights + near + apart.permute(0, 3, 1, 2)
        weights = weights.masked_fill((steps < 0)[:, None], float("-inf")).softmax(-1)
        weights = functional.dropout(weights, self.attention_dropout, self.training)
        return (weights @ both[1]).transpose(1, 2).reshape(n, -1, size)


def _take(values: torch.Tensor, last: torch.Tensor) -> torch.Tensor:
    """One row of each matrix, shape (n, 1, width)."""
    return values.gather(1, last[:, None, None].expand(-1, 1, values.shape[2]))


class Network(nn.Module):
    """From events to what may come next: a direction to compare with each item's.

    The items' vectors stand beside it (``Learner``), so that what is exported does not depend on
    the catalogue.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.kinds = nn.Parameter(torch.zeros(N_KINDS, settings.embedding_size))
        self.layers = nn.ModuleList(Layer(settings) for _ in range(settings.layers))
        self.after = nn.LayerNorm(settings.embedding_size)
        self.dropout = settings.dropout

    def forward(
        self,
        vectors: torch.Tensor,
        kinds: torch.Tensor,
        ages: torch.Tensor,
        last: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Directions of length 1 after each event, shape (n, length, size).

        With ``last``, shape (n,), only after those, shape (n, 1, size): the last layer then works
        for one event alone.
        """
        events = functional.dropout(vectors + self.kinds[kinds], self.dropout, self.training)
        for at, layer in enumerate(self.layers, 1):
            events = layer(events, ages, last if at == len(self.layers) else None)
        return functional.normalize(self.after(events), dim=-1)


class AtLast(nn.Module):
    """The network as it is served: the direction after each sequence's last event."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(
        self, vectors: torch.Tensor, kinds: torch.Tensor, ages: torch.Tensor, last: torch.Tensor
    ) -> torch.Tensor:
        """Shape (n, size)."""
        directions: torch.Tensor = self.network(vectors, kinds, ages, last)
        return directions[:, 0]


class Learner(nn.Module):
    """The network and the vectors of all items, which stand at both of its ends."""

    def __init__(self, n_items: int, settings: Settings) -> None:
        super().__init__()
        self.vectors = nn.Embedding(n_items, settings.embedding_size)
        nn.init.normal_(self.vectors.weight, std=settings.embedding_size**-0.5)
        self.network = Network(settings)

    def forward(
        self,
        items: torch.Tensor,
        kinds: torch.Tensor,
        ages: torch.Tensor,
        last: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Directions after each event, or after the ``last`` ones; see ``Network``."""
        directions: torch.Tensor = self.network(self.vectors(items), kinds, ages, last)
        return directions
