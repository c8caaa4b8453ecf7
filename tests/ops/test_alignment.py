import itertools

import numpy as np
import pytest

from keras_fusion.common.gradients import with_gradients
from keras_fusion.ops import alignment_loss
from tests.conftest import assert_close, to_numpy
from tests.layers.cases import draw
from tests.layers.reference import float64, softmax

THERE = np.array([[1, 1, 1], [1, 1, 0], [0, 1, 1], [1, 0, 0], [1, 1, 1]], bool)


def embeddings(count=3):
    return [draw(5, 4, seed=m) for m in range(count)]


def oracle(embeddings, scale, there):
    """Pair by pair and sample by sample."""
    losses = []
    pairs = itertools.combinations(range(len(embeddings)), 2)
    for m, n in pairs:
        rows = np.flatnonzero(there[:, m] & there[:, n])
        if not len(rows):
            continue
        first, second = (float64(embeddings[i])[rows] for i in (m, n))
        logits = scale * first @ second.T
        for side in (logits, logits.T):
            losses.append(-np.mean(np.log(np.diag(softmax(side)))))
    return np.mean(losses) if losses else np.float64(0)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("count", [2, 3])
def test_numbers(count, masked):
    x = embeddings(count)
    there = THERE[:, :count] if masked else np.ones((5, count), bool)
    mask = {"modality_mask": there} if masked else {}
    assert_close(alignment_loss(x, 2.5, **mask), oracle(x, 2.5, there))


def test_pairs_that_no_sample_has_do_not_count():
    there = np.array([[1, 1, 0]] * 3 + [[0, 0, 1]] * 2, bool)
    x = embeddings()
    expected = alignment_loss([x[0][:3], x[1][:3]], 3.0)
    assert_close(alignment_loss(x, 3.0, there), to_numpy(expected))


@pytest.mark.parametrize("there", [THERE, np.zeros((5, 3), bool)], ids=["some", "no"])
def test_what_is_absent_has_no_influence(there):
    run = with_gradients(
        lambda arrays, there: (alignment_loss(arrays, 2.0, there),) * 2
    )
    outcomes = []
    for filler in (0.5, 1e30, np.nan):
        x = [
            np.where(p[:, None], e, np.float32(filler))
            for e, p in zip(embeddings(), there.T, strict=True)
        ]
        loss, gradients = run(x, there=there)
        outcomes.append([to_numpy(loss), *gradients])
    for outcome in outcomes:
        for a, b in zip(outcome, outcomes[0], strict=True):
            np.testing.assert_array_equal(a, b)
    assert bool(outcomes[0][0] > 0) == there.any()


def test_one_sample_has_nothing_to_be_told_apart_from():
    assert_close(alignment_loss([draw(1, 4), draw(1, 4, seed=2)], 9.0), np.float64(0))


def test_the_order_of_modalities_and_of_samples_has_no_influence():
    x = embeddings()
    loss = to_numpy(alignment_loss(x, 2.0, THERE))
    assert_close(alignment_loss(x[::-1], 2.0, THERE[:, ::-1].copy()), loss)
    assert_close(
        alignment_loss([e[::-1].copy() for e in x], 2.0, THERE[::-1].copy()), loss
    )
