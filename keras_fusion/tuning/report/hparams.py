"""A search as TensorBoard's HParams plugin shows it, on any backend."""

import os
import shutil
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.hparams.summary_v2 import hparams_pb
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from keras_fusion.tuning.report.leaderboard import ranked
from keras_fusion.tuning.results import Trial

CURVES = ("loss", "validation")


def write_hparams(trials: list[Trial], folder: Path) -> Path:
    """Writes a run for every completed trial: its active values and its curves.

    keras-tuner's own callback writes nothing on JAX and torch; this writes when the
    search has ended. Runs that are there already are left as they are.

    Args:
        trials: From `tuning.summaries`.
        folder: `tensorboard --logdir FOLDER` shows it.

    Returns:
        The folder.
    """
    for trial in ranked(trials):
        run = folder / f"trial-{trial.trial}"
        if run.exists():
            continue
        beside = run.with_name(f".{run.name}")  # what a kill leaves is no run
        shutil.rmtree(beside, ignore_errors=True)
        writer = EventFileWriter(str(beside))
        summary = hparams_pb(trial.values, trial_id=run.name)
        writer.add_event(Event(summary=summary))
        for name in CURVES:
            for epoch, value in zip(trial.curve.epoch, getattr(trial.curve, name)):
                scalar = Summary.Value(tag=name, simple_value=value)
                writer.add_event(Event(summary=Summary(value=[scalar]), step=epoch))
        writer.close()
        os.replace(beside, run)
    return folder
