"""The loss among all items a band of events at a time, so that no table of all logits is kept."""

import torch

BAND_CELLS = {"cpu": 1_000_000, "cuda": 64_000_000}
"""Logits of a band: what a processor's cache holds, or what keeps a GPU busy."""


def lose_among_all(
    directions: torch.Tensor, vectors: torch.Tensor, targets: torch.Tensor, worth: torch.Tensor
) -> torch.Tensor:
    """Mean cross-entropy of each target's logit among those of all items, weighted by ``worth``.

    Parameters
    ----------
    directions
        Shape (n, size), divided by the temperature.
    vectors
        Of all items, shape (n_items, size); the logits are their products with the directions.
    targets, worth
        Shape (n,): the item wanted, and how much it counts.
    """
    with torch.no_grad():
        loss, to_directions, to_vectors = _find_slopes(
            directions, vectors, targets, worth / worth.sum()
        )
    plane = (directions * to_directions).sum() + (vectors * to_vectors).sum()
    return loss + (plane - plane.detach())  # the loss, with the slopes found beside it


def _find_slopes(
    directions: torch.Tensor, vectors: torch.Tensor, targets: torch.Tensor, shares: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The loss and its slopes by the directions and the vectors; ``shares`` are 1 together."""
    band = max(1, BAND_CELLS[directions.device.type] // vectors.shape[0])
    losses, to_directions, to_vectors = [], [], torch.zeros_like(vectors)
    for start in range(0, directions.shape[0], band):
        part = slice(start, start + band)
        asking, wanted, share = directions[part], targets[part, None], shares[part, None]
        odds = asking @ vectors.T
        top, right = odds.amax(dim=1, keepdim=True), odds.gather(1, wanted)
        odds.sub_(top).exp_()
        sums = odds.sum(dim=1, keepdim=True)
        losses.append(share * (torch.log(sums) + top - right))
        odds.mul_(share / sums).scatter_add_(1, wanted, share * -1.0)
        to_directions.append(odds @ vectors)
        to_vectors.addmm_(odds.T, asking)
    return torch.cat(losses).sum(), torch.cat(to_directions), to_vectors
