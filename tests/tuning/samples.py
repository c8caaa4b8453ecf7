"""The results of a search that nobody ran."""

import math
import random

from keras_fusion.tuning.results import Curve, Ensemble, Reference, Results, Trial
from keras_fusion.tuning.search_file import Search, plain

FUSIONS = ["Summation", "ModalityAttention", "Concatenation", "late average", "only-a"]


def trial(
    number,
    fusion,
    score,
    *,
    depth=1,
    epochs=4,
    of=None,
    latency=1.0,
    metric="accuracy",
):
    """One trial that completed, after some epochs `of` those of the search."""
    values = {"fusion": fusion, "encoder_depth": 1, "units": 8, "learning_rate": 0.003}
    if fusion not in ("late average", "only-a"):
        values["depth"] = depth
    if fusion == "ModalityAttention":
        values["ModalityAttention.readout"] = "query"
    arguments = {"units": 8, "encoder_depth": 1, "depth": depth}
    arguments["fusion"] = {"class_name": fusion, "config": {"kernel_initializer": None}}
    recipe = {"learning_rate": 0.003, "weight_decay": 1e-4, "epochs": of or epochs}
    at = list(range(1, epochs + 1))
    return Trial(
        trial=f"{number:04}",
        values=values,
        status="completed",
        metric=metric,
        scores=[score],
        score=score,
        seconds=1.5,
        parameters=100 + number,
        latency=latency,
        epochs=epochs,
        finished=of in (None, epochs),
        training=1.0,
        curve=Curve(
            epoch=at,
            loss=[1 / n for n in at],
            validation=[abs(score) * n / epochs for n in at],
        ),
        recipe={
            "builder": "FusionClassifier",
            "arguments": arguments,
            "training": plain(Search(name="", dataset=""))["training"] | recipe,
        },
    )


def failed(number):
    """One that did not."""
    return Trial(
        trial=f"{number:04}",
        values={"fusion": "Product", "depth": 2},
        status="failed",
        reason="MemoryError: <no room>",
        seconds=0.5,
    )


def results(count=15):
    """A search of so many trials, one of which failed."""
    rng = random.Random(0)
    trials = [
        trial(
            i,
            FUSIONS[i % len(FUSIONS)],
            0.5 + 0.4 * rng.random(),
            depth=1 + i % 2,
            latency=math.exp(rng.random()),
        )
        for i in range(count - 1)
    ]
    return Results(
        search=Search(name="leaves & more", dataset="npz:x.npz"),
        trials=[*trials, failed(count - 1)],
        references={"linear model": Reference(score=0.51, seconds=0.1)},
        ensemble=Ensemble(weights={"0001": 2, "0003": 1}, scores=[0.9, 0.93]),
        backend="torch",
        versions={"keras": "3"},
        machine="none",
        commit="0",
        date="2026-01-01",
    )
