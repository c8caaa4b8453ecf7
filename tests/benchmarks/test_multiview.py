"""The conflicts that the benchmark on several views puts into test rows."""

import numpy as np
import pytest

from benchmarks.defaults_data import Part, Table

pytestmark = pytest.mark.only_on("jax", reason="the benchmark runs on it")


def test_two_rows_of_five_have_a_modality_of_the_next_class_and_a_tenth_noise():
    from benchmarks.multiview import in_conflict

    labels = np.arange(100) % 3
    inputs = {m: np.arange(100.0)[:, None] + i for i, m in enumerate("abc")}
    part = Part(inputs, labels)
    found = in_conflict(part, Table(inputs, labels), np.random.default_rng(0))
    changed = np.stack([found.inputs[m] != x for m, x in inputs.items()], axis=1)
    first = np.stack(
        [found.inputs[m][:, 0] - i for i, m in enumerate("abc")], axis=1
    )  # the first row of class k has the number k
    of_next = changed[..., 0] & (first == ((labels + 1) % 3)[:, None])
    assert of_next.sum() == of_next.any(axis=1).sum() == 40
    noisy = changed[..., 0] & ~of_next
    assert 1 <= noisy.any(axis=1).sum() <= 10 and noisy.sum(axis=1).max() <= 2
