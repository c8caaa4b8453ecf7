"""Cross-diffusion against recorded runs of the released code, beside the checkout."""

import numpy as np
import pytest
from keras import ops

from keras_fusion.ops import affinity_diffusion, cross_diffusion
from tests.conftest import assert_close, to_numpy, tried_here
from tests.golden import arrays
from tests.ops.diffusion.diffusion_results import each_implementation

each_run = pytest.mark.parametrize("name", tried_here(["small", "tiny"]))


def heads(golden, letter):
    return [ops.convert_to_tensor(golden[f"out/sa/{letter}_{m}"]) for m in "rd"]


def merged(x):
    """`(B, N, T, h)` as the recorded `(B, T, N * h)`."""
    x = np.swapaxes(to_numpy(x), 1, 2)
    return x.reshape(*x.shape[:2], -1)


@each_run
@each_implementation
@pytest.mark.parametrize("form", ["released", "paper"])
def test_attended_and_messages(name, implementation, form):
    golden = arrays(f"golden_{name}")
    expected = (golden, "out/cda") if form == "released" else None
    expected = expected or (arrays(f"derived_{name}"), "paper")
    attended, messages = cross_diffusion(
        *(heads(golden, letter) for letter in "QKV"),
        form=form,
        implementation=implementation,
    )
    for m, y in zip("rd", attended):
        assert_close(merged(y), golden[f"out/sa/M_{m}"])
    messages_of, folder = expected
    assert_close(merged(messages[0][1]), messages_of[f"{folder}/M_rd"])
    assert_close(merged(messages[1][0]), messages_of[f"{folder}/M_dr"])


@pytest.mark.parametrize("form, name", [("paper", "paper"), ("released", "official")])
@pytest.mark.parametrize("steps", [1, 2, 3, 4, 5, 6, 7, 8])
def test_steps(form, name, steps):
    derived = arrays("derived_tiny")
    p = [ops.convert_to_tensor(derived[f"heads/P_{m}"], "float32") for m in "rd"]
    arguments = {"form": form, "steps": steps}
    x = derived[f"diff_{name}/X{steps}"]
    assert_close(whole(p, **arguments), x)
    values = [ops.convert_to_tensor(derived[f"heads/V_{m}"], "float32") for m in "rd"]
    _, messages = affinity_diffusion(p, values, **arguments)
    assert_close(messages[0][1], x @ derived["heads/V_d"])


@pytest.mark.parametrize("form, name", [("paper", "paper"), ("released", "official")])
def test_fixed_point(form, name):
    derived = arrays("derived_tiny")
    p = [ops.convert_to_tensor(derived[f"heads/P_{m}"], "float32") for m in "rd"]
    limit = derived[f"diff_{name}/Xinf"]
    assert_close(whole(p, form=form, steps=40), limit)
    begun = ops.convert_to_tensor(limit, "float32")
    assert_close(whole(p, form=form, initial=begun), limit)


def whole(affinities, **arguments):
    """X itself, as what it makes of the identity."""
    tokens = affinities[0].shape[-1]
    identity = ops.broadcast_to(ops.eye(tokens), affinities[0].shape)
    return affinity_diffusion(affinities, [identity] * 2, **arguments)[1][0][1]
