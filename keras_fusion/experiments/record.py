"""What `fit.json` holds: how one training run went."""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from keras_fusion.common.files import write_json
from keras_fusion.experiments import schema

FILE = "fit.json"


@dataclass(frozen=True, kw_only=True)
class Record:
    """One run to its end.

    Attributes:
        name: Of the recipe.
        identity: What decided how it went; see `identity_of`.
        metric: That validation watched.
        validation: Its score on validation rows, or minus the loss.
        epochs: That were trained.
        best_epoch: Whose weights were kept, where `patience` stopped the run.
        seconds: In `fit`.
        parameters: Of the model.
        history: Of `keras.Model.fit`.
        network_share: Beside a linear model, for rows that have all modalities, and for
            those that lack some; see `linear_share.settle`.
        temperature, set_threshold, adaptive_threshold: What `confidence.settle` found.
        hazards: Of a model of risks; see `survival_curves.settle`.
        scale: How each modality was scaled.
        computed_on: Where the run ended.
    """

    name: str
    identity: dict[str, Any]
    metric: str
    validation: float
    epochs: int
    best_epoch: int | None = None
    seconds: float
    parameters: int
    history: dict[str, list[float]]
    network_share: tuple[float, float] | None = None
    temperature: float | None = None
    set_threshold: float | None = None
    adaptive_threshold: float | None = None
    hazards: list[float] | None = None
    scale: dict[str, str] = field(default_factory=dict)
    computed_on: str | None = None

    def write(self, folder: Path) -> None:
        """Writes the file that `read` reads."""
        known = dataclasses.asdict(self).items()
        write_json(folder / FILE, {k: v for k, v in known if v is not None})


def read(folder: Path) -> Record | None:
    """The record of the run in a folder, or None where none has come to its end.

    Raises:
        InputError: If the file is no record.
    """
    path = folder / FILE
    return schema.read_json(Record, path) if path.is_file() else None
