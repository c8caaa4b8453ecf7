"""Commands of `keras-fusion` in processes of their own."""

import os
import subprocess
import sys

SEARCH = """
dataset = "npz:{data}"

[training]
epochs = 3
batch_size = 16

[space]
fusion = ["Summation", "AdaptiveWeighting"]
units = [4, 8]

[search]
tuner = "random"
trials = 8
"""
# Takes its time over every file, so that many a kill comes then.
SLOW = """
import os, pathlib, sys, time
from keras_fusion.common import files

replace = os.replace

def slowly(source, target):
    time.sleep(0.02)
    replace(source, target)

files.os.replace = slowly
"""
# Saves after each epoch.
RUN = (
    SLOW
    + """
from keras_fusion.cli import main as cli
from keras_fusion.experiments import training

training.fit.__kwdefaults__["checkpoint_every"] = 0
sys.exit(cli.main(sys.argv[1:]))
"""
)


def start(backend, words, **options):
    """A process of the command, whose standard error may be read."""
    path = {"PYTHONPATH": os.pathsep.join([".", *sys.path])}
    return subprocess.Popen(
        [sys.executable, "-c", RUN, *map(str, words)],
        env=os.environ | path | {"KERAS_BACKEND": backend},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )
