"""Dense and blockwise cross-diffusion against the definition, value and gradient."""

import numpy as np
import pytest
from keras import ops

from keras_fusion.common.gradients import with_gradients
from keras_fusion.ops import cross_diffusion
from keras_fusion.ops.diffusion import fused_attention
from tests.conftest import TOLERANCES, assert_close, tried_here
from tests.layers.cases import draw
from tests.ops.diffusion import diffusion_oracle as oracle
from tests.ops.diffusion.diffusion_results import (
    arrays,
    compare,
    each_implementation,
    flat,
    in_float64,
    options,
    run,
    wanted,
)

pytestmark = pytest.mark.usefixtures("small_blocks")

# M, steps, initial, form
CASES = [
    (3, 3, "affinity", "paper"),
    (2, 1, "identity", "paper"),
    (2, 5, "affinity", "released"),
    (1, 1, "identity", "paper"),
    (2, 8, "identity", "paper"),
    (2, 2, "affinity", "paper"),
    (3, 1, "identity", "paper"),
    (1, 1, "identity", "released"),
    (2, 1, "identity", "released"),
]


@each_implementation
@pytest.mark.parametrize("count, steps, initial, form", tried_here(CASES, 3))
def test_value_and_gradient(implementation, count, steps, initial, form):
    stacked, arguments = arrays(count), options(steps, initial, form)
    check(stacked, {"implementation": implementation}, {}, arguments)


def check(stacked, given, numpy_given, arguments):
    """All results, and the gradients of a weighted sum along random directions."""
    count = len(stacked[0])
    weights = draw(count * count, *stacked[2].shape[1:], seed=5)

    def weighted(leaves):
        results = flat(*cross_diffusion(*map(list_of, leaves), **given, **arguments))
        weighted = [ops.convert_to_tensor(w) * y for w, y in zip(weights, results)]
        return ops.sum(sum(weighted)), results

    def list_of(stack):
        return ops.unstack(stack, count, axis=0)

    results, gradients = with_gradients(weighted)(list(stacked))
    exact = [np.nan_to_num(x).astype("complex128") for x in stacked]
    expected = wanted(*oracle.cross_diffusion(*exact, **numpy_given, **arguments))
    for y, y_0 in zip(results, expected, strict=True):
        assert_close(ops.stop_gradient(y), y_0.real)
    for leaf, gradient in enumerate(gradients):
        assert np.isfinite(gradient).all()
        for seed in range(3):
            direction = draw(*stacked[leaf].shape, seed=10 + seed)
            moved = list(exact)
            moved[leaf] = moved[leaf] + 1e-30j * direction
            slopes = wanted(*oracle.cross_diffusion(*moved, **numpy_given, **arguments))
            slope = sum((w * y).sum() for w, y in zip(weights, slopes)).imag / 1e-30
            scale = max(1.0, np.linalg.norm(gradient))
            found = (gradient.astype("float64") * direction).sum()
            assert abs(found - slope) < TOLERANCES["float32"] * scale


def some_missing(count, tokens):
    """`modality_mask` (2, M) and `mask` (M, 2, T), with an all-padded modality."""
    modality_mask = np.ones((2, count), bool)
    modality_mask[0, 0] = False
    mask = draw(count, 2, tokens, seed=7) > -0.7
    mask[-1, 1] = False
    return modality_mask, mask


@each_implementation
@pytest.mark.parametrize("form, count", [("paper", 2), ("paper", 3), ("released", 2)])
@pytest.mark.parametrize("which", tried_here(["both", "modality_mask", "mask"]))
def test_what_is_missing_has_no_influence(implementation, form, count, which):
    shape = (2, 1, 7, 3)
    modality_mask, mask = some_missing(count, tokens=7)
    modality_mask = modality_mask if which != "mask" else None
    mask = mask if which != "modality_mask" else None
    arguments = options(2, "affinity", form)
    broken = arrays(count, shape)
    for x in broken:
        if modality_mask is not None:
            x[0, 0] = np.nan
        if mask is not None:
            x.transpose(0, 1, 3, 2, 4)[~mask] = np.nan
    given = {"modality_mask": modality_mask, "mask": mask}
    tensors = {
        "modality_mask": None
        if modality_mask is None
        else ops.convert_to_tensor(modality_mask),
        "mask": None if mask is None else [*map(ops.convert_to_tensor, mask)],
        "implementation": implementation,
    }
    check(broken, tensors, given, arguments)


@pytest.mark.only_on("jax", "torch", reason="TensorFlow has no fused attention")
@pytest.mark.parametrize("form, count", [("paper", 3), ("released", 2)])
def test_more_columns_than_fused_attention_takes_at_once(form, count, monkeypatch):
    monkeypatch.setattr(fused_attention, "WIDEST", 8)
    arguments = options(2, "affinity", form)
    check(arrays(count), {"implementation": "fused"}, {}, arguments)


def test_nothing_present_gives_zeros():
    modality_mask = ops.convert_to_tensor(np.zeros((2, 2), bool))
    for y in flat(*run(arrays(2), modality_mask=modality_mask)):
        assert_close(y, np.zeros(y.shape))


def test_one_mask_of_two():
    kept = draw(2, 11, seed=7) > 0
    expected = np.stack([np.ones_like(kept), kept])
    compare(
        run(arrays(2), mask=[None, ops.convert_to_tensor(kept)]),
        oracle.cross_diffusion(*in_float64(arrays(2)), mask=expected),
    )


@pytest.mark.parametrize("form", ["paper", "released"])
@pytest.mark.parametrize("implementation", ["auto", "dense"])
def test_an_initial_affinity_that_is_given(form, implementation):
    given = np.abs(draw(2, 2, 11, 11, seed=9))
    arguments = options(2, given, form)
    modality_mask = np.array([[True, True], [False, True]])
    expected = oracle.cross_diffusion(
        *in_float64(arrays(2)), modality_mask=modality_mask, **arguments
    )
    arguments["initial"] = ops.convert_to_tensor(given)
    arguments["modality_mask"] = ops.convert_to_tensor(modality_mask)
    compare(
        run(arrays(2), implementation=implementation, **arguments),
        expected,
    )


def zeros_of(given):
    """A tensor for a shape, in a list too; all else as it is."""
    if isinstance(given, list):
        return [zeros_of(x) for x in given]
    return ops.zeros(given) if isinstance(given, tuple) else given


@pytest.mark.parametrize(
    "change, message",
    [
        ({"epsilon": 1.0}, r"epsilon must be in \[0, 1\); got 1.0"),
        ({"epsilon": -0.1}, "epsilon must be in"),
        ({"epsilon": float("nan")}, "epsilon must be in"),
        ({"steps": 0}, "steps must be an integer of at least 1; got 0"),
        ({"steps": 1.5}, "steps must be an integer"),
        (
            {"initial": "zeros"},
            "initial must be one of identity, affinity, or a tensor; got 'zeros'",
        ),
        ({"form": "released"}, "for two modalities; got 3"),
        ({"form": "official"}, "form must be one of paper, released"),
        ({"implementation": "sparse"}, "implementation must be one of auto, dense"),
        ({"mask": [None]}, "one mask .* for each of 3 modalities; got 1"),
        (
            {"tokens": 4},
            "keys.1. has 4 tokens, where queries.0. has 5",
        ),
        (
            {"flat": True},
            "expects axes .*tokens, channels a head.; values.0",
        ),
        ({"mask": [(1, 5), None, (1, 4)]}, "mask.2. has 4 tokens, where"),
        ({"mask": [(2, 5), None, None]}, "mask.0. has 2 batch entries"),
        (
            {"modality_mask": (1, 2)},
            "modality_mask has 2 modal.*, where the lists have 3",
        ),
        (
            {"modality_mask": (2, 3)},
            "modality_mask has 2 batch entries, where queries.0. has 1",
        ),
        ({"initial": (1, 2, 5, 4)}, "initial has 4 tokens, where queries.0. has 5"),
        ({"initial": (5, 5)}, "expects axes .*; initial has the shape .5, 5."),
        (
            {"initial": 3},
            "initial must be one of identity, affinity, or a tensor; got 3",
        ),
        (
            {"initial": (1, 2, 5, 5), "implementation": "blockwise"},
            "a given `initial` in the dense form alone: the blockwise form",
        ),
        (
            {"initial": (1, 2, 5, 5), "implementation": "fused"},
            "a given `initial` in the dense form alone: the fused form",
        ),
        ({"fewer": True}, "of the same modalities, at least one; got 3, 3 and 2"),
    ],
)
def test_refusals(change, message):
    q, k, v = ([ops.zeros((1, 2, 5, 4))] * 3 for _ in range(3))
    change = {name: zeros_of(given) for name, given in change.items()}
    if "tokens" in change:
        k = [k[0], ops.zeros((1, 2, change.pop("tokens"), 4)), k[2]]
    if change.pop("flat", False):
        v = [x[:, 0] for x in v]
    if change.pop("fewer", False):
        v = v[:2]
    with pytest.raises(ValueError, match=message):
        cross_diffusion(q, k, v, **change)
