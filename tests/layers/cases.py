"""Every operator in every configuration, and what it is called with.

A new operator needs one entry in `VARIANTS`; the laws of the contract then hold for it.
"""

import dataclasses
import itertools

import numpy as np
import pytest

from keras_fusion import layers
from keras_fusion.testing import laws
from keras_fusion.testing.laws import randomize
from tests.conftest import tried_here

WIDTH = 4
QUERY_WIDTH = 5


def every(**choices):
    """All combinations of the choices, as constructor arguments."""
    return [
        dict(zip(choices, chosen, strict=True))
        for chosen in itertools.product(*choices.values())
    ]


VARIANTS = {
    "AdaptiveWeighting": [
        *every(gate=[None, "softmax"]),
        {
            "gate": "sigmoid",
            "units": WIDTH,
            "intermediate_dim": 3,
            "activation": "tanh",
        },
    ],
    "Averaging": [{}],
    "BottleneckAttention": [
        {"num_heads": 2, "num_latents": 3},
        {"readout": None},
    ],
    "Concatenation": every(units=[None, WIDTH]),
    "CrossAttention": [
        {"num_heads": 2, "readout": None},
        {"queries": "first", "readout": "max", "use_bias": False},
    ],
    "CrossDiffusionAttention": [
        {"num_heads": 2, "steps": 2, "initial": "affinity"},
        {"readout": None, "form": "released", "use_bias": False},
    ],
    "FeatureModulation": [{}, {"form": "mag", "max_shift": 0.5}],
    "GatedCrossAttention": [
        {"num_heads": 2, "queries": "all", "readout": None},
        {"readout": "max", "use_bias": False},
    ],
    "GatedMultimodalUnit": [{}],
    "JointAttention": [
        {"num_heads": 2, "activation": "relu", "intermediate_dim": 3},
        {"readout": None},
    ],
    "LatentAttention": [
        {"num_heads": 2, "num_latents": 3},
        {"readout": "max", "modality_embedding": True, "use_bias": False},
        {"readout": None, "num_latents": 2},
    ],
    "LowRankFusion": [
        {"rank": 2},
        {"rank": 1, "activation": "tanh", "intermediate_dim": 3},
        {"rank": 3, "use_bias": False, "normalize": True},
    ],
    "Maximum": [{}],
    "MixtureOfExpertsFusion": [
        {"num_experts": 3, "balance": 0.5},
        {"num_experts": 2, "top_k": 1, "intermediate_dim": 3, "use_bias": False},
    ],
    "ModalityAttention": [
        *every(readout=["mean", "token"]),
        *every(num_heads=[2], readout=["sum", "query", "node", None]),
        *every(
            transform=["position"],
            modality_embedding=[True],
            num_heads=[2],
            readout=["token", None],
        ),
        {"num_heads": 2, "use_bias": False, "output_projection": False},
        {"num_heads": 3, "key_dim": 2, "readout": "max"},
    ],
    "ModalityTransformer": [
        {"num_heads": 2, "modality_embedding": True},
        {"readout": "max", "normalize_first": False, "use_bias": False},
        {"readout": None, "intermediate_dim": 3},
    ],
    "MutualFormerBlock": [{"num_heads": 2}, {"readout": None}],
    "Product": [{}],
    "ProductOfExperts": [{}, {"readout": "gaussian", "use_bias": False}],
    "ReleasedMutualFormerBlock": [
        {"num_heads": 2, "fused_stream": "query"},
        {"readout": None},
    ],
    "ScalarWeighting": [
        *every(constraint=[None, "affine"]),
        {"per": "channel", "constraint": "convex"},
        {"per": "element", "constraint": "affine"},
    ],
    "SoftmaxGating": [{}],
    "Summation": [{}],
    "TensorFusion": every(use_bias=[True, False]),
}


@dataclasses.dataclass(frozen=True)
class Case:
    """An operator by name with constructor arguments."""

    name: str
    config: dict

    def __str__(self):
        return ",".join([self.name, *(f"{k}={v}" for k, v in self.config.items())])

    def new(self, **kwargs):
        """An operator that is not built."""
        return layers.get(self.name)(**self.config | kwargs)

    def inputs(self, count=3):
        """Random inputs that the operator takes: `inputs_for`."""
        return inputs_for(self.new(), count)

    def fits(self, count):
        """Whether the operator takes so many modalities."""
        op = self.new()
        return op.min_modalities <= count <= (op.max_modalities or count)

    def operator(self, inputs, **kwargs):
        """An operator built for these inputs, all its weights random."""
        op = self.new(**kwargs)
        query = [q.shape for q in query_for(op, inputs).values()]
        op.build([x.shape for x in inputs], *query)
        return randomize(op)

    def sums_to_one(self, count):
        """Whether the documented weights sum to one over the present modalities."""
        if self.name == "GatedMultimodalUnit":
            return count == 2
        if self.name == "ProductOfExperts":  # whose prior has a share
            return False
        if self.name == "ModalityAttention":
            return self.config.get("readout") != "token"
        free = self.name in ("AdaptiveWeighting", "ScalarWeighting")
        rule = self.config.get("gate", self.config.get("constraint"))
        return not free or rule in ("softmax", "affine", "convex")

    def weighs(self, there):
        """`(B, M)`: which modalities have weights, of those present."""
        op = self.new()
        asked = there & (there.sum(axis=1, keepdims=True) >= op.min_modalities)
        if getattr(op, "queries", None) == "first":  # which nobody asks
            asked = asked & there[:, :1]
            asked[:, 0] = False
        return asked


CASES = [
    Case(name, config)
    for name, variants in VARIANTS.items()
    for config in tried_here(variants)
]
each_case = pytest.mark.parametrize("case", CASES, ids=str)
each_weighted_case = pytest.mark.parametrize(
    "case", [c for c in CASES if c.new().has_weights], ids=str
)
each_aligned_case = pytest.mark.parametrize(
    "case", [c for c in CASES if c.new().takes == "aligned"], ids=str
)
each_operator = pytest.mark.parametrize("name", list(VARIANTS))


def draw(*shape, seed=1):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def modalities(count=3, shape=(3, 2, WIDTH), seed=1):
    """Random inputs, all of one shape."""
    return list(draw(count, *shape, seed=seed))


def inputs_for(op, count=3):
    """Random inputs that fit the operator, of unequal lengths where it takes them."""
    count = min(count, op.max_modalities or count)
    if op.takes == "aligned" or op.aligned_tokens:
        return modalities(count)
    return [draw(3, 2 + m % 2, WIDTH, seed=m + 1) for m in range(count)]


def query_for(op, inputs):
    """The `query` argument, for the operators that take one."""
    return {"query": draw(*inputs[0].shape[:-1], QUERY_WIDTH)} if op.uses_query else {}


def some_absent(count):
    """`(3, M)` mask: every second absent, none absent, all absent."""
    return laws.some_absent(3, count)
