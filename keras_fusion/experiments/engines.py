"""Where work runs that is done in parts: in this process, or as tasks of Ray."""

import os
from collections.abc import Callable
from typing import Any

import keras

from keras_fusion.common.errors import InputError

RETRIES = 2  # of a task whose process died
LOCAL = "local"  # the address of a cluster of this machine alone


class Here:
    """Runs one task at a time in this process."""

    size = 1

    def __init__(self, run: Callable):
        self._run, self._next = run, None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def share(self, value: Any) -> Any:
        """What stands for a value that many tasks need."""
        return value

    def start(self, name: str, *arguments) -> None:
        """Begins a task."""
        self._next = name, arguments

    def wait(self) -> tuple[str, Any]:
        """The name of the next task that ends, and what it returned.

        What died in its process returns the reason, a RuntimeError.
        """
        name, arguments = self._next
        return name, self._run(*arguments)


class OnRay:
    """Runs tasks by Ray, on the processes of this machine or of a cluster.

    A task whose process dies is run again, twice, on whatever machine has room.

    Args:
        run: What a task calls.
        workers: How many run at once; None is one for each processor of the cluster.
        address: Of a cluster that is there; None, or `local`, starts one here, which
            ends with it.
        gpus: Of a task; may be a fraction.
        calls: Tasks a process, after which another takes its place; 0 is no bound.

    Raises:
        ImportError: If Ray is not installed.
        ValueError: If no cluster answers.
    """

    def __init__(
        self,
        run: Callable,
        workers: int | None = None,
        address: str | None = None,
        gpus: float = 0,
        calls: int = 0,
    ):
        # Ray would run a task that took all memory again without end.
        os.environ.setdefault("RAY_task_oom_retries", str(RETRIES))
        try:
            import ray
        except ImportError as error:
            raise ImportError(
                'Several workers need Ray: pip install "keras-fusion[ray]".'
            ) from error
        self._ray, self._run, self._running = ray, run, {}
        if address == LOCAL:
            address, workers = None, workers or os.cpu_count()
        self.size, self._address = workers, address
        self._gpus, self._calls = gpus, calls

    def __enter__(self):
        processors = os.cpu_count() or 1
        quiet = {"log_to_driver": False, "logging_level": "ERROR"}
        if self._address is None:
            own = {"num_cpus": max(processors, self.size), "include_dashboard": False}
            os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        else:
            own = {"address": self._address}
        try:
            self._ray.init(**own, **quiet)
        except Exception as error:  # Ray's own are of no narrower kind
            raise InputError(f"Ray does not start: {error}") from error
        threads = 1
        if self._address is None:
            threads = max(1, processors // self.size)
        self.size = self.size or int(self._ray.cluster_resources().get("CPU", 1))
        self._task = self._ray.remote(
            num_cpus=threads,
            num_gpus=self._gpus,
            max_retries=RETRIES,
            max_calls=self._calls,
            runtime_env={"env_vars": _environment(threads)},
        )(self._run)
        return self

    def __exit__(self, *error):
        self._ray.shutdown()

    def share(self, value: Any) -> Any:
        """Puts a value into Ray's store, from where every task reads it."""
        return self._ray.put(value)

    def start(self, name: str, *arguments) -> None:
        """Begins a task."""
        self._running[self._task.remote(*arguments)] = name

    def wait(self) -> tuple[str, Any]:
        """The name of the next task that ends, and what it returned.

        What died in its process returns the reason, a RuntimeError.
        """
        (done,), _ = self._ray.wait(list(self._running))
        name = self._running.pop(done)
        try:
            return name, self._ray.get(done)
        except self._ray.exceptions.OutOfMemoryError:
            return name, RuntimeError("it took all memory of its machine")
        except self._ray.exceptions.RayTaskError as error:
            raise error.cause from error  # whose words are not a traceback
        except self._ray.exceptions.WorkerCrashedError:
            return name, RuntimeError(f"its process died, {RETRIES + 1} times")


def _environment(threads):
    """What a process is told; what the person has set for themselves stays."""
    own = {
        "OMP_NUM_THREADS": str(threads),
        "TF_NUM_INTRAOP_THREADS": str(threads),
        "TF_NUM_INTEROP_THREADS": str(threads),
        "PJRT_NPROC": str(threads),  # of JAX
        # Of one GPU, JAX and TensorFlow would take nearly all the memory each.
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    }
    told = {name: os.environ.get(name, value) for name, value in own.items()}
    return told | {"KERAS_BACKEND": keras.backend.backend()}
