"""What is known of a model before it is fitted; ``families`` holds them all."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec

from lingxi.learning.boosting import is_available
from lingxi.recommend.memory import Memory, of_operator, reads_rows
from lingxi.recommend.recipe import COMMON, Param, Recipe
from lingxi.recommend.scorer import Scorer

Params = Mapping[str, Param]


def _nowhere(_recipe: Recipe) -> tuple[Recipe, ...]:
    return ()


@dataclass(frozen=True)
class Family:
    """What is known of one model before it is fitted.

    Parameters
    ----------
    name
        As in recipes, manifests and on pages.
    build
        The unfitted scorer of a recipe, given all its parameters (``defaults`` filled in).
    defaults
        Every parameter it has beside the common ones, with its value and so its type.
    starts
        Parameters that ``auto`` tries first.
    around
        Recipes near one, to try next.
    timed
        Needs to know the order of events.
    visitors
        Serves a history of nobody and says what is similar to an item: an item-item operator.
    gain
        How good its first recipe usually is, 1 for the best of all, by published comparisons:
        ``auto`` tries what gains most for a second first.
    repeats
        Recommends only what was met before: of no use where that is excluded.
    dense
        Takes at most ``memory.MOST_DENSE`` items, which must hold nearly all that was met.
    cost
        Seconds that a fit takes, about, for (n_rows, n_items, n_events).
    effort
        How many times as long a trial with some parameters takes as one with the defaults, about.
    asks
        How many times as long as others it takes on the bench beside its fit: scores of factors,
        or weights of terms that are tuned there.
    meets
        Asking it compares a customer with all who met one of the same items.
    memory
        Bytes that a fit with some parameters takes, at most about; see ``memory``.
    reads
        Bytes that each answer reads of tables as long as the catalogue; see ``memory``.
    extra
        The optional dependency it needs, as ``pip install lingxi[extra]`` names it.
    module
        What must be importable to load it and to score.
    learns_with
        What must be importable to fit it, where that is more.
    boosts
        Needs LightGBM, which needs the system's OpenMP.
    composed
        Made of other models; ``auto`` makes it from the best.
    described
        Needs to know what the catalogue says of the items.
    grouped
        Needs to know the items' categories.
    renewable
        Fitted in seconds, so that new events are put in between two choices.
    """

    name: str
    build: Callable[[Recipe, Params], Scorer]
    defaults: Params = field(default_factory=dict)
    starts: Sequence[Params] = ({},)
    around: Callable[[Recipe], Iterable[Recipe]] = _nowhere
    timed: bool = False
    visitors: bool = False
    gain: float = 0.8
    repeats: bool = False
    dense: bool = False
    cost: Callable[[int, int, int], float] = lambda _rows, _items, events: 1e-6 * events
    effort: Callable[[Params], float] = lambda _params: 1.0
    asks: float = 1.0
    meets: bool = False
    memory: Memory = of_operator
    reads: Memory = reads_rows
    extra: str | None = None
    module: str | None = None
    learns_with: str | None = None
    boosts: bool = False
    composed: bool = False
    described: bool = False
    grouped: bool = False
    renewable: bool = True

    @property
    def served(self) -> bool:
        """Whether what it needs to be loaded and to score is installed."""
        if self.boosts and not is_available():
            return False
        return self.module is None or find_spec(self.module) is not None

    @property
    def lacks(self) -> str:
        """What to do where it cannot be used."""
        if self.boosts:
            return "it takes LightGBM, which takes the system's OpenMP (the package libgomp1)"
        return f"it takes pip install 'lingxi[{self.extra}]'"

    @property
    def available(self) -> bool:
        """Whether what it needs to be fitted and served is installed."""
        return self.served and (self.learns_with is None or find_spec(self.learns_with) is not None)

    def read(self, recipe: Recipe) -> Params:
        """All parameters of a recipe, defaults filled in."""
        return {**COMMON, **self.defaults, **recipe.params}


def try_each(
    defaults: Params, options: dict[str, tuple[Param, ...]]
) -> Callable[[Recipe], Iterable[Recipe]]:
    """Recipes that differ from one in a single parameter, whose next values are given.

    Each option is a ladder: the value above and the one below the present one are tried.
    """

    known = {**COMMON, **defaults}

    def around(recipe: Recipe) -> Iterable[Recipe]:
        for key, ladder in options.items():
            present = recipe.params.get(key, known[key])
            at = ladder.index(present) if present in ladder else 0
            for place in (at - 1, at + 1):
                if 0 <= place < len(ladder):
                    params = {**recipe.params, key: ladder[place]}
                    yield Recipe(name=recipe.name, params=params)

    return around
