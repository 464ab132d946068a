"""Workers that break the protocol, each in one way: the proof must find out."""
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / 'examples/08-python-worker'))

import offload_worker  # noqa: E402
from worker import HANDLERS  # noqa: E402


class AcknowledgesEarly(offload_worker.Worker):
    """It says that a job is done before that is stored."""

    def settle(self, job, outcome):
        threading.Thread(target=super().settle, args=(job, outcome)).start()
        return 'ack'


class HoldsItsTongue(offload_worker.Worker):
    """It does not say which jobs it has."""

    def tell_holdings(self):
        pass


class WritesLate(offload_worker.Worker):
    """It goes on when it is told that the attempt is over."""

    class Stubborn(offload_worker.Job):
        def stop_for(self, reason):
            if reason not in ('fenced', 'cancelled'):
                super().stop_for(reason)

    def run(self):
        offload_worker.Job = self.Stubborn
        super().run()


KINDS = {kind.__name__: kind for kind in (AcknowledgesEarly, HoldsItsTongue, WritesLate)}
KINDS[sys.argv[1]](HANDLERS).run()
