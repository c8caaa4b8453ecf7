"""A search by several processes of this machine."""

import os
import subprocess
import sys
import time
from pathlib import Path

from keras_fusion.files import write_json
from keras_fusion.tuning.chief import Chief
from keras_fusion.tuning.tuner import FusionTuner
from keras_fusion.tuning.worker import AGAIN, SEARCH

HOST = "127.0.0.1"
WORKER = "from keras_fusion.tuning.worker import main; main()"
STILLBORN = 3  # deaths without a trial until the search gives up


def run(search: dict, folder: Path, report, count: int) -> None:
    """Shares what is left of a search among `count` worker processes.

    The processors are shared out. A worker that dies or falls silent is replaced, and
    its trial goes on from its last checkpoint.

    Raises:
        OSError: If a file could not be written, here or by a worker.
        ValueError: If the workers cannot work; with the reason of one.
    """
    write_json(folder / SEARCH, search)
    tuner = FusionTuner(search, folder, report)
    names = [f"worker-{i}" for i in range(count)]
    crew, stillborn = {}, 0
    with Chief(tuner, f"{HOST}:0") as chief:
        try:
            crew = {name: _start(name, folder, chief.port, count) for name in names}
            while crew:
                time.sleep(0.1)
                chief.over()  # raises what went wrong with its files
                for name in chief.silent():
                    _end(crew[name])
                    crew[name] = _start(name, folder, chief.port, count)
                for name, process in list(crew.items()):
                    status = process.poll()
                    if status == 0:
                        del crew[name]
                    elif status is not None:
                        if status != AGAIN:
                            stillborn += not chief.works(name)
                        if status == 2 or stillborn > STILLBORN:
                            raise ValueError(_last_words(name, folder))
                        crew[name] = _start(name, folder, chief.port, count)
        finally:
            for process in crew.values():
                _end(process)


def _end(process):
    process.kill()  # what it had in hand goes on from its checkpoint
    process.wait()


def _start(name, folder, port, count):
    threads = str(max(1, (os.cpu_count() or 1) // count))
    environment = {
        "OMP_NUM_THREADS": threads,
        "TF_NUM_INTRAOP_THREADS": threads,
        "TF_NUM_INTEROP_THREADS": threads,
        "PJRT_NPROC": threads,  # of JAX
        # Of one GPU, JAX and TensorFlow would take nearly all the memory each.
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        **os.environ,
        "KERASTUNER_ORACLE_IP": HOST,
        "KERASTUNER_ORACLE_PORT": str(port),
        "KERASTUNER_TUNER_ID": name,
    }
    with _log(name, folder).open("a") as log:
        return subprocess.Popen(
            [sys.executable, "-c", WORKER, str(folder), str(os.getpid())],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for the chief alone to answer
        )


def _last_words(name, folder):
    log = _log(name, folder)
    lines = log.read_text().strip().splitlines() or ["it said nothing"]
    return f"A worker gave up: {lines[-1]} (more in {log})"


def _log(name, folder):
    return folder / "workers" / f"{name}.log"
