"""The parts of a recipe that say how rows are split and how a model is trained."""

from dataclasses import dataclass

from keras_fusion.experiments import schema
from keras_fusion.experiments.keys import ClassWeight, Coverage, SplitRule, Uncertainty
from keras_fusion.experiments.schema import Count, Flag, Number, Patience, Seeds, Text


@dataclass(frozen=True, kw_only=True)
class Split:
    """Which rows train; see `datasets.load`.

    Attributes:
        by: The `split` of `datasets.load`.
        labels_per_class, train_on_validation: As there.
    """

    __pydantic_config__ = schema.STRICT

    by: SplitRule = "stratified"
    labels_per_class: Count | None = None
    train_on_validation: Flag = False


@dataclass(frozen=True, kw_only=True)
class Training:
    """How a model is trained.

    Attributes:
        optimizer: Name of a Keras optimizer that takes `weight_decay`.
        learning_rate: Stays as it is, since nobody knows the last epoch; without
            `patience` it falls to zero along a cosine over all epochs.
        epochs: The most that there are.
        batch_parts: Parts in which a batch is computed, one after the other; their
            gradients are averaged before the weights move. The numbers stay, but for
            what looks at a batch as a whole, and the memory is that of a part.
        recompute: Whether operators compute their parts again for the gradients, in
            place of keeping them: less memory, the same numbers, longer steps.
        patience: Stop after so many epochs in which neither the watched score nor the
            loss of validation got better, and keep the weights of the highest score,
            of equal ones those of the smallest loss. 0 trains all epochs and keeps the
            last.
        class_weight: What a row of each class counts: `"balanced"` is the inverse of
            the share of its class, a table gives numbers by class name.
        calibrate: Whether the logits of a classifier are divided, in the end, by the
            temperature that fits the validation rows best.
        coverage: Share of rows whose set of classes should hold the true one; None
            makes no sets. The validation rows say how probable a class must be.
        uncertainty: Measure that a prediction has beside its classes: `"entropy"` or
            `"confidence"`, from 0 to 1; None gives none, but for an
            `EvidentialClassifier`, which has its own.
        seeds: One split and one run each.
    """

    __pydantic_config__ = schema.STRICT

    optimizer: Text = "adamw"
    learning_rate: Number = 1e-3
    weight_decay: Number = 1e-4
    epochs: Count = 100
    batch_size: Count = 32
    batch_parts: Count = 1
    recompute: Flag = False
    patience: Patience = 20
    class_weight: ClassWeight | None = None
    calibrate: Flag = False
    coverage: Coverage | None = None
    uncertainty: Uncertainty | None = None
    seeds: Seeds = (0,)
