"""Teaching the network: AdamW, warm-up and cosine, an end when held-out customers stop gaining."""

import hashlib
import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from lingxi.errors import NotEnoughData
from lingxi.recommend.deep.checkpoint import Checkpoint
from lingxi.recommend.deep.network import Learner
from lingxi.recommend.deep.sequences import (
    Batch,
    Whole,
    cut_windows,
    group_rows,
    group_windows,
    newest_windows,
    pad,
)
from lingxi.recommend.deep.settings import Settings
from lingxi.recommend.deep.softmax import lose_among_all
from lingxi.recommend.histories import Histories

WARM_UP = 0.05
CLIP = 1.0
BETAS = (0.9, 0.98)
MOST_THREADS = 8
HELD_OUT_SHARE, MOST_HELD_OUT = 0.05, 1000
SHORTEST_HELD_OUT = 3
AT = 10
STEPS_AN_EPOCH, SMALLEST_BATCH = 64, 64
_CELLS = 8_000_000
_SQUARES = 1_000_000


@dataclass(frozen=True)
class Epoch:
    """One pass: the mean loss while learning, NDCG@10 of the held-out, seconds."""

    loss: float
    ndcg: float
    seconds: float


@dataclass(frozen=True)
class Taught:
    """The best learner of a training, on the processor and ready to serve, and how it got there."""

    learner: Learner
    epochs: tuple[Epoch, ...]
    best: int
    device: str


@dataclass(frozen=True)
class _Held:
    """Customers whose last event is hidden: their histories before it, and its item."""

    histories: Histories
    items: Whole


def count_processors() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def choose_device(settings: Settings) -> str:
    """``cuda`` or ``cpu``, as the settings and the machine say."""
    if settings.device != "auto":
        return settings.device
    return "cuda" if torch.cuda.is_available() else "cpu"


def teach(
    taught: Histories,
    worth: NDArray[np.float32],
    settings: Settings,
    tell: Callable[[int, int], None] = lambda _done, _planned: None,
    checkpoint: Path | None = None,
) -> Taught:
    """A network that knows what came next in these histories.

    The last event of one customer in twenty (at most 1,000) is kept aside to see when to stop.

    Parameters
    ----------
    taught
        In order of time.
    worth
        Shape (n_events,): how much each event counts as something to foresee; 0 for not at all.
    tell
        Called with the epochs done and planned.
    checkpoint
        A file that is written after each epoch and removed at the end; where it exists, the
        training goes on from it; on a processor to the same result as if it had not been stopped.

    Raises
    ------
    NotEnoughData
        If no customer has two events, the second worth something.
    InvalidInput
        If the checkpoint is of another training.
    """
    device = choose_device(settings)
    rng = np.random.default_rng(settings.seed)
    stays, held = _hold_out(taught, rng)
    learnt = taught.keep(stays)
    windows = _with_targets(cut_windows(learnt, settings.length), worth[stays])
    if not len(windows):
        raise NotEnoughData("A sequence model needs customers with at least two events each.")
    with _quiet_torch(settings):
        run = _Run(learnt, worth[stays], windows, settings, device, rng)
        if checkpoint is not None:
            run.resume(Checkpoint(checkpoint, settings, _hash(taught, worth)))
        return run.teach(held, tell)


class _Run:
    """One training."""

    def __init__(
        self,
        learnt: Histories,
        worth: NDArray[np.float32],
        windows: Whole,
        settings: Settings,
        device: str,
        rng: np.random.Generator,
    ) -> None:
        self.learnt, self.worth, self.windows = learnt, worth, windows
        self.settings, self.device, self.rng = settings, device, rng
        self.learner = Learner(learnt.n_items, settings).to(device)
        self.optimiser = _make_optimiser(self.learner, settings)
        self.lengths = np.diff(windows, axis=1)[:, 0] - 1
        few = max(int(self.lengths.sum()) // STEPS_AN_EPOCH, SMALLEST_BATCH)
        self.batch_events = min(settings.batch_events, few)
        self.planned, self.done = settings.epochs, 0.0
        self.epochs: list[Epoch] = []
        self.best, self.state = 0, self._copy()
        self.checkpoint: Checkpoint | None = None
        counts = np.bincount(learnt.items, minlength=learnt.n_items)
        self.draw = torch.tensor(np.sqrt(counts / counts.sum()), dtype=torch.float32)
        self.draw = (self.draw / self.draw.sum()).to(device)

    def teach(self, held: _Held, tell: Callable[[int, int], None]) -> Taught:
        """Epochs until all are done or the held-out gain no more; then the best of them."""
        started = time.monotonic() - sum(epoch.seconds for epoch in self.epochs)
        while len(self.epochs) < self.planned and not self._stands_still():
            self.epochs.append(self._run_epoch(held))
            tell(len(self.epochs), self.planned)
            if len(self.epochs) == 1 or self.epochs[-1].ndcg > self.epochs[self.best].ndcg:
                self.best, self.state = len(self.epochs) - 1, self._copy()
            self._plan(time.monotonic() - started, len(self.epochs))
            self._write()
        self.learner.load_state_dict(self.state)
        if self.checkpoint is not None:
            self.checkpoint.remove()
        return Taught(self.learner.to("cpu").eval(), tuple(self.epochs), self.best, self.device)

    def _stands_still(self) -> bool:
        since = len(self.epochs) - 1 - self.best
        return since >= self.settings.patience > 0

    def resume(self, checkpoint: Checkpoint) -> None:
        """Go on from the checkpoint, if there is something in it, and keep it from now on."""
        self.checkpoint = checkpoint
        found = checkpoint.read()
        if found is None:
            return
        states, numbers = found
        self.learner.load_state_dict(states["learner"])
        self.state = {name: value.to(self.device) for name, value in states["best"].items()}
        self.optimiser.load_state_dict(_unpack(self.optimiser.state_dict(), states["optimiser"]))
        torch.set_rng_state(states["random"]["torch"])
        self.rng.bit_generator.state = numbers["random"]
        self.epochs = [Epoch(*each) for each in numbers["epochs"]]
        self.best, self.planned, self.done = (numbers[k] for k in ("best", "planned", "done"))

    def _write(self) -> None:
        if self.checkpoint is None:
            return
        states = {
            "learner": self._copy(),
            "best": self.state,
            "optimiser": _pack(self.optimiser.state_dict()),
            "random": {"torch": torch.get_rng_state()},
        }
        numbers = {
            "random": self.rng.bit_generator.state,
            "epochs": [astuple(epoch) for epoch in self.epochs],
            "best": self.best,
            "planned": self.planned,
            "done": self.done,
        }
        self.checkpoint.write(states, numbers)

    def _plan(self, elapsed: float, done: int) -> None:
        """Fewer epochs where the time would not do, so that the rate still falls to its end."""
        if self.settings.seconds > 0:
            affordable = int(self.settings.seconds / elapsed * done)
            self.planned = max(done, min(self.planned, affordable))

    def _run_epoch(self, held: _Held) -> Epoch:
        start, total, count = time.monotonic(), 0.0, 0
        self.learner.train()
        groups = group_windows(self.lengths, self.batch_events, self.rng)
        for group in groups:
            loss = self._step(pad(self.learnt, self.windows[group], self.worth))
            if count % 16 == 0:  # asking a GPU for each would make it wait
                total += float(loss)
            count += 1
            self.done += 1 / len(groups)
        ndcg = _measure(self.learner, held, self.settings, self.device)
        return Epoch(total / -(-count // 16), ndcg, time.monotonic() - start)

    def _step(self, batch: Batch) -> torch.Tensor:
        for group in self.optimiser.param_groups:
            group["lr"] = self.settings.learning_rate * self._rate()
        targets, worth = self._to(batch.targets), self._to(batch.worth)
        directions = self.learner(
            self._to(batch.items), self._to(batch.kinds), self._to(batch.ages)
        )
        wanted = targets >= 0
        loss = self._lose(directions[wanted], targets[wanted], worth[wanted])
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.learner.parameters(), CLIP)
        self.optimiser.step()
        return loss.detach()

    def _rate(self) -> float:
        """A share of the peak rate: up over the warm-up, then half a cosine down to 0."""
        share = min(self.done / self.planned, 1.0)
        return min((share + 1e-3) / WARM_UP, 1.0) * 0.5 * (1 + math.cos(math.pi * share))

    def _lose(
        self, directions: torch.Tensor, targets: torch.Tensor, worth: torch.Tensor
    ) -> torch.Tensor:
        """Mean cross-entropy of each target among all items, or among drawn ones.

        A drawn item stands for ``1 / (K q)`` items, q being its chance at each of K draws: that is
        taken off its logit, so the sum of the softmax estimates the full one.

        Source
        ------
        Bengio & Senécal (2008), IEEE TNN 19(4); as a correction of logits: Yi et al. (2019),
        RecSys.
        """
        vectors, heat = self.learner.vectors.weight, self.settings.temperature
        drawn = self.settings.drawn(self.learnt.n_items)
        if not drawn:
            units = functional.normalize(vectors, dim=-1)
            return lose_among_all(directions / heat, units, targets, worth)
        others = torch.multinomial(self.draw, drawn, replacement=True)
        near = functional.normalize(vectors[targets], dim=-1)
        far = functional.normalize(vectors[others], dim=-1)
        right = (directions * near).sum(-1, keepdim=True) / heat
        wrong = directions @ far.T / heat - torch.log(self.draw[others] * drawn)
        wrong = wrong.masked_fill(others[None, :] == targets[:, None], float("-inf"))
        logits = torch.cat((right, wrong), dim=1)
        losses = functional.cross_entropy(logits, torch.zeros_like(targets), reduction="none")
        return (losses * worth).sum() / worth.sum()

    def _to(self, values: NDArray[np.generic]) -> torch.Tensor:
        return torch.from_numpy(values).to(self.device)

    def _copy(self) -> dict[str, torch.Tensor]:
        return {name: value.detach().clone() for name, value in self.learner.state_dict().items()}


def _with_targets(windows: Whole, worth: NDArray[np.float32]) -> Whole:
    """The windows in which something is to be foreseen."""
    passed = np.concatenate(([0], np.cumsum(worth > 0)))
    kept: Whole = windows[passed[windows[:, 1]] > passed[windows[:, 0] + 1]]
    return kept


def _hash(taught: Histories, worth: NDArray[np.float32]) -> str:
    digest = hashlib.sha256()
    for each in (taught.indptr, taught.items, taught.moments, taught.kinds, worth):
        digest.update(np.ascontiguousarray(each).tobytes())
    return digest.hexdigest()


def _pack(state: dict[str, Any]) -> dict[str, torch.Tensor]:
    """The optimiser's numbers by place and name."""
    return {f"{at}/{k}": v for at, held in state["state"].items() for k, v in held.items()}


def _unpack(state: dict[str, Any], packed: dict[str, torch.Tensor]) -> dict[str, Any]:
    held: dict[int, dict[str, torch.Tensor]] = {}
    for name, value in packed.items():
        at, _, key = name.partition("/")
        held.setdefault(int(at), {})[key] = value
    return {**state, "state": held}


def _make_optimiser(learner: Learner, settings: Settings) -> torch.optim.AdamW:
    """Weights fade, single numbers (biases, norms) do not."""
    wide = [p for p in learner.parameters() if p.ndim > 1]
    thin = [p for p in learner.parameters() if p.ndim <= 1]
    groups = [
        {"params": wide, "weight_decay": settings.reg},
        {"params": thin, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=settings.learning_rate, betas=BETAS)


def _hold_out(taught: Histories, rng: np.random.Generator) -> tuple[NDArray[np.bool_], _Held]:
    """Which events are learnt from, and the customers whose last event is not."""
    able = np.flatnonzero(taught.lengths >= SHORTEST_HELD_OUT)
    count = min(MOST_HELD_OUT, math.ceil(len(able) * HELD_OUT_SHARE))
    rows = np.sort(rng.choice(able, count, replace=False))
    last = taught.indptr[rows + 1] - 1
    stays = np.ones(len(taught.items), dtype=np.bool_)
    stays[last] = False
    return stays, _Held(taught.keep(stays).take(rows), taught.items[last])


def _measure(learner: Learner, held: _Held, settings: Settings, device: str) -> float:
    """Mean NDCG@10 of the hidden items among all that are not in the history; 0 without any."""
    if not len(held.items):
        return 0.0
    learner.eval()
    found = np.zeros(len(held.items))
    windows = newest_windows(held.histories, settings.length)
    step = max(1, _CELLS // held.histories.n_items)
    seen = held.histories.seen()
    with torch.no_grad():
        items = functional.normalize(learner.vectors.weight, dim=-1).T
        for rows in group_rows(np.diff(windows, axis=1)[:, 0], _SQUARES):
            for part in np.split(rows, np.arange(step, len(rows), step)):
                batch = pad(held.histories, windows[part])
                parts = (batch.items, batch.kinds, batch.ages, batch.last)
                sent = [torch.from_numpy(values).to(device) for values in parts]
                scores = (learner(*sent)[:, 0] @ items).cpu().numpy()
                own = seen[part]
                scores[np.repeat(np.arange(len(part)), np.diff(own.indptr)), own.indices] = -2.0
                targets = scores[np.arange(len(part)), held.items[part]][:, None]
                places = (scores > targets).sum(axis=1)
                found[part] = np.where(places < AT, 1 / np.log2(places + 2), 0.0)
    return float(found.mean())


@contextmanager
def _quiet_torch(settings: Settings) -> Iterator[None]:
    """The seed and the threads of this training, without touching those of the process."""
    before = torch.get_num_threads()
    wanted = settings.threads or min(count_processors(), MOST_THREADS)
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(settings.seed)
        torch.set_num_threads(wanted)
        try:
            yield
        finally:
            torch.set_num_threads(before)
