"""What a person would use without neural networks, by its validation score."""

import time

from keras_fusion.datasets import Dataset
from keras_fusion.experiments import classical
from keras_fusion.experiments.tasks import task_of


def judge(data: Dataset, seconds: float) -> dict[str, dict]:
    """The models of `classical`, as `evaluate` compares with them.

    Args:
        data: Of rows; where `classical` refuses them there is no model.
        seconds: For boosting.

    Returns:
        `score`, that of the task as the trials have it, and `seconds` by name.
    """
    found, score, rows = {}, task_of(data).score, data.validation
    for name, fit in classical.to_fit(data, seed=0, seconds=seconds).items():
        began = time.perf_counter()
        found[name] = {"score": float(score(rows.labels, fit()(rows)))}
        found[name]["seconds"] = round(time.perf_counter() - began, 3)
    return found
