"""Predictions as a table, row by row."""

import numpy as np

from keras_fusion.common.names import (
    CONFLICT,
    DISAGREEMENT,
    EACH_LABEL,
    MODALITY_WEIGHTS,
    RISK,
    SETS,
    SURVIVAL,
    UNCERTAINTY,
)
from keras_fusion.experiments.prediction import named_numbers
from keras_fusion.experiments.predictions import medians_of, sets_of


def prediction_rows(
    outputs: dict,
    class_names: list[str] | None,
    modalities: list[str],
    ids: tuple | None = None,
) -> tuple[list[str], list[list[str]]]:
    """Header and rows: class and probability (or prediction), and modality weights.

    Of a single modality the weight says nothing, and is left out.

    Args:
        outputs: Of `predict`.
        class_names: One a class, or None.
        modalities: In the order of `modality_weights`.
        ids: Name and values of what names the rows; else they are numbered.
    """
    several = len(modalities) > 1
    weights, sets = outputs.get(MODALITY_WEIGHTS) if several else None, None
    if SETS in outputs:
        sets = sets_of(outputs, class_names)
    header = [(ids and ids[0]) or "row"]
    header += _prediction_header(outputs)
    header += ["set"] if sets else []
    degrees = [
        name for name in (UNCERTAINTY, DISAGREEMENT, CONFLICT) if name in outputs
    ]
    header += degrees
    header += modalities if weights is not None else []
    added = outputs.get("contributions")
    header += [f"{m} adds" for m in modalities] if added is not None else []
    rows = []
    for i in range(len(next(iter(outputs.values())))):
        row = [
            str(ids[1][i] if ids else i),
            *_prediction_cells(outputs, i, class_names),
        ]
        row += [", ".join(sets[i] or "–")] if sets else []
        row += [f"{outputs[name][i]:.3f}" for name in degrees]
        row += (
            [f"{w:.2f}" if w else "–" for w in weights[i]]
            if weights is not None
            else []
        )
        row += [f"{v:+.3g}" for v in added[i]] if added is not None else []
        rows.append(row)
    return header, rows


def _prediction_header(outputs):
    if EACH_LABEL in outputs:
        return ["labels", "most probable"]
    if RISK in outputs:
        return ["risk", *(["median time"] if SURVIVAL in outputs else [])]
    return ["class", "probability"] if "probabilities" in outputs else ["prediction"]


def _prediction_cells(outputs, i, class_names):
    if EACH_LABEL in outputs:
        return _label_cells(outputs[EACH_LABEL][i], class_names)
    if RISK in outputs:
        return _cells_of_times(outputs, i, class_names)
    if "probabilities" not in outputs:
        return [f"{float(outputs['predictions'][i, 0]):.4g}"]
    if outputs["probabilities"].ndim > 2:
        return _most_pixels(outputs["probabilities"][i], class_names)
    if not np.isfinite(outputs["probabilities"][i]).all():
        return ["–", "no number"]
    best = named_numbers({n: x[i : i + 1] for n, x in outputs.items()})[0]
    name = class_names[best] if class_names else str(best)
    return [name, f"{outputs['probabilities'][i, best]:.3f}"]


def _cells_of_times(outputs, i, times):
    cells = [f"{float(outputs[RISK][i, 0]):.3f}"]
    if SURVIVAL in outputs:
        row = {SURVIVAL: outputs[SURVIVAL][i : i + 1]}
        median = medians_of(row, times)[0]
        cells.append(f"> {times[-1]}" if np.isnan(median) else f"{median:.4g}")
    return cells


def _label_cells(probabilities, class_names):
    """The labels over one half, and the most probable one of all."""
    if not np.isfinite(probabilities).all():
        return ["–", "no number"]
    names = class_names or [str(k) for k in range(len(probabilities))]
    found = [name for name, p in zip(names, probabilities) if p > 0.5]
    best = int(probabilities.argmax())
    return [", ".join(found) or "–", f"{names[best]} {probabilities[best]:.3f}"]


def _most_pixels(probabilities, class_names):
    """Of a map: the class of most pixels, or the foreground, and its share of them."""
    if probabilities.shape[-1] == 1:
        best, share = 0, (probabilities > 0.5).mean()
    else:
        counts = np.bincount(probabilities.argmax(-1).ravel())
        best, share = counts.argmax(), counts.max() / counts.sum()
    return [class_names[best] if class_names else str(best), f"{share:.0%} of pixels"]
