"""What `results.json` of a search holds, as values."""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from keras_fusion.common.files import write_json
from keras_fusion.experiments import schema
from keras_fusion.experiments.results import Interval
from keras_fusion.tuning.search_file import Search


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Loss and score of the first seed at the epochs that were validated."""

    epoch: list[int] = field(default_factory=list)
    loss: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Trial:
    """How a trial ended; of one that failed most is None.

    Attributes:
        trial: Its name.
        values: The active ones of its point.
        status: `"completed"`, `"failed"`, or `"stopped"` where the time was over.
        reason: Why it failed.
        metric: What scores are of.
        scores: By seed.
        score, spread: Their mean, and standard deviation where there are several.
        seconds, training: In all, and those of them in `fit`.
        parameters: Of the model.
        latency: Median milliseconds of a prediction of up to 64 rows.
        epochs: That it was trained for.
        best_epoch: Of them, where it stopped early.
        finished: Whether it was trained to its end, or cut short.
        curve: Of learning.
        recipe: To train it again, to the end.
    """

    trial: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    status: str
    reason: str | None = None
    metric: str | None = None
    scores: list[float] = field(default_factory=list)
    score: float | None = None
    spread: float | None = None
    seconds: float = 0.0
    training: float | None = None
    parameters: int | None = None
    latency: float | None = None
    epochs: int | None = None
    best_epoch: int | None = None
    finished: bool | None = None
    curve: Curve = Curve()
    recipe: dict[str, Any] | None = None

    @property
    def fusion(self) -> str:
        """What it fused by."""
        return self.values["fusion"]


@dataclass(frozen=True, kw_only=True)
class Reference:
    """What needs no search; see `references.judge`."""

    score: float
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Ensemble:
    """How often each trial counts, and scores by choice; see `selection.chosen`."""

    weights: dict[str, int] = field(default_factory=dict)
    scores: list[float] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Winner:
    """What is kept of the best trial of a search."""

    trial: str
    values: dict[str, Any]
    score: float
    parameters: int
    latency: float


@dataclass(frozen=True, kw_only=True)
class Judged:
    """The winners of two searches on the test set; `paired` is the first's lead."""

    metric: str
    seeds: list[int]
    scores: dict[str, list[float]]
    winners: dict[str, Winner]
    paired: Interval


@dataclass(frozen=True, kw_only=True)
class Results:
    """A search, its trials, and what they stand beside.

    Attributes:
        search: What was searched.
        trials: Those that ended, by their names.
        references: By name.
        ensemble: By the validation outputs of the first seed.
        test: Of the winner and that of another search, where it was asked for.
        backend, versions, machine, commit, date: From `provenance`.
    """

    search: Search
    trials: list[Trial]
    references: dict[str, Reference] = field(default_factory=dict)
    ensemble: Ensemble = Ensemble()
    test: Judged | None = None
    backend: str
    versions: dict[str, str]
    machine: str
    commit: str | None = None
    date: str

    def write(self, path: Path) -> None:
        """Writes the file that `read` reads."""
        whole = dataclasses.asdict(self)
        if self.test is None:
            del whole["test"]
        write_json(path, whole)


def read(path: Path) -> Results:
    """The results of a search in a file.

    Raises:
        InputError: If it is none of results.
    """
    return schema.read_json(Results, path)
