"""One worker of a search: it asks the chief for trials and trains them.

keras-tuner's environment variables say where the chief is and who this worker is.
`python -m keras_fusion.tuning.worker FOLDER` is how `workers.run` starts one.
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


def work(search: dict, folder: Path) -> None:
    """Trains trials until the chief has no more.

    Raises:
        OSError: If a file could not be written.
        ValueError: If no chief answers.
    """
    tuner = FusionTuner(search, folder, lambda trial: None)
    threading.Thread(target=_beat, args=(tuner,), daemon=True).start()
    try:
        tuner.search()
    except keras_tuner.errors.FatalError as error:
        raise error.__cause__ from None
    except grpc.RpcError as error:
        raise ValueError(f"The chief does not answer: {error.details()}.") from error


def _beat(tuner):
    """Tells the chief of the trial under way; ends with who started this process."""
    parent, request = os.getppid(), protos.get_service().GetTrialRequest
    last = 0.0
    while True:
        time.sleep(1)
        if os.getppid() != parent:
            os._exit(1)
        if tuner.trial is not None and time.monotonic() - last > BEAT:
            last = time.monotonic()
            try:
                tuner.oracle.stub.GetTrial(request(trial_id=tuner.trial), timeout=BEAT)
            except grpc.RpcError:
                continue  # the trial itself will find out


def _main(folder):
    try:
        work(json.loads((folder / SEARCH).read_text()), folder)
    except (ValueError, OSError) as error:
        print(" ".join(str(error).split()))
        sys.exit(2)


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
