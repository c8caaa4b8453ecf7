"""Dense and blockwise cross-diffusion against the definition, value and gradient."""

import numpy as np
import pytest
from keras import ops

from keras_fusion.ops import cross_diffusion
from keras_fusion.ops.diffusion import fused_attention
from tests.conftest import TOLERANCES, assert_close
from tests.gradients import with_gradients
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
    (1, 1, "identity", "paper"),
    (2, 1, "identity", "paper"),
    (2, 8, "identity", "paper"),
    (2, 2, "affinity", "paper"),
    (3, 1, "identity", "paper"),
    (3, 3, "affinity", "paper"),
    (1, 1, "identity", "released"),
    (2, 1, "identity", "released"),
    (2, 5, "affinity", "released"),
]


@each_implementation
@pytest.mark.parametrize("count, steps, initial, form", CASES)
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
    """`present` (2, M) and `masks` (M, 2, T), with an all-padded modality."""
    present = np.ones((2, count), bool)
    present[0, 0] = False
    masks = draw(count, 2, tokens, seed=7) > -0.7
    masks[-1, 1] = False
    return present, masks


@each_implementation
@pytest.mark.parametrize("form, count", [("paper", 2), ("paper", 3), ("released", 2)])
@pytest.mark.parametrize("which", ["present", "masks", "both"])
def test_what_is_missing_has_no_influence(implementation, form, count, which):
    shape = (2, 1, 7, 3)
    present, masks = some_missing(count, tokens=7)
    present = present if which != "masks" else None
    masks = masks if which != "present" else None
    arguments = options(2, "affinity", form)
    broken = arrays(count, shape)
    for x in broken:
        if present is not None:
            x[0, 0] = np.nan
        if masks is not None:
            x.transpose(0, 1, 3, 2, 4)[~masks] = np.nan
    given = {"present": present, "masks": masks}
    tensors = {
        "present": None if present is None else ops.convert_to_tensor(present),
        "masks": None if masks is None else [*map(ops.convert_to_tensor, masks)],
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
    present = ops.convert_to_tensor(np.zeros((2, 2), bool))
    for y in flat(*run(arrays(2), present=present)):
        assert_close(y, np.zeros(y.shape))


def test_one_mask_of_two():
    mask = draw(2, 11, seed=7) > 0
    masks = [None, ops.convert_to_tensor(mask)]
    expected = np.stack([np.ones_like(mask), mask])
    compare(
        run(arrays(2), masks=masks),
        oracle.cross_diffusion(*in_float64(arrays(2)), masks=expected),
    )


@pytest.mark.parametrize("form", ["paper", "released"])
@pytest.mark.parametrize("implementation", ["auto", "dense"])
def test_an_initial_affinity_that_is_given(form, implementation):
    given = np.abs(draw(2, 2, 11, 11, seed=9))
    arguments = options(2, given, form)
    present = np.array([[True, True], [False, True]])
    expected = oracle.cross_diffusion(
        *in_float64(arrays(2)), present=present, **arguments
    )
    arguments["initial"] = ops.convert_to_tensor(given)
    present = ops.convert_to_tensor(present)
    compare(
        run(arrays(2), present=present, implementation=implementation, **arguments),
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
        ({"masks": [None]}, "one mask .* for each of 3 modalities; got 1"),
        (
            {"tokens": 4},
            "keys of modality 1 have 4 tokens, where queries of modality 0 have 5",
        ),
        (
            {"flat": True},
            "expects axes .*tokens, channels a head.; values of modality 0",
        ),
        ({"masks": [(1, 5), None, (1, 4)]}, "masks of modality 2 have 4 tokens, where"),
        ({"masks": [(2, 5), None, None]}, "masks of modality 0 have 2 batch entries"),
        ({"present": (1, 2)}, "present has 2 modalities, where the lists have 3"),
        (
            {"present": (2, 3)},
            "present has 2 batch entries, where queries of .* have 1",
        ),
        ({"initial": (1, 2, 5, 4)}, "initial has 4 tokens, where queries of .* have 5"),
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
