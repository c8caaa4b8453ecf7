"""Products of modalities, against MLB, MFB, MUTAN and Tucker by an author of two."""

import numpy as np
import pytest

from keras_fusion.layers import LowRankFusion, TensorFusion
from tests.recorded.recording import affine, assert_recorded, assign_affine, read

FORMS = {
    "mlb": {"rank": 1, "activation": "tanh"},
    "mfb": {"rank": 3, "normalize": True},
    "mfb_relu": {"rank": 2, "activation": "relu"},
    "mutan": {"rank": 3},
    "mutan_normalized": {"rank": 2, "normalize": True},
}


def inputs():
    recorded = read("block", "inputs/")
    return [recorded[f"{m}"].astype("float32") for m in range(2)]


def after(first, second):
    """The one affine map that two in a row are."""
    found = first @ second[:-1]
    found[-1] += second[-1]
    return found


def factors(form, weights, m):
    """`(D_m + 1, R U)`, the rank slowest."""
    first = affine(weights, f"linear{m}")
    if form.startswith("mutan"):
        return after(first, affine(weights, f"merge_linear{m}"))
    rank = FORMS[form]["rank"]
    ranks_last = first.reshape(len(first), -1, rank)
    return ranks_last.swapaxes(1, 2).reshape(first.shape)


@pytest.mark.parametrize("form", FORMS)
def test_low_rank_fusion(form):
    weights = read("block", f"{form}/")
    op = LowRankFusion(units=3, intermediate_dim=4, **FORMS[form])
    op.build([x.shape for x in inputs()])
    for m, layer in enumerate(op.factors):
        assign_affine(layer, factors(form, weights, m))
    assign_affine(op.output_dense, affine(weights, "linear_out"))
    assert_recorded(op(inputs()), weights["output"])


def test_tensor_fusion_is_the_tucker_fusion_multiplied_out():
    weights = read("block", "tucker/")
    op = TensorFusion(units=3)
    op.build([x.shape for x in inputs()])
    first, second, last = (
        affine(weights, name) for name in ("linear0", "linear1", "linear_out")
    )
    core = weights["bilinear.weight"]  # (P, 4, 4)
    kernel = np.einsum("pij,ai,bj,po->abo", core, first, second, last[:-1])
    kernel[-1, -1] += weights["bilinear.bias"] @ last[:-1] + last[-1]
    op.output_dense.kernel.assign(kernel.reshape(-1, 3))
    assert_recorded(op(inputs()), weights["output"])
