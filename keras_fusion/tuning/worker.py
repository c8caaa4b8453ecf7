"""One worker of a search: it asks the chief for trials and trains them.

keras-tuner's environment variables say where the chief is and who this worker is.
"""

import itertools
import json
import os
import sys
import threading
import time
from pathlib import Path

import grpc
import keras_tuner
from keras_tuner.src import protos

from keras_fusion.experiments.compilation import keep_compiled
from keras_fusion.tuning.tuner import FusionTuner

SEARCH = "workers/search.json"
COMPILED = "compiled"
BEAT = 15.0  # seconds between signs of life; see chief.SILENCE
PATIENCE = 600  # seconds to wait for a chief that is gone; keras-tuner waits an hour
TRIALS, AGAIN = 50, 3  # after so many a process begins anew, by this exit status


def work(search: dict, folder: Path, report=lambda trial: None, parent=None) -> None:
    """Trains trials until the chief has no more.

    Args:
        search: From `search_file.read`.
        folder: The one that the chief has.
        report: Is told the summary of every trial as it ends.
        parent: Number of the process without which this one has no purpose.

    Raises:
        OSError: If a file could not be written.
        ValueError: If no chief answers.
    """
    tuner = FusionTuner(search, folder, report)
    tuner.oracle.stub = _stub()
    threading.Thread(target=_beat, args=(tuner, parent), daemon=True).start()
    try:
        tuner.search()
    except keras_tuner.errors.FatalError as error:
        raise error.__cause__ from None
    except grpc.RpcError as error:
        raise ValueError(f"The chief does not answer: {error.details()}.") from error


def _stub():
    """The chief as the worker asks it, which it does not for ever."""
    host, port = (os.environ[f"KERASTUNER_ORACLE_{part}"] for part in ("IP", "PORT"))
    every_call = {"methodConfig": [{"name": [{}], "timeout": f"{PATIENCE}s"}]}
    options = [("grpc.service_config", json.dumps(every_call))]
    channel = grpc.insecure_channel(f"{host}:{port}", options)
    return protos.get_service_grpc().OracleStub(channel)


def _beat(tuner, parent):
    """Tells the chief of the trial under way; ends the process with its parent."""
    request, last = protos.get_service().GetTrialRequest, 0.0
    while True:
        time.sleep(1)
        if parent is not None and os.getppid() != parent:
            os._exit(1)
        if tuner.trial is not None and time.monotonic() - last > BEAT:
            last = time.monotonic()
            try:
                tuner.oracle.stub.GetTrial(request(trial_id=tuner.trial), timeout=BEAT)
            except grpc.RpcError:
                continue  # the trial itself will find out


def main() -> None:
    """What a process that `workers.run` starts does.

    Its arguments are the folder and the process that started it, which may be gone by
    the time that this one has imported all it needs. Some backends keep a little of
    every model, so no process trains very many.
    """
    folder, parent = Path(sys.argv[1]), int(sys.argv[2])
    keep_compiled(folder / COMPILED)
    ended = itertools.count(1)

    def report(trial):
        if next(ended) == TRIALS:
            sys.exit(AGAIN)

    try:
        work(json.loads((folder / SEARCH).read_text()), folder, report, parent)
    except (ValueError, OSError) as error:
        print(" ".join(str(error).split()))
        sys.exit(2)
