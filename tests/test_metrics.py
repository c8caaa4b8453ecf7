import keras
import numpy as np
import pytest

from keras_fusion.experiments import measures, scores
from keras_fusion.metrics import IntersectionOverUnion, QuadraticKappa, recall_at_k

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("classes", [1, 3])
def test_is_the_score_of_all_batches_together(classes):
    masks = RNG.integers(0, 2, (6, 4, 5))  # class 2 is nowhere in the masks
    outputs = RNG.normal(size=(6, 4, 5, classes)).astype("float32")
    metric = IntersectionOverUnion(classes)
    for rows in (slice(0, 4), slice(4, 6)):
        metric.update_state(masks[rows], outputs[rows])
    score = scores.foreground_iou if classes == 1 else scores.mean_iou
    assert float(metric.result()) == pytest.approx(score(masks, outputs))
    metric.reset_state()
    assert float(metric.result()) == 0


def test_saved_and_loaded():
    config = keras.metrics.serialize(IntersectionOverUnion(4))
    assert keras.metrics.deserialize(config).classes == 4


@pytest.mark.parametrize("pixels", [False, True])
def test_samples_and_pixels_may_have_weights(pixels):
    masks = RNG.integers(0, 3, (5, 4, 3))
    outputs = RNG.normal(size=(5, 4, 3, 3)).astype("float32")
    weights = np.float32([2, 0, 2, 2, 0])
    given = np.broadcast_to(weights[:, None, None], masks.shape) if pixels else weights
    metric = IntersectionOverUnion(3)
    metric.update_state(masks, outputs, given)
    expected = scores.mean_iou(masks[weights > 0], outputs[weights > 0])
    assert float(metric.result()) == pytest.approx(expected)


@pytest.mark.parametrize("classes", [1, 3])
def test_pixels_that_nobody_labeled_do_not_count(classes):
    masks = RNG.integers(0, max(2, classes), (6, 4, 5))
    outputs = RNG.normal(size=(6, 4, 5, classes)).astype("float32")
    unknown = RNG.random(masks.shape) < 0.3
    given = np.where(unknown, 255, masks)
    metric = IntersectionOverUnion(classes, ignore_class=255)
    metric.update_state(given, outputs)
    score = scores.foreground_iou if classes == 1 else scores.mean_iou
    kept = score(masks[~unknown][None, None], outputs[~unknown][None, None])
    assert score(given, outputs) == pytest.approx(kept)
    assert float(metric.result()) == pytest.approx(kept)
    assert kept != pytest.approx(score(masks, outputs))


def retrieval(rows=6, width=4, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(2, rows, width))


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("grouped", [False, True])
def test_recall_at_k_sorts_all_candidates(grouped, masked):
    queries, candidates = retrieval(40)
    groups = np.arange(40) % 13 if grouped else np.arange(40)
    there = np.random.default_rng(1).random((40, 2)) < (0.7 if masked else 2)
    queries[~there[:, 0]], candidates[~there[:, 1]] = np.nan, np.nan
    hits = {k: [] for k in (1, 3, 10)}
    for i in np.flatnonzero(there.all(axis=1)):
        near = sorted(
            np.flatnonzero(there[:, 1]), key=lambda j: -queries[i] @ candidates[j]
        )
        for k, found in hits.items():
            found.append(any(groups[j] == groups[i] for j in near[:k]))
    expected = {k: np.mean(found) for k, found in hits.items()}
    mask = {"modality_mask": there} if masked else {}
    own = {"groups": groups} if grouped else {}
    found = recall_at_k(queries, candidates, (1, 3, 10), **own, **mask)
    assert found == pytest.approx(expected)


def test_embeddings_that_are_all_the_same_find_nothing():
    same = np.ones((5, 3))
    assert recall_at_k(same, same, (1, 4, 5)) == {1: 0.0, 4: 0.0, 5: 1.0}


def test_recall_of_nothing_and_of_what_is_not_finite():
    x = np.ones((2, 3))
    assert np.isnan(recall_at_k(x, x, (1,), modality_mask=np.zeros((2, 2)))[1])
    with pytest.raises(ValueError, match="one shape .B, U."):
        recall_at_k(x, x[:1])
    with pytest.raises(ValueError, match="finite"):
        recall_at_k(x, np.array([[1.0, np.nan, 1]] * 2))


def test_many_queries_go_block_by_block():
    queries, _ = retrieval(2100)
    assert recall_at_k(queries, queries * 3, (1,))[1] < 1  # unequal lengths
    unit = queries / np.linalg.norm(queries, axis=1, keepdims=True)
    assert recall_at_k(unit, unit, (1,)) == {1: 1.0}


def test_kappa_of_all_batches_together():
    labels = RNG.integers(0, 3, 12)
    outputs = RNG.random((12, 4)).astype("float32")
    metric = QuadraticKappa(4)
    assert float(metric.result()) == 0
    metric.update_state(labels[:5], outputs[:5])
    metric.update_state(labels[5:, None], outputs[5:])
    expected = measures.quadratic_kappa(labels, outputs)
    assert float(metric.result()) == pytest.approx(expected, abs=1e-6)
    metric.reset_state()
    metric.update_state(labels, outputs, np.arange(12) < 7)
    expected = measures.quadratic_kappa(labels[:7], outputs[:7])
    assert float(metric.result()) == pytest.approx(expected, abs=1e-6)
