"""The chief of a search that workers share, by keras-tuner's own protocol."""

import collections
import contextlib
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
from keras_tuner.src import protos
from keras_tuner.src.distribute.oracle_chief import OracleServicer
from keras_tuner.src.engine.trial import TrialStatus

from keras_fusion.tuning import trial as trials

RETRIES = 2  # of a trial whose worker died
SILENCE = 120.0  # seconds without a sign of life until a worker counts as dead
PATIENCE = 600.0  # seconds for a worker to ask for a trial that another left


class Chief:
    """Hands out trials until the search is over; loses none with a worker that dies.

    keras-tuner's own chief waits for ever for a trial whose worker died. This one gives
    it to the next worker, twice, and then counts it as failed.

    Args:
        tuner: A `FusionTuner`; its oracle is served, its `report` told of every trial.
        address: `HOST:PORT` to listen at; port 0 is a free one.
    """

    def __init__(self, tuner, address: str):
        # One thread: the oracle is asked and watched in turns.
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._servicer = _Servicer(tuner)
        self._server = grpc.server(self._thread)
        protos.get_service_grpc().add_OracleServicer_to_server(
            self._servicer, self._server
        )
        self.port = self._server.add_insecure_port(address)

    def __enter__(self):
        self._servicer.tuner.save()  # without this file a search is not gone on with
        self._server.start()
        return self

    def __exit__(self, *error):
        self._server.stop(grace=1).wait()
        self._thread.shutdown()

    def over(self) -> bool:
        """Whether there is nothing left to do, nobody at work and nobody waiting.

        Raises:
            OSError: If the state of the search could not be written.
            ValueError: If a worker left a trial and all others are gone.
        """
        return self._thread.submit(self._servicer.over).result()

    def works(self, worker: str) -> bool:
        """Whether this worker has a trial."""
        return worker in self._servicer.oracle.ongoing_trials

    def silent(self) -> list[str]:
        """Workers that lost their trials by their silence since this was asked last."""
        lost, self._servicer.lost = self._servicer.lost, []
        return lost


class _Servicer(OracleServicer):
    def __init__(self, tuner):
        super().__init__(tuner.oracle)
        self.tuner = tuner
        self.deaths = collections.Counter()  # by trial
        self.heard = {}  # when, by trial
        self.lost = []  # names of workers
        self.last = self.watched = time.monotonic()
        self.error = None

    def CreateTrial(self, request, context):
        with self._noting():
            trial = self.oracle.ongoing_trials.get(request.tuner_id)
            if trial is not None:  # its worker has begun anew
                self._bury(trial)
            self.tuner.pre_create_trial()
            response = super().CreateTrial(request, context)
            self.heard[response.trial.trial_id] = self.last
            return response

    def GetTrial(self, request, context):
        self.heard[request.trial_id] = time.monotonic()
        return super().GetTrial(request, context)

    def UpdateTrial(self, request, context):
        with self._noting():
            return super().UpdateTrial(request, context)

    def EndTrial(self, request, context):
        name = request.trial.trial_id
        if name not in self._ongoing():  # it was given to another worker meanwhile
            return protos.get_service().EndTrialResponse()
        with self._noting():
            # Of the answer only the status counts: on the wire numbers are float32,
            # and no longer among the choices that there are.
            trial = self.oracle.trials[name]
            trial.status = TrialStatus.from_proto(request.trial.status)
            self.oracle.end_trial(trial)
            self.tuner.report(trials.read(self.tuner.folder, name))
        return protos.get_service().EndTrialResponse()

    def over(self):
        if self.error is not None:
            raise self.error
        now = time.monotonic()
        if now - self.watched > SILENCE / 4:  # this process slept, so nobody was heard
            self.heard = dict.fromkeys(self.heard, now)
        self.watched = now
        for name, trial in self._ongoing().items():
            if now - self.heard.get(name, now) > SILENCE:
                self._bury(trial, elsewhere=True)
        if not self.stop_triggered or self.oracle.ongoing_trials:
            return False
        queue, silence = self.oracle._retry_queue, now - self.last
        if queue and silence > PATIENCE:
            raise ValueError(
                f"Trial {queue[-1]} lost its worker, and in {silence / 60:.0f} minutes "
                "no other asked for it: start workers, and this command again."
            )
        return not queue and not (self.oracle.tuner_ids and silence < SILENCE)

    @contextlib.contextmanager
    def _noting(self):
        """Notes that a worker called, and our own error, which gRPC would swallow."""
        self.last = time.monotonic()
        try:
            yield
        except Exception as error:
            self.error = error
            raise

    def _ongoing(self):
        return {t.trial_id: t for t in self.oracle.ongoing_trials.values()}

    def _bury(self, trial, elsewhere=False):
        """A worker died over this trial: it is run again, or has failed."""
        name = trial.trial_id
        self.deaths[name] += 1
        if self.deaths[name] > RETRIES:
            reason = f"its worker died, {self.deaths[name]} times"
            trials.write(self.tuner.folder, trial, trials.failure(reason, 0.0))
            trial.status, trial.message = "FAILED", reason
            self.oracle.end_trial(trial)
            self.tuner.report(trials.read(self.tuner.folder, name))
        elif elsewhere:
            (worker,) = (w for w, t in self.oracle.ongoing_trials.items() if t is trial)
            del self.oracle.ongoing_trials[worker]
            self.oracle.tuner_ids.discard(worker)
            self.lost.append(worker)
            self.oracle._retry_queue.append(name)
            self.oracle.save()
