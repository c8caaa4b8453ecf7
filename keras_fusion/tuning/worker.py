"""One worker of a search: it asks the chief for trials and trains them.

keras-tuner's environment variables say where the chief is and who this worker is.
"""

import json
import os
import sys
import threading
import time
from pathlib import Path

import grpc
import keras_tuner
from keras_tuner.src import protos
from keras_tuner.src.distribute import oracle_client

from keras_fusion.tuning.tuner import FusionTuner

SEARCH = "workers/search.json"
BEAT = 15.0  # seconds between signs of life; see chief.SILENCE
oracle_client.TIMEOUT = 600.0  # an hour is long to wait for a chief that is gone


def work(search: dict, folder: Path, parent: int | None = None) -> None:
    """Trains trials until the chief has no more.

    Args:
        search: From `search_file.read`.
        folder: The one that the chief has.
        parent: Number of the process without which this one has no purpose.

    Raises:
        OSError: If a file could not be written.
        ValueError: If no chief answers.
    """
    tuner = FusionTuner(search, folder, lambda trial: None)
    threading.Thread(target=_beat, args=(tuner, parent), daemon=True).start()
    try:
        tuner.search()
    except keras_tuner.errors.FatalError as error:
        raise error.__cause__ from None
    except grpc.RpcError as error:
        raise ValueError(f"The chief does not answer: {error.details()}.") from error


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
    """What a process that `workers.run` starts does: its argument is the folder."""
    folder = Path(sys.argv[1])
    try:
        work(json.loads((folder / SEARCH).read_text()), folder, os.getppid())
    except (ValueError, OSError) as error:
        print(" ".join(str(error).split()))
        sys.exit(2)
