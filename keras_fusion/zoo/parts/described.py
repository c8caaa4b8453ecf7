"""An encoder that is described: a backbone by name, and how it learns."""

import hashlib
import re
from dataclasses import dataclass

from keras_fusion.common.names import safe_names
from keras_fusion.zoo.backbone import HUB, PRETRAINED, backbone
from keras_fusion.zoo.parts.asked_dtype import asked_dtype

_AFTER = re.compile(r"after:([1-9][0-9]*) epochs?")
_KEYS = ("backbone", "weights", "trainable", "learning_rate")


@dataclass(frozen=True)
class Described:
    """What a person says of a backbone.

    Attributes:
        source, weights: As `backbone` takes them.
        trainable: Whether it learns at all.
        after: Epochs for which it is frozen before it learns.
        learning_rate: Its own, or None for that of the model.
    """

    source: str
    weights: str = PRETRAINED
    trainable: bool = False
    after: int = 0
    learning_rate: float | None = None


def described(modality: str, encoder) -> Described | None:
    """What is said of a backbone, None where the encoder is something else.

    Args:
        modality: The modality's name, for messages.
        encoder: The `source` of a `backbone`, or a dict that has it as `"backbone"`,
            and may have `"weights"`, `"trainable"` (True, False or "after:N epochs")
            and `"learning_rate"`; anything else is no description.

    Raises:
        ValueError: If a key is unknown, or a value is of another kind.
    """
    if isinstance(encoder, str):
        return Described(encoder)
    if not isinstance(encoder, dict) or "class_name" in encoder:
        return None
    unknown = [key for key in encoder if key not in _KEYS]
    if unknown or "backbone" not in encoder:
        raise ValueError(
            f"The encoder of {modality!r} must say `backbone` and may say "
            f"{', '.join(_KEYS[1:])}; received {list(encoder)}."
        )
    said = dict(encoder)
    after = _AFTER.fullmatch(str(said.get("trainable", "")))
    if after:
        said["trainable"] = True
    rate = said.get("learning_rate")
    wrong = [
        *_unless(isinstance(said["backbone"], str), "backbone", "a text"),
        *_unless(isinstance(said.get("weights", ""), str), "weights", "a text"),
        *_unless(
            isinstance(said.get("trainable", False), bool),
            "trainable",
            'true, false or "after:N epochs"',
        ),
        *_unless(
            rate is None or (isinstance(rate, (int, float)) and 0 < rate < 1e9),
            "learning_rate",
            "a number above 0",
        ),
    ]
    for key, words in wrong:
        raise ValueError(
            f"{key} of the encoder of {modality!r} must be {words}; received "
            f"{encoder[key]!r}."
        )
    source = said.pop("backbone")
    return Described(source, after=int(after[1]) if after else 0, **said)


def resolved(encoders: dict | None, input_shapes: dict) -> dict:
    """The encoders with models in place of descriptions; see `described`.

    Args:
        encoders: What was given, by name of the modality.
        input_shapes: Shape without batch axis of each modality, by name.
    """
    found = dict(encoders or {})
    for modality, encoder in found.items():
        said = described(modality, encoder)
        if said is not None and modality in input_shapes:
            shape = input_shapes[modality]
            found[modality] = backbone(
                said.source,
                (shape,) if isinstance(shape, int) else tuple(shape),
                weights=said.weights,
                trainable=said.trainable,
                name=name_of(modality),
            )
    return found


def of_raw_values(encoders) -> set[str]:
    """The modalities whose encoders want values as they are, without any scaling.

    They take whole numbers, or are backbones, which prepare their input themselves.
    """
    if not isinstance(encoders, dict):  # of which the builder knows what is wrong
        return set()
    asked = {modality: asked_dtype(encoder) for modality, encoder in encoders.items()}
    raw = {m for m, dtype in asked.items() if dtype and "float" not in dtype}
    return raw | {m for m, encoder in encoders.items() if described(m, encoder)}


def presets(encoders) -> dict[str, str]:
    """The backbones of KerasHub among the encoders, `"keras_hub:PRESET"` by modality.

    They bring their tokenizers along, where the modality is a text.
    """
    if not isinstance(encoders, dict):  # of which the builder knows what is wrong
        return {}
    said = {modality: described(modality, x) for modality, x in encoders.items()}
    return {m: x.source for m, x in said.items() if x and x.source.startswith(HUB)}


def name_of(modality: str) -> str:
    """What the backbone of a modality is called in a model, whatever else is there."""
    safe = safe_names([modality])[modality]
    if safe != modality:  # another modality may be spelled like it
        safe = f"{safe}_{hashlib.sha256(modality.encode()).hexdigest()[:6]}"
    return f"{safe}_backbone"


def _unless(fits, key, words):
    return [] if fits else [(key, words)]
