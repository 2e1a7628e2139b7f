"""What the sequence transformer is made of and how it is taught."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from lingxi.errors import InvalidInput

EVERY_ITEM_UP_TO = 20_000
"""Catalogues up to this size are compared whole in each step; from larger ones items are drawn."""
DRAWN = 2048
DEVICES = ("auto", "cpu", "cuda")


@dataclass(frozen=True)
class Settings:
    """Hyper-parameters; the defaults were chosen on an inner split, see docs/recommend-deep.md.

    Parameters
    ----------
    embedding_size, layers, heads
        Width, depth and attention heads; the width is a multiple of the heads.
    length
        Events of a history that are looked at, the newest ones.
    epochs
        Passes over the data at most; training ends earlier once the held-out customers stop
        gaining.
    dropout, attention_dropout
        Shares of numbers put to 0 while learning: of embeddings and layers, of attention weights.
    reg
        Decoupled weight decay of AdamW.
    learning_rate
        Its peak, after the warm-up.
    temperature
        Scores are cosines divided by this before the softmax.
    negatives
        Items that each step compares the bought one with: 0 means all of them, in catalogues of up
        to 20,000 items, and 2,048 drawn ones in larger.
    batch_events
        Events in one step at most; fewer where an epoch would have less than 64 steps.
    patience
        Epochs without gain before training ends.
    seed
        Of all that is random.
    seconds
        Training plans its epochs so that it ends within this time; 0 for no limit.
    threads
        Processor threads at most; 0 for as many as the process may use, up to 8.
    device
        ``auto`` takes a GPU where there is one.
    """

    embedding_size: int = 256
    layers: int = 1
    heads: int = 4
    length: int = 50
    epochs: int = 24
    dropout: float = 0.5
    attention_dropout: float = 0.5
    reg: float = 1.0
    learning_rate: float = 0.0015
    temperature: float = 0.05
    negatives: int = 0
    batch_events: int = 2048
    patience: int = 8
    seed: int = 0
    seconds: float = 0.0
    threads: int = 0
    device: str = "auto"

    def __post_init__(self) -> None:
        for name in ("embedding_size", "layers", "heads", "length", "epochs", "batch_events"):
            self._need(name, getattr(self, name) >= 1, "at least 1")
        for name in ("reg", "negatives", "patience", "seed", "seconds", "threads"):
            self._need(name, getattr(self, name) >= 0, "at least 0")
        for name in ("dropout", "attention_dropout"):
            self._need(name, 0 <= getattr(self, name) < 1, "at least 0 and below 1")
        for name in ("learning_rate", "temperature"):
            self._need(name, getattr(self, name) > 0, "above 0")
        self._need("device", self.device in DEVICES, f"one of {', '.join(DEVICES)}")
        whole = self.embedding_size % self.heads == 0
        self._need("embedding_size", whole, f"a multiple of heads ({self.heads})")

    def _need(self, name: str, fits: bool, what: str) -> None:
        if not fits:
            value = getattr(self, name)
            raise InvalidInput(f"{name} of the transformer must be {what}, but is {value!r}.")

    def drawn(self, n_items: int) -> int:
        """Items drawn for each step to compare with, 0 for all.

        Examples
        --------
        >>> Settings().drawn(12_000), Settings().drawn(100_000), Settings(negatives=64).drawn(50)
        (0, 2048, 0)
        """
        if self.negatives:
            return self.negatives if self.negatives < n_items else 0
        return 0 if n_items <= EVERY_ITEM_UP_TO else DRAWN


def read_settings(params: Mapping[str, float | int | str]) -> Settings:
    """Settings from a recipe's parameters; those that are no setting are left aside."""
    usual = Settings()
    chosen = {
        field.name: type(getattr(usual, field.name))(params[field.name])
        for field in fields(Settings)
        if field.name in params
    }
    return replace(usual, **chosen)
