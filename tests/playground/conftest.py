"""A model of a small table with pictures and sounds, and with names that bite."""

import csv

import numpy as np
import pytest

from keras_fusion.playground.judge import Judge
from keras_fusion.playground.rows import kept
from tests.cli.running import succeed

NAMES = "tit", "<i>finch</i>", "owl\u202e"
PLACES = "<img src=x onerror=alert(1)>", "<b>wood</b>"


def write(folder, rows=60):
    """`birds.csv` with a photo, a call, a weight and a place; one in five is absent."""
    image = pytest.importorskip("PIL.Image")
    soundfile = pytest.importorskip("soundfile")
    rng = np.random.default_rng(0)
    with open(folder / "birds.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["photo", "call", "weight", "where", "species"])
        for i in range(rows):
            kind = i % 3
            photo, call = f"{i}.png" if i % 5 else "", f"{i}.wav" if i % 7 else ""
            pixels = rng.integers(0, 99, (12, 12, 3), np.uint8)
            pixels[..., kind] += 100
            image.fromarray(pixels).save(folder / f"{i}.png")
            wave = np.sin(np.arange(2000) * (kind + 1) / 8) / 2
            soundfile.write(folder / f"{i}.wav", wave, 8000)
            weight = round(float(rng.normal(10 + 5 * kind)), 1)
            writer.writerow([photo, call, weight, PLACES[i % 2], NAMES[kind]])
    return folder / "birds.csv"


@pytest.fixture(scope="package")
def model(tmp_path_factory):
    """The `.keras` file of a run, beside `birds.csv`."""
    folder = tmp_path_factory.mktemp("birds")
    options = "--label", "species", "--seeds", 0, "--epochs", 8, "--quiet"
    succeed("train", write(folder), *options, "--runs", folder / "runs")
    (path,) = folder.rglob("model.keras")
    return path


@pytest.fixture(scope="package")
def judge(model):
    return Judge(model, kept(model))
