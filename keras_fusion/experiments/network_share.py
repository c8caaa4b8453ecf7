"""How much a saved model's network has to say, where a linear model is beside it."""

from pathlib import Path

from keras_fusion import export
from keras_fusion.common.names import MODALITY_WEIGHTS
from keras_fusion.experiments import record

LEAST = 0.005  # of a blend: what is less is 0 % to a reader


def network_share(path: str | Path) -> tuple[float, float] | None:
    """The share of the network in the blend that a saved model is.

    Args:
        path: A `.keras` file that `train` wrote, or an exported SavedModel.

    Returns:
        That for rows which have all modalities and that for rows which lack some; None
        where there is no blend, or nothing tells of it.
    """
    path = Path(path)
    if path.suffix != ".keras":
        found = export.metrics(path).get("network_share")
        return None if found is None else tuple(found)
    run = record.read(path.parent)
    return None if run is None else run.network_share


def has_a_say(share: tuple[float, float] | None) -> bool:
    """Whether the weights of modalities inside the network say anything of answers."""
    return share is None or max(share) >= LEAST


def weights_notes(path: str | Path, outputs: dict) -> tuple[str, ...]:
    """A note on whose weights those of the modalities are, where that has to be said.

    Args:
        path: Of the model.
        outputs: What it answered.
    """
    share, weights = network_share(path), outputs.get(MODALITY_WEIGHTS)
    if share is None or weights is None or weights.shape[1] == 1:
        return ()
    whole, gaps = share
    part = f"the network, which has {whole:.0%} of the blend with a linear model"
    if whole != gaps:
        part += f" for rows with all modalities and {gaps:.0%} for rows that lack some"
    if has_a_say(share):
        return (f"the weights of the modalities are those inside {part}",)
    return (f"the weights of the modalities say nothing: they are of {part}",)
