"""What `results.json` holds: a comparison over seeds as a value.

Lists of numbers have one for each seed.
"""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import BeforeValidator

from keras_fusion.common.files import write_json
from keras_fusion.experiments import schema
from keras_fusion.experiments.recipes import Recipe

Runs = list[float]
Ways = dict[str, Runs]


@dataclass(frozen=True, kw_only=True)
class Scores:
    """Of one method: with all there, without each modality, and without any k."""

    all: Runs
    missing: Ways
    missing_random: Ways


@dataclass(frozen=True, kw_only=True)
class Corrupted:
    """Of one method: each modality corrupted in each way, and k of them at random."""

    each: dict[str, Ways]
    random: dict[str, Ways]


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A mean difference with its 95 % interval, whose bounds one seed has not."""

    difference: float
    low: float | None = None
    high: float | None = None

    @property
    def excludes_zero(self) -> bool:
        """Whether a difference was found."""
        return self.low is not None and (self.low > 0 or self.high < 0)


@dataclass(frozen=True, kw_only=True)
class Contributions:
    """Of the model; see `contributions.score_contributions`."""

    rows: list[int]
    base: Runs
    score: Ways
    output: Ways = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Reliability:
    """By seed and bin; see `confidence.reliability`."""

    rows: list[Runs]
    confidence: list[Runs]
    right: list[Runs]


@dataclass(frozen=True, kw_only=True)
class Sets:
    """How often sets of classes hold the true one, and how many classes they have."""

    coverage: Runs
    size: Runs


@dataclass(frozen=True, kw_only=True)
class Confidence:
    """Of the model; see `confidence.judged_confidence`."""

    reliability: Reliability
    risk: list[Runs]
    sets: Sets | None = None
    adaptive_sets: Sets | None = None


@dataclass(frozen=True, kw_only=True)
class Fit:
    """What is kept of the record of a run."""

    validation: float
    epochs: int
    seconds: float
    parameters: int
    scale: dict[str, str] = field(default_factory=dict)
    computed_on: str | None = None


class Fits(NamedTuple):
    """The fits of one seed by method, and which single modality was best."""

    seed: int
    best_single: str | None
    fits: dict[str, Fit]


def _apart(given):
    if isinstance(given, dict):  # as a file has it: all keys beside each other
        fits = dict(given)
        return Fits(fits.pop("seed", None), fits.pop("best_single", None), fits)
    return given


@dataclass(frozen=True, kw_only=True)
class Results:
    """A comparison; methods are named as in `comparison.METHODS`.

    Attributes:
        recipe: What was compared.
        part: Of the data that was judged on.
        notes: Sentences on the data.
        precision: Keras dtype policy.
        metric: What scores are of.
        scores: By method.
        measures: Others, by method and name.
        corrupted: Scores with inputs that lie, by method, where that was asked for.
        retrained_without: Scores of the model that never saw a modality, by modality.
        modality_weights: By class and modality.
        contributions: Of each modality; older results have none.
        confidence: What the model's is worth, where rows have one class.
        paired: The model's lead over each method, by condition.
        fits: One for each seed.
        backend, versions, machine, commit, date: From `provenance`.
    """

    recipe: Recipe
    part: str
    notes: list[str] = field(default_factory=list)
    precision: str
    metric: str
    scores: dict[str, Scores]
    measures: dict[str, Ways]
    corrupted: dict[str, Corrupted] = field(default_factory=dict)
    retrained_without: Ways
    modality_weights: dict[str, Ways]
    contributions: Contributions | None = None
    confidence: Confidence | None = None
    paired: dict[str, dict[str, Interval]]
    fits: list[Annotated[Fits, BeforeValidator(_apart)]]
    backend: str
    versions: dict[str, str]
    machine: str
    commit: str | None = None
    date: str

    @property
    def seeds(self) -> list[int]:
        """In the order of all lists."""
        return [fits.seed for fits in self.fits]

    def fits_of(self, method: str) -> list[Fit]:
        """The fits of one method, one for each seed."""
        return [fits.fits[method] for fits in self.fits]

    def write(self, path: Path) -> None:
        """Writes the file that `read` reads."""
        whole = dataclasses.asdict(self, dict_factory=_without_none)
        whole["fits"] = [_beside(*fits) for fits in whole["fits"]]
        write_json(path, whole)


def read(path: Path) -> Results:
    """The results in a file.

    Raises:
        InputError: If it is none of results.
    """
    return schema.read_json(Results, path)


def _without_none(items):
    return {key: value for key, value in items if value is not None}


def _beside(seed, best, fits):
    return {"seed": seed, **({"best_single": best} if best else {}), **fits}
