"""`write JOB` or `ask JOB`: what an export has done in a process of its own."""

import importlib
import json
import os
import sys
import threading
from pathlib import Path

from keras_fusion.export import forms
from keras_fusion.export.child import load_groups, save_groups
from keras_fusion.export.loading import load


def _write(job):
    for module in job["modules"]:
        importlib.import_module(module)  # registers what the model holds
    forms.write(load(job["model"]), Path(job["folder"]), forms.Wanted(**job["wanted"]))


def _ask(job):
    folder = Path(job["folder"])
    cases = load_groups(job["cases"])
    answers, described = forms.answers(folder, cases, job["formats"])
    save_groups(job["answers"], answers)
    Path(job["specs"]).write_text(json.dumps(described))


def _end_with_the_parent():
    os.read(0, 1)  # ends when the parent does, even by kill -9
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    task, job = sys.argv[1:]
    try:
        {"write": _write, "ask": _ask}[task](json.loads(Path(job).read_text()))
    except Exception as error:  # one line, which the parent process passes on
        sys.exit(f"{type(error).__name__}: {' '.join(str(error).split())}")
