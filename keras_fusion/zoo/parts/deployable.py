from collections.abc import Sequence

import keras
import numpy as np
from keras import layers, ops

from keras_fusion.common.names import (
    CONFLICT,
    EACH_LABEL,
    EDGE_INDEX,
    MASK,
    MEDIAN,
    MODALITY_WEIGHTS,
    RISK,
    SETS,
    SURVIVAL,
    UNCERTAINTY,
    safe_names,
)
from keras_fusion.layers import (
    ContinuationRatio,
    CumulativeLink,
    EvidentialFusion,
    Standardization,
)
from keras_fusion.layers.held_statistics import HeldStatistics
from keras_fusion.layers.linear_prediction import LinearPrediction
from keras_fusion.ops.median_class import median_class
from keras_fusion.ops.uncertainty import uncertainty as ops_uncertainty
from keras_fusion.zoo.modality_weights import symbolic_weights
from keras_fusion.zoo.parts.heads import FUSED
from keras_fusion.zoo.parts.inputs import same_inputs
from keras_fusion.zoo.parts.of_times import of_times

_HEADS = layers.Dense, ContinuationRatio, CumulativeLink


def deployable(
    model: keras.Model,
    statistics: dict,
    set_threshold: float | None = None,
    uncertainty: str | None = None,
    *,
    task: str | None = None,
    hazards: Sequence[float] | None = None,
) -> keras.Model:
    """The model that takes raw features and names its outputs, to save and to serve.

    A modality that is all NaN in a row is absent there, whatever `modality_mask` says;
    a single NaN cell takes the training mean.

    Args:
        model: A trained zoo model with standardized inputs.
        statistics: How each modality was scaled: `Dataset.statistics`, or `(mean, std)`
            by modality, arrays that broadcast to one row. What has none is taken as it
            is, such as the columns of a table.
        set_threshold: The least probability at which a class is in a row's set (see
            `calibration.conformal_threshold`); None makes no sets.
        uncertainty: `"entropy"` or `"confidence"`, the measure of
            `keras_fusion.ops.uncertainty` that a model of classes is to give; None: an
            `EvidentialClassifier` alone gives its own.
        task: `"risk"` or `"survival"` where the model is of times, `"ordinal"` where
            its classes have an order; see `FusionModel`.
        hazards: `(T,)`, of a model of risks: the hazard of a row of risk 0 until each
            of T times, as from `survival.baseline_hazard`; None tells no survival.

    Returns:
        A model with the same inputs, float64 where the rows differ by too little for
        float32, and a dict of outputs: `probabilities` `(B, K)` or `(B, H, W, K)`
        (`predictions` for regression, `label_probabilities` where the head is a sigmoid
        for each of K labels; `risk` `(B, 1)`, higher where the event comes earlier, and
        `survival` `(B, T)`, the probability of reaching each time without it, where the
        task is one of times; with the task `"ordinal"` also `median_class` `(B,)`, the
        number of the class that is named) and, where the operator has weights,
        `modality_weights` `(B, M)`, and where there is one head, `embedding` `(B, U)`,
        what it takes; with `set_threshold` also `prediction_set` `(B, K)`, 1 for what
        is in the set; of an `EvidentialClassifier` also `uncertainty` and `conflict`
        `(B,)`, of others the `uncertainty` that was asked for. A model of
        several outputs keeps their names.

    Raises:
        ValueError: If the model is one of graphs, or uncertainty is asked of one that
            has no classes.
    """
    if EDGE_INDEX in model.input:
        raise ValueError(
            f"{model.name} takes the nodes of a graph, which have no raw rows to be "
            "standardized: export the model itself."
        )
    wide = {m for m, scale in statistics.items() if loses_digits(*scale)}
    wide &= {m for m, x in model.input.items() if x.dtype == "float32"}
    inputs = same_inputs(model, wide)
    modalities = {name: x for name, x in inputs.items() if name != MASK}
    safe = safe_names(modalities)
    prepared = {
        m: _standardized(safe[m], x, statistics[m]) if m in statistics else x
        for m, x in modalities.items()
    }
    if MASK in inputs:
        given = [ops.logical_not(all_nan(x)) for x in modalities.values()]
        prepared[MASK] = ops.logical_and(inputs[MASK], ops.stack(given, axis=-1))
    if task in (RISK, SURVIVAL):
        outputs = of_times(model.output, hazards)
    else:
        outputs = {_kind(model): model.output}
        if task == "ordinal":
            outputs[MEDIAN] = median_class(model.output)
    if isinstance(model.output, dict):  # one of several tasks, which have names
        outputs = dict(model.output)
    if uncertainty is not None:
        outputs |= _uncertainty(model, outputs, uncertainty)
    if set_threshold is not None:
        inside = ops.greater_equal(model.output, set_threshold)
        outputs[SETS] = ops.cast(inside, "float32")
    weights = symbolic_weights(model)
    if weights is not None:
        outputs[MODALITY_WEIGHTS] = weights
    outputs |= _opinion(model)
    embedding = _embedding(model)
    if embedding is not None:
        outputs["embedding"] = embedding
    named = keras.Model(model.input, outputs, name=model.name)
    return keras.Model(inputs, named(prepared), name=f"deployable_{model.name}")


def _kind(model):
    """What the output is called."""
    if model.output_shape == (None, 1):
        return "predictions"
    kinds = {head.activation for head in heads_of(model)}
    if len(model.output_shape) == 2 and kinds == {keras.activations.linear}:
        return "predictions"
    several = len(model.output_shape) == 2 and kinds == {keras.activations.sigmoid}
    return EACH_LABEL if several else "probabilities"


def heads_of(model) -> list:
    """The layers that give the output; of an average one for each modality."""
    dense = [x for x in model.layers if isinstance(x, (layers.Dense, LinearPrediction))]
    own = [x for x in dense if "predictions" in x.name.split("_")]
    inner = [x.layer if isinstance(x, HeldStatistics) else x for x in model.layers]
    inner = [x for x in inner if isinstance(x, keras.Model)]
    return own or [head for x in inner for head in heads_of(x)]


def _opinion(model):
    """How uncertain an evidential model is, and how far its modalities disagree."""
    found = [x for x in model.layers if isinstance(x, EvidentialFusion)]
    return dict(zip((UNCERTAINTY, CONFLICT), found[0].output[1:])) if found else {}


def _uncertainty(model, outputs, measure):
    if "probabilities" not in outputs:
        raise ValueError(
            f"uncertainty is for models of classes; {model.name} gives {[*outputs]}."
        )
    return {UNCERTAINTY: ops_uncertainty(outputs["probabilities"], measure)}


def _embedding(model):
    """What the head takes; None where the model has none, or several."""
    for layer in model.layers:
        if layer.name in ("predictions", FUSED) and isinstance(layer, _HEADS):
            return layer.input
    return None


def _standardized(name, x, scale):
    """Raw numbers as `scale` has them, which is `datasets.scaling.Scale` or a pair."""
    if not x.dtype.startswith("float"):
        return x  # codes, which are looked up as they are
    mean, std = scale
    knots = getattr(scale, "knots", None)
    layer = Standardization(
        0 if knots is None else len(knots),
        dtype="float32",
        name=f"{name}_standardization",
    )
    layer.build(x.shape)
    scores = getattr(scale, "scores", None)
    layer.set_moments(mean, std, getattr(scale, "fill", 0.0), knots, scores)
    return layer(x)


def loses_digits(mean, std) -> bool:
    """Whether rounding to float32 moves a standardized number by more than 1e-4."""
    rounding = np.abs(mean) * np.finfo(np.float32).eps / 2
    return bool(np.any(rounding > 1e-4 * np.asarray(std)))


def all_nan(x):
    """`(B,)`: whether a row is nothing but NaN, which whole numbers never are."""
    return ops.all(ops.not_equal(x, x), axis=tuple(range(1, len(x.shape))))
