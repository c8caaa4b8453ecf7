"""Cross-diffusion by affinities that are given, and where many steps lead."""

import numpy as np
import pytest
from keras import ops

from keras_fusion.ops import affinity_diffusion
from tests.conftest import assert_close, to_numpy
from tests.layers.cases import draw
from tests.ops.diffusion import diffusion_oracle as oracle
from tests.ops.diffusion.diffusion_results import compare, flat, options


@pytest.mark.parametrize("form", ["paper", "released"])
@pytest.mark.parametrize("initial", ["identity", "affinity", "given"])
@pytest.mark.parametrize("normalize", [True, False])
def test_affinities_that_are_given(form, initial, normalize):
    s, v = np.abs(draw(2, 3, 2, 5, 5)), draw(2, 3, 2, 5, 4, seed=2)
    initial = draw(3, 2, 5, 5, seed=3) if initial == "given" else initial
    arguments = options(3, initial, form) | {"normalize": normalize}
    expected = oracle.diffuse(s.astype("float64"), v.astype("float64"), **arguments)
    if not isinstance(initial, str):
        arguments["initial"] = ops.convert_to_tensor(initial)
    s, v = ([ops.convert_to_tensor(x) for x in y] for y in (s, v))
    attended, messages = affinity_diffusion(s, v, **arguments)
    scale = max(1, *(np.abs(m).max() for m in expected[1].values()))
    scaled = [[None if y is None else y / scale for y in row] for row in messages]
    compare(
        (attended, scaled),
        (expected[0], {p: m / scale for p, m in expected[1].items()}),
    )


def test_normalizing_a_softmax_changes_nothing():
    p = np.exp(draw(2, 3, 2, 5, 5))
    p = [ops.convert_to_tensor(x) for x in p / p.sum(axis=-1, keepdims=True)]
    v = [ops.convert_to_tensor(x) for x in draw(2, 3, 2, 5, 4)]
    plain, normalized = (
        flat(*affinity_diffusion(p, v, steps=2, normalize=n)) for n in (False, True)
    )
    for y, y_0 in zip(normalized, plain):
        assert_close(y, y_0)


def test_affinities_of_what_is_empty_have_no_nan():
    s, v = [ops.zeros((1, 1, 3, 3))] * 2, [ops.ones((1, 1, 3, 2))] * 2
    for y in flat(*affinity_diffusion(s, v, normalize=True, initial="affinity")):
        assert_close(y, np.zeros((1, 1, 3, 2)))


@pytest.mark.parametrize("form", ["paper", "released"])
def test_convergence(form):
    p = oracle.softmax_affinities(*(3 * draw(2, 2, 1, 6, 4, seed=s) for s in (1, 2)))
    left, right, mixture = oracle.factors(*p.astype("float64"), form)
    limit = mixture
    for _ in range(200):
        limit = 0.6 * left @ limit @ right + 0.4 * mixture
    tensors = [ops.convert_to_tensor(x.astype("float32")) for x in p]
    identity = [ops.broadcast_to(ops.eye(6), (2, 1, 6, 6))] * 2  # X I = X
    size = {  # the norm in which every step takes e off the distance
        "paper": lambda x: np.abs(x).max(axis=(-1, -2)),
        "released": lambda x: np.abs(x).sum(axis=(-1, -2)),
    }[form]
    start = size(np.eye(6) - limit)
    for steps in (1, 2, 4, 8, 30):
        _, messages = affinity_diffusion(tensors, identity, form=form, steps=steps)
        assert (
            size(to_numpy(messages[0][1]) - limit) <= 0.6**steps * start + 2e-5
        ).all()


def test_affinity_diffusion_refuses_what_does_not_fit():
    with pytest.raises(ValueError, match="got 1 and 2"):
        affinity_diffusion([ops.eye(3)[None, None]], [ops.ones((1, 1, 3, 2))] * 2)
    square, five = ops.ones((1, 1, 5, 5)), ops.ones((1, 1, 5, 2))
    for s, v, message in [
        ([square], [five[:, :, :4]], "values.0. has 4 tokens, where affin"),
        (
            [square, square[:, :, :4, :4]],
            [five] * 2,
            "affinities.1. has 4 tokens, where",
        ),
        ([square[:, :, :4]], [five], "affinities.0. has 5 tokens, where"),
        ([square[0]], [five], "expects axes .*; affinities.0. has the"),
    ]:
        with pytest.raises(ValueError, match=f"affinity_diffusion .*{message}"):
            affinity_diffusion(s, v)
    with pytest.raises(ValueError, match="initial has 4 tokens, where affinities"):
        affinity_diffusion([square], [five], initial=square[:, :, :4, :4])
    with pytest.raises(ValueError, match="epsilon must be in"):
        affinity_diffusion(
            [ops.eye(3)[None, None]], [ops.ones((1, 1, 3, 2))], epsilon=2
        )
