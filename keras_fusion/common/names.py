"""Names that several rooms share, and safe ones for what a person calls a modality.

A person calls a modality as they like: `"sepal length (cm)"`, `"größe"`, `"class"`.
That name is the key everywhere in Python: of `input_shapes`, of `model.input`, of the
arrays that `fit` and `predict` take, of `Dataset.inputs`, of tables and pages. A model
that is loaded from a `.keras` file on any backend has the same keys.

Layers, files and signatures of a SavedModel need names that TensorFlow takes. They use
`safe_names(model.input)`, a function of the keys alone, so whoever holds a model, its
signature or its data can compute the same safe names again and nothing has to carry
them along.
"""

import hashlib
import keyword
import re
import unicodedata

MASK = "modality_mask"  # (B, M) bool, True = present
IGNORED = 255  # in masks: a pixel that nobody labeled
EDGE_INDEX, EDGE_WEIGHT = "edge_index", "edge_weight"
EDGES = frozenset({EDGE_INDEX, EDGE_WEIGHT})  # of a graph; its nodes are the batch

# The output of probabilities that do not sum to 1: several labels may hold at once.
EACH_LABEL = "label_probabilities"

# The output (B,) of classes in an order: the number of the class that is named.
MEDIAN = "median_class"

# The output of the classes that may be the true one: 1 where a class belongs to them.
SETS = "prediction_set"

# Outputs of a model of times: higher where the event comes earlier, (B, 1), and the
# probability of reaching each of some times without it, (B, T).
RISK, SURVIVAL = "risk", "survival"

UNCERTAINTY, CONFLICT = "uncertainty", "conflict"  # outputs of opinions, (B,)
MODALITY_WEIGHTS = "modality_weights"  # an output, (B, M)
DISAGREEMENT = "disagreement"  # the part of an ensemble's uncertainty, (B,)

# Signatures of an export, and those that take the mask in addition.
DEFAULT, EMBEDDING = "serving_default", "embedding"
RAW = "serving_raw"  # takes a person's own columns
CONTRIBUTIONS = "contributions"  # of each modality to the outputs
MASKED = {DEFAULT: "serving_masked", EMBEDDING: "embedding_masked"}

_SAFE = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
# Keras calls models with the last three; TensorFlow binds the first two in a signature.
_TAKEN = {"self", "cls", "inputs", "training", "mask", MASK, *EDGES}
_LONGEST = 64


def safe_names(names) -> dict[str, str]:
    """A name for each of `names` that every backend and file format takes.

    A safe name is an ASCII identifier that begins with a letter and is no keyword of
    Python. A name that is safe stays as it is. Any other is spelled with ASCII letters,
    digits and `_`; where two would be spelled alike, each gets a digest of the original
    behind it. The result depends on the set of names and not on their order.

    Args:
        names: Texts that differ from each other. The shared names above pass through
            if they are among them.

    Returns:
        dict from each name, in the order given, to its safe name; all differ.

    Raises:
        ValueError: If a name is no text, or an empty one.

    Example:

    >>> safe_names(["sepal length (cm)", "größe", "class", "rgb"])
    {'sepal length (cm)': 'sepal_length_cm', 'größe': 'grosse', 'class': 'class_', \
'rgb': 'rgb'}
    """
    names = list(names)
    for name in names:
        if not isinstance(name, str) or not name:
            raise ValueError(f"A modality's name must be a text; received {name!r}.")
    spelled = {name: _spelled(name) for name in names}
    taken = list(spelled.values())
    return {
        name: safe
        if safe == name or taken.count(safe) == 1
        else f"{safe}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"
        for name, safe in spelled.items()
    }


def _spelled(name):
    if name == MASK or name in EDGES:
        return name
    safe = name
    if not _SAFE.fullmatch(name) or len(name) > _LONGEST:
        plain = unicodedata.normalize("NFKD", name.replace("ß", "ss"))
        plain = plain.encode("ascii", "ignore").decode()
        safe = re.sub(r"[^A-Za-z0-9]+", "_", plain).strip("_")[: _LONGEST // 2]
        if not safe[:1].isalpha():
            safe = f"modality_{safe}".strip("_")
    return f"{safe}_" if keyword.iskeyword(safe) or safe in _TAKEN else safe
